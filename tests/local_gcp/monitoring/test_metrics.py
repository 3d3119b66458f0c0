"""What an alert or a chart watches is a time series that Google writes, and whose metric it knows already."""

import json
from dataclasses import dataclass
from typing import Any, Final

import pytest

from local_gcp.monitoring import monitoring_rules as monitoring
from local_gcp.monitoring.monitoring import FRESH_SECONDS, AlertPolicyKind, LogMetricKind
from local_gcp.resource.errors import CloudError
from local_gcp.resource.kind import Draft
from local_gcp.resource.place import Place
from local_gcp.resource.records import Record, Records

PLACE: Final = Place("p-1", "europe-west1")
LAG: Final[dict[str, Any]] = {
    "name": "store/lag",
    "filter": 'resource.type = "cloud_run_revision" AND jsonPayload.lag >= 0',
    "valueExtractor": "EXTRACT(jsonPayload.lag)",
    "metricDescriptor": {"metricKind": "DELTA", "valueType": "DISTRIBUTION"},
}
ON_LAG = 'resource.type = "cloud_run_revision" AND metric.type = "logging.googleapis.com/user/store/lag"'
LAG_IN_PROMQL = 'logging_googleapis_com:user_store_lag_bucket{monitored_resource="cloud_run_revision"}'
SENT = 'resource.type = "pubsub_topic" AND metric.type = "pubsub.googleapis.com/topic/send_request_count"'
SIZES = "pubsub_googleapis_com:topic_message_sizes_count"
INSTANCES = "run_googleapis_com:container_instance_count"
KNOWN = "local_gcp/monitoring/metrics.py has the known ones"


def _policy(kind: str, **condition: Any) -> dict[str, Any]:
    return {
        "displayName": "Lag",
        "combiner": "OR",
        "conditions": [{"displayName": "Lag", kind: condition}],
    }


def _threshold(filter_: str, aligner: str = "ALIGN_SUM", by: str = "") -> dict[str, Any]:
    aggregation: dict[str, Any] = {"alignmentPeriod": "60s", "perSeriesAligner": aligner}
    if by:
        aggregation |= {"crossSeriesReducer": "REDUCE_SUM", "groupByFields": [by]}
    return _policy(
        "conditionThreshold",
        filter=filter_,
        comparison="COMPARISON_GT",
        duration="60s",
        aggregations=[aggregation],
    )


def _promql(query: str, *, unvalidated: bool = False) -> dict[str, Any]:
    return _policy("conditionPrometheusQueryLanguage", query=query, disableMetricValidation=unvalidated)


@pytest.mark.parametrize(
    ("policy", "reason"),
    [
        (_threshold(SENT.replace("send_request", "sent_request")), KNOWN),
        (_threshold(SENT.replace("pubsub_topic", "pubsub_subscription")), "not written for pubsub_subscr"),
        (_threshold(f'{SENT} AND resource.labels.topic = "words"'), "the resource has project_id, topic_id"),
        (_threshold(f'{SENT} AND metric.labels.result = "failed"'), "the metric has response_class"),
        (_threshold(f'{SENT} AND metric.labels.response_class = "error"'), "is never error, but success"),
        (_threshold(f'{SENT} OR metric.labels.response_class = "x"'), "cannot read"),
        (_threshold(SENT, by="resource.label.topic"), "the resource has project_id, topic_id"),
        (_threshold(SENT, aligner="ALIGN_PERCENTILE_99"), "cannot be applied to metrics of kind DELTA"),
        (_threshold(SENT, aligner="ALIGN_COUNT_TRUE"), "the aligner is ALIGN_COUNT_TRUE"),
        (
            _threshold(SENT.replace("send_request_count", "message_sizes"), aligner="ALIGN_DELTA"),
            "returns a distribution",
        ),
        (_promql("rate(pubsub_googleapis_com:topic_message_sizes[1m])"), KNOWN),
        (_promql(f"rate({SIZES}[1m]"), "invalid PromQL"),
        (_promql(f'rate({SIZES}{{topic="words"}}[1m])'), "the resource has project_id, topic_id"),
        (_promql(f"sum by (topic) (rate({SIZES}[1m]))"), "topic is not a label of any metric"),
        (_promql(INSTANCES), 'needs monitored_resource="…", one of cloud_run_revision'),
        (
            _promql(f'{INSTANCES}{{monitored_resource="cloud_run_revision",state="busy"}}'),
            "is never busy, but active, idle",
        ),
    ],
)
def test_a_condition_that_can_never_be_met_is_refused(policy: dict[str, Any], reason: str) -> None:
    """A metric, a resource, a label or a value that Google does not write makes an alert that never rings."""
    _, failures = monitoring.ALERT_POLICY.check(policy)

    assert len(failures) == 1
    assert reason in failures[0].reason


@pytest.mark.parametrize(
    "query",
    [
        {"timeSeriesFilter": {"filter": SENT.replace("send_request", "sent_request")}},
        {"prometheusQuery": "rate(pubsub_googleapis_com:topic_message_sizes[1m])"},
    ],
)
def test_a_chart_of_what_is_not_there_is_refused(query: dict[str, Any]) -> None:
    """It would stay empty, and nobody would know why."""
    chart = {"xyChart": {"dataSets": [{"timeSeriesQuery": query}]}}
    board = {"displayName": "Store", "mosaicLayout": {"tiles": [{"widget": chart}]}}

    (failure,) = monitoring.DASHBOARD.check({"dashboardJson": json.dumps(board)})[1]

    assert KNOWN in failure.reason


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"filter": "jsonPayload.lag"}, "cannot read"),
        (
            {"filter": 'resource.type = "cloud_run_job" AND resource.labels.name = "a"'},
            "is not a label of the",
        ),
        ({"valueExtractor": "jsonPayload.lag"}, "EXTRACT(jsonPayload.seconds)"),
        ({"metricDescriptor": {"metricKind": "DELTA", "valueType": "INT64"}}, "is for distributions"),
    ],
)
def test_a_metric_that_no_line_of_a_log_makes_is_refused(change: dict[str, Any], reason: str) -> None:
    """It selects by fields and labels that there are, and takes its values from one."""
    (failure,) = monitoring.METRIC.check(LAG | change)[1]

    assert reason in failure.reason


@pytest.fixture
def now() -> list[float]:
    """The time, for a test to change."""
    return [0.0]


@dataclass(frozen=True, slots=True)
class Monitored:
    """A project with a metric of logs, and its alert policies."""

    records: Records
    metrics: LogMetricKind
    policies: AlertPolicyKind

    async def alert(self, policy: dict[str, Any]) -> None:
        """Make a policy, and make it again with a change."""
        for inputs in (policy, policy | {"severity": "ERROR"}):
            await self.policies.create(Draft(id="alert", inputs=inputs, place=PLACE))


@pytest.fixture
async def monitored(now: list[float]) -> Monitored:
    """A project in which a metric of logs was made just now."""
    records, metrics = Records(None), LogMetricKind(lambda: now[0])
    outputs = await metrics.create(Draft(id=LAG["name"], inputs=LAG, place=PLACE))
    record = Record(type=monitoring.METRIC.type, id=LAG["name"], urn="urn:lag", inputs=LAG, outputs=outputs)
    records.put(record)
    return Monitored(records, metrics, AlertPolicyKind(records, metrics))


@pytest.mark.parametrize(
    "policy", [_threshold(ON_LAG, aligner="ALIGN_PERCENTILE_99"), _promql(f"{LAG_IN_PROMQL} > 1")]
)
async def test_a_new_metric_of_logs_is_unknown_to_alerts_for_a_while(
    monitored: Monitored, now: list[float], policy: dict[str, Any]
) -> None:
    """As with Google, a policy on it is refused for up to ten minutes, and made afterwards."""
    assert monitoring.ALERT_POLICY.check(policy)[1] == [], "a preview cannot know"
    now[0] = FRESH_SECONDS - 1
    with pytest.raises(CloudError, match=r"Error 404: .*Cannot find metric\(s\) that match type = .* 10 min"):
        await monitored.alert(policy)

    now[0] = FRESH_SECONDS
    await monitored.alert(policy)


async def test_a_metric_that_changes_stays_known(monitored: Monitored, now: list[float]) -> None:
    """Another filter or other buckets leave the policies on it alone."""
    now[0] = FRESH_SECONDS
    (metric,) = monitored.records
    changed = LAG | {"description": "The lag"}
    await monitored.metrics.update(metric, Draft(id=metric.id, inputs=changed, place=PLACE))

    await monitored.alert(_threshold(ON_LAG, aligner="ALIGN_PERCENTILE_99"))


async def test_promql_may_name_a_metric_that_is_not_known_yet(monitored: Monitored) -> None:
    """Google takes a condition on it in the same update, if it is told not to look for the metric."""
    await monitored.alert(_promql(f"{LAG_IN_PROMQL} > 1", unvalidated=True))


async def test_a_policy_on_a_known_metric_fits_its_kind(monitored: Monitored, now: list[float]) -> None:
    """The kind of a metric of logs, its values and its labels are those that its resource gave it."""
    now[0] = FRESH_SECONDS
    for policy, reason in (
        (_threshold(ON_LAG, aligner="ALIGN_MAX"), "of kind DELTA and type DISTRIBUTION"),
        (_threshold(ON_LAG.replace("revision", "job"), aligner="ALIGN_PERCENTILE_99"), "not written for"),
        (_promql(LAG_IN_PROMQL.replace("revision", "job")), "one of cloud_run_revision"),
    ):
        with pytest.raises(CloudError, match=reason):
            await monitored.alert(policy)
