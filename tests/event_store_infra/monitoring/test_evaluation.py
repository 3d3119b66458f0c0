"""What the tests of alerts evaluate conditions with agrees with what Google and Prometheus document."""

from typing import Any, Final

import pytest

from tests.event_store_infra.monitoring import promql
from tests.event_store_infra.monitoring.evaluation import rings
from tests.event_store_infra.monitoring.lines import counted, entry_of, measured
from tests.event_store_infra.monitoring.series import Plan, Points, StackSeries, TimeSeries, resources

TOPIC: Final = {"type": "pubsub_topic", "project_id": "p", "topic_id": "words"}
REVISION: Final = {
    "type": "cloud_run_revision",
    "project_id": "p",
    "location": "europe-west1",
    "service_name": "store",
    "configuration_name": "store",
    "revision_name": "store-00001",
}
METRIC: Final = {
    "name": "store/lag",
    "filter": 'resource.type = "cloud_run_revision" AND jsonPayload.lag >= 0',
    "valueExtractor": "EXTRACT(jsonPayload.lag)",
    "metricDescriptor": {"metricKind": "DELTA", "valueType": "DISTRIBUTION"},
    "bucketOptions": {"exponentialBuckets": {"scale": 1.0, "growthFactor": 2.0, "numFiniteBuckets": 3}},
}
LAG: Final = "logging_googleapis_com:user_store_lag"


def _series(points: Points, bounds: tuple[float, ...] = (), **labels: str) -> TimeSeries:
    named = {f"metric.labels.{name}": value for name, value in labels.items()}
    return TimeSeries("x.googleapis.com/a/b", "pubsub_topic", named, points, bounds)


def _threshold(seconds: int, period: int, aligner: str, *by: str, reducer: str = "") -> dict[str, Any]:
    aggregation: dict[str, Any] = {"alignmentPeriod": f"{period}s", "perSeriesAligner": aligner}
    if reducer:
        aggregation |= {"crossSeriesReducer": reducer, "groupByFields": [*by]}
    return {
        "conditionThreshold": {
            "filter": 'metric.type = "x.googleapis.com/a/b" AND metric.labels.kind != "well"',
            "comparison": "COMPARISON_GT",
            "thresholdValue": 5,
            "duration": f"{seconds}s",
            "aggregations": [aggregation],
        }
    }


@pytest.mark.parametrize(
    ("condition", "points", "minutes"),
    [
        (_threshold(0, 60, "ALIGN_MAX"), {1: 6.0, 2: 5.0, 4: 9.0}, [1, 4]),
        (_threshold(120, 60, "ALIGN_MAX"), {1: 6.0, 2: 6.0, 3: 6.0, 4: 6.0, 5: 1.0}, [3, 4]),
        (_threshold(120, 60, "ALIGN_MAX"), {1: 6.0, 2: 6.0, 4: 6.0, 5: 6.0}, []),  # no value in minute 3
        (_threshold(0, 120, "ALIGN_SUM"), {1: 3.0, 2: 3.0, 4: 3.0}, [2]),
        (_threshold(0, 180, "ALIGN_SUM"), {1: 6.0}, [1, 2, 3]),  # counts as long as the period reaches
    ],
)
def test_a_threshold_is_crossed_by_aligned_values_for_the_duration(
    condition: dict[str, Any], points: Points, minutes: list[int]
) -> None:
    """A value is made of the points of the period before it; a minute without any ends the wait."""
    other = _series(dict.fromkeys(range(9), 100.0), kind="well")

    assert rings(condition, [_series(points, kind="ill"), other], 9) == minutes


def test_time_series_are_reduced_within_their_group() -> None:
    """Without a reducer each is compared for itself, and with one all that agree in the fields are one."""
    apart = [_series({1: 3.0}, kind=kind, place="a") for kind in ("one", "two")]

    assert rings(_threshold(0, 60, "ALIGN_MAX"), apart, 3) == []
    assert rings(_threshold(0, 60, "ALIGN_MAX", reducer="REDUCE_SUM"), apart, 3) == [1]
    assert rings(_threshold(0, 60, "ALIGN_MAX", reducer="REDUCE_MAX"), apart, 3) == []
    place, kind = "metric.label.place", "metric.labels.kind"
    assert rings(_threshold(0, 60, "ALIGN_MAX", place, reducer="REDUCE_SUM"), apart, 3) == [1]
    assert rings(_threshold(0, 60, "ALIGN_MAX", kind, reducer="REDUCE_SUM"), apart, 3) == []


def _evaluate(
    expression: str, *series: TimeSeries, minute: int = 5
) -> dict[tuple[tuple[str, str], ...], float]:
    found = promql.evaluate(promql.parse(expression), series, minute)
    return {tuple(sorted(labels)): value for labels, value in found.items()}


NAME: Final = "x_googleapis_com:a_b"


@pytest.mark.parametrize(
    ("expression", "values"),
    [
        (f'increase({NAME}{{kind="one"}}[2m])', [3.0]),
        (f'increase({NAME}{{kind="one"}}[1m])', []),  # nothing came in minute 5
        (f'increase({NAME}{{kind=~"one|two"}}[5m])', [7.0, 8.0]),
        (f'increase({NAME}{{kind=~"on"}}[5m])', []),  # a pattern matches the whole value
        (f"sum(increase({NAME}[5m]))", [15.0]),
        (f"sum by (kind) (increase({NAME}[5m])) > 7", [8.0]),
        (f"sum(increase({NAME}[5m])) > 0 unless sum(increase({NAME}[2m])) > 0", []),
        (f'sum(increase({NAME}[5m])) > 0 unless sum(increase({NAME}{{kind="none"}}[2m])) > 0', [15.0]),
    ],
)
def test_promql_adds_up_what_came_within_a_window(expression: str, values: list[float]) -> None:
    """A window ends with its minute and begins behind the one that many minutes before."""
    one, two = _series({1: 4.0, 4: 3.0}, kind="one"), _series({2: 8.0}, kind="two")

    assert sorted(_evaluate(expression, one, two).values()) == values


@pytest.mark.parametrize(
    ("share", "values", "quantile"),
    [
        (0.5, (1.5, 1.5, 3.0, 3.0), 2.0),  # two in (1, 2], two in (2, 4]
        (0.75, (1.5, 1.5, 3.0, 3.0), 3.0),
        (0.99, (3.0,), 2 + 2 * 0.99),
        (0.5, (0.2, 0.2), 0.5),  # the lowest bucket begins at 0
        (0.99, (100.0,), 8.0),  # the last bucket has no end: its beginning
    ],
)
def test_a_quantile_is_interpolated_within_its_bucket(
    share: float, values: tuple[float, ...], quantile: float
) -> None:
    """https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile."""
    series = _series({5: values}, bounds=(1.0, 2.0, 4.0, 8.0))

    found = _evaluate(f"histogram_quantile({share}, sum by (le) (increase({NAME}_bucket[1m])))", series)

    assert [*found.values()] == [pytest.approx(quantile)]


def test_promql_that_nobody_has_taught_is_no_silent_zero() -> None:
    """Whoever writes an alert with another function is told where to add it."""
    with pytest.raises(NotImplementedError, match=r"teach tests/.*/promql.py: absent\("):
        _evaluate(f"absent({NAME})")


def test_a_line_becomes_what_cloud_logging_makes_of_it() -> None:
    """Severity and time are the entry's own; a metric takes its field of the lines that it selects."""
    line = '{"severity": "ERROR", "time": "2026-01-01T00:00:00Z", "message": "m", "lag": 3}'
    lines = {1: [line, '{"message": "other"}'], 2: [line, line]}

    entry = entry_of(line, REVISION)
    measures = measured(lines, REVISION, METRIC)
    errors, others = counted(lines, REVISION)

    assert (entry["severity"], entry["jsonPayload"]) == ("ERROR", {"message": "m", "lag": 3})
    assert measures.points == {1: (3.0,), 2: (3.0, 3.0)}
    assert measures.bounds == (1.0, 2.0, 4.0, 8.0)
    assert errors.labels["metric.labels.severity"] == "ERROR"
    assert (errors.points, others.points) == ({1: 1.0, 2: 2.0}, {1: 1.0})
    assert _evaluate(f'increase({LAG}_count{{service_name="store"}}[2m])', measures, minute=2)


def test_nothing_is_written_that_google_does_not_write() -> None:
    """A series at another resource, with other labels or with a value that a label never has is refused."""
    plan: Plan = {"words": {"type": "gcp:pubsub/topic:Topic", "inputs": {"name": "words", "project": "p"}}}
    stack = StackSeries(plan, 3)
    sent = "pubsub.googleapis.com/topic/send_request_count"

    stack.write(sent, 1, response_class="success", response_code="success")
    assert [*resources(plan)] == [TOPIC]
    with pytest.raises(AssertionError, match="response_class is never error"):
        stack.write(sent, 1, response_class="error", response_code="error")
    with pytest.raises(AssertionError, match="send_request_count"):
        stack.write(sent, 1, response_class="success")
    with pytest.raises(AssertionError, match="nothing in this stack writes"):
        stack.write("cloudsql.googleapis.com/database/cpu/utilization", 1)
    assert len(stack.series) == 1
