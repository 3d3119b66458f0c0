"""Alerts, channels and metrics: whatever lets people know less, or later, is less safe."""

import pytest

from event_store_infra.preview.effects.effect import HARMLESS, Severity
from event_store_infra.preview.effects.project import alerting
from event_store_infra.preview.judging.guard import judge
from event_store_infra.preview.plan.plan import UNKNOWN as LATER
from tests.event_store_infra.preview.effects.changed import changed
from tests.event_store_infra.preview.effects.judged import check, told_of, untried

LESS_SAFE = Severity.LESS_SAFE
POLICY = "gcp:monitoring/alertPolicy:AlertPolicy"
CHANNEL = "gcp:monitoring/notificationChannel:NotificationChannel"
METRIC = "gcp:logging/metric:Metric"
FILTER = 'resource.type = "pubsub_subscription" AND resource.labels.subscription_id = '
QUERY = 'max(age{monitored_resource="a",subscription_id=~"%s"}) > %s'


def _named(name: str = "age") -> dict[str, object]:
    return {"displayName": name, "conditionThreshold": {"filter": "a", "thresholdValue": 1}}


THRESHOLD, ABSENT, LOG, MQL, PROMQL, SQL = (
    f"condition{each}"
    for each in (
        *("Threshold", "Absent", "MatchedLog", "MonitoringQueryLanguage", "PrometheusQueryLanguage", "Sql"),
    )
)
BELOW = {"comparison": "COMPARISON_LT"}
# Of one condition: its kind, what it is, and what it would be.
LESS: list[tuple[str, dict[str, object], dict[str, object], str]] = [
    (THRESHOLD, {"thresholdValue": 1}, {"thresholdValue": 2}, "told later"),
    (
        THRESHOLD,
        {"comparison": "COMPARISON_LT", "thresholdValue": 2},
        {"comparison": "COMPARISON_LT"},
        "told later",
    ),
    (THRESHOLD, {"duration": "60s"}, {"duration": "3600s"}, "told later"),
    (THRESHOLD, {"trigger": {"count": 1}}, {"trigger": {"count": 5}}, "told later"),
    (
        THRESHOLD,
        {"filter": f'{FILTER}one_of("a", "b")'},
        {"filter": f'{FILTER}"a"'},
        "no longer looks at `b`",
    ),
    (PROMQL, {"query": QUERY % ("a|b", 1)}, {"query": QUERY % ("a", 1)}, "no longer looks at `b`"),
    (PROMQL, {"query": QUERY % ("a", 60)}, {"query": QUERY % ("a", 86400)}, "told later"),
    (PROMQL, {"query": "a < 5"}, {"query": "a < 1"}, "told later"),
    # What it excludes is not looked at.
    (THRESHOLD, {"filter": '"m" AND a != "x"'}, {"filter": '"m" AND a != one_of("x", "y")'}, "looks at `y`"),
    (THRESHOLD, {"filter": 'NOT a = "x"'}, {"filter": 'NOT a = one_of("x", "y")'}, "looks at `y`"),
    (PROMQL, {"query": 'm{a!="x"} > 1'}, {"query": 'm{a!~"x|y"} > 1'}, "looks at `y`"),
    (PROMQL, {"query": "a", "duration": None}, {"query": "a", "duration": "60s"}, "told later"),
    (PROMQL, {"evaluationInterval": "60s"}, {"evaluationInterval": "600s"}, "told later"),
    (ABSENT, {"duration": "60s"}, {"duration": "600s"}, "told later"),
    (LOG, {"labelExtractors": {"a": "b", "c": "d"}}, {"labelExtractors": {"a": "b"}}, "something else"),
    (SQL, {"minutes": {"periodicity": 5}}, {"minutes": {"periodicity": 60}}, "told later"),
]
OTHER: list[tuple[str, str, object, object]] = [
    (THRESHOLD, "comparison", "COMPARISON_GT", "COMPARISON_LT"),
    (THRESHOLD, "aggregations", [{"perSeriesAligner": "ALIGN_MAX"}], [{"perSeriesAligner": "ALIGN_MIN"}]),
    (THRESHOLD, "evaluationMissingData", "a", "b"),
    (THRESHOLD, "denominatorFilter", '"a"', '"b"'),
    (THRESHOLD, "forecastOptions", {"forecastHorizon": "3600s"}, {"forecastHorizon": "7200s"}),
    (THRESHOLD, "unheardOf", 1, 2),
    (ABSENT, "filter", '"a"', '"b"'),
    (LOG, "filter", '"a"', '"b"'),
    (MQL, "query", "fetch a", "fetch b"),
    (PROMQL, "query", "m > 5", "m < 5"),
    (THRESHOLD, "filter", 'a = "x" AND b = "y"', 'a = "y" AND b = "x"'),
    (THRESHOLD, "filter", 'a = "x"', 'a != "x"'),
    (THRESHOLD, "filter", 'a = "x"', 'a = "x" AND b = "never"'),
    (SQL, "query", "a", "b"),
]


ONE_WAY: list[tuple[str, str, object, object, Severity, str]] = [
    *(
        (kind, "deletionPolicy", "PREVENT", None, LESS_SAFE, "deletes it in Google Cloud")
        for kind in (POLICY, CHANNEL, METRIC)
    ),
    (POLICY, "enabled", True, False, LESS_SAFE, "nobody is told"),
    (POLICY, "enabled", None, False, LESS_SAFE, "nobody is told"),
    (POLICY, "notificationChannels", ["a", "b"], ["b"], LESS_SAFE, "a channel that goes"),
    (POLICY, "severity", "CRITICAL", "WARNING", LESS_SAFE, "less urgent"),
    (POLICY, "severity", "ERROR", None, LESS_SAFE, "less urgent"),
    (POLICY, "combiner", "OR", "AND", LESS_SAFE, "all of its conditions"),
    (
        POLICY,
        "alertStrategy.notificationPrompts",
        ["OPENED", "CLOSED"],
        ["CLOSED"],
        LESS_SAFE,
        "nobody is told",
    ),
    (POLICY, "alertStrategy.notificationPrompts", None, ["CLOSED"], LESS_SAFE, "nobody is told"),
    (POLICY, "alertStrategy.notificationRateLimit.period", None, "300s", LESS_SAFE, "told later"),
    (
        *(POLICY, "alertStrategy.notificationChannelStrategies[0].renotifyInterval", "1800s", None),
        *(LESS_SAFE, "told later"),
    ),
    (
        *(POLICY, "alertStrategy.notificationChannelStrategies[0].notificationChannelNames", ["a"], None),
        *(LESS_SAFE, "reminded of nothing"),
    ),
    (
        POLICY,
        "conditions",
        [_named(), _named("b")],
        [_named()],
        LESS_SAFE,
        "looks at `b`",
    ),
    (CHANNEL, "enabled", None, False, LESS_SAFE, "nobody is told"),
    (CHANNEL, "forceDelete", False, True, LESS_SAFE, "off every policy"),
    (CHANNEL, "labels", {"email_address": "a"}, None, LESS_SAFE, "somebody else"),
    (METRIC, "disabled", None, True, LESS_SAFE, "nobody is told"),
]
BOTH_WAYS: list[tuple[str, str, object, object]] = [
    *(
        (METRIC, f"metricDescriptor.{path}", "a", "b")
        for path in ("labels[0].key", "labels[0].valueType", "metricKind", "unit", "valueType")
    ),
    (CHANNEL, "labels", {"email_address": "a"}, {"email_address": "b"}),
    (CHANNEL, "type", "email", "slack"),
    *((METRIC, path, "a", "b") for path in ("filter", "valueExtractor", "bucketName", "name")),
    (METRIC, "labelExtractors", {"a": "b"}, {"a": "c"}),
]


def test_each_line_is_tried() -> None:
    """A line of the tables that no case above changes is a line that could be wrong."""
    assert untried(alerting.TABLES, [*ONE_WAY, *BOTH_WAYS]) == []


@pytest.mark.parametrize("case", ONE_WAY, ids=lambda case: f"{case[0].rpartition(':')[2]}.{case[1]}")
def test_one_direction_is_told(case: tuple[str, str, object, object, Severity, str]) -> None:
    """The change is told by what it does, and its way back is harmless."""
    check(case)


@pytest.mark.parametrize(("kind", "path", "old", "new"), BOTH_WAYS)
def test_both_directions_are_told(kind: str, path: str, old: object, new: object) -> None:
    """What looks at something else, or tells somebody else, is less safe either way."""
    assert told_of(kind, path, old, new).severity == LESS_SAFE
    assert told_of(kind, path, new, old).severity == LESS_SAFE


@pytest.mark.parametrize(
    ("kind", "path", "old", "new"),
    [
        (POLICY, "conditions", [_named()], [_named("b"), _named()]),
        (POLICY, "documentation.content", "a", None),
        (POLICY, "alertStrategy.autoClose", "1800s", "86400s"),
        (METRIC, "bucketOptions.explicitBuckets.bounds", [1], [1, 2]),
        (CHANNEL, "sensitiveLabels.authToken", "a", "b"),
    ],
)
def test_more_is_harmless(kind: str, path: str, old: object, new: object) -> None:
    """A further subscription that is watched, a lower threshold, another text are no loss."""
    assert told_of(kind, path, old, new) == HARMLESS


@pytest.mark.parametrize("path", ["conditions", "notificationChannels", "enabled"])
def test_what_only_the_update_can_tell_is_told(path: str) -> None:
    """Nobody can say that it is harmless."""
    assert told_of(POLICY, path, ["a"], LATER).severity == LESS_SAFE


@pytest.mark.parametrize(("kind", "old", "new", "words"), LESS)
def test_a_condition_that_tells_less_is_told(
    kind: str, old: dict[str, object], new: dict[str, object], words: str
) -> None:
    """Later, at a higher value, of fewer: once for a policy; the way back is harmless."""
    before, after = ([_named("b"), {"displayName": "a", kind: each}] for each in (old, new))
    notes = judge(changed(POLICY, "conditions", before, after[::-1])).notes

    assert [each.effect.severity for each in notes] == [LESS_SAFE]
    assert words in notes[0].effect.what
    assert told_of(POLICY, "conditions", after, before) == HARMLESS


@pytest.mark.parametrize(("kind", "name", "old", "new"), OTHER)
def test_a_condition_that_looks_at_something_else_is_told(
    kind: str, name: str, old: object, new: object
) -> None:
    """Nobody can say that it still sees what it saw, whichever direction; of another kind neither."""
    before, after = ([{"displayName": "a", kind: {name: each}}] for each in (old, new))
    of_another_kind = [{"displayName": "a", "conditionX": {}}]

    assert "something else" in told_of(POLICY, "conditions", before, after).what
    assert "something else" in told_of(POLICY, "conditions", after, before).what
    assert "something else" in told_of(POLICY, "conditions", before, of_another_kind).what


@pytest.mark.parametrize(
    ("kind", "old", "new"),
    [
        (THRESHOLD, {"filter": f'{FILTER}"a"'}, {"filter": f'{FILTER}one_of("a", "b")'}),
        (PROMQL, {"query": QUERY % ("a", 60)}, {"query": QUERY % ("a|b", 30)}),
        (PROMQL, {"query": "a", "disableMetricValidation": True}, {"query": "a"}),
    ],
)
def test_a_condition_that_sees_more_is_harmless(
    kind: str, old: dict[str, object], new: dict[str, object]
) -> None:
    """A further subscription that is watched, or a lower threshold."""
    before, after = ([{"displayName": "a", kind: each}] for each in (old, new))

    assert told_of(POLICY, "conditions", before, after) == HARMLESS
