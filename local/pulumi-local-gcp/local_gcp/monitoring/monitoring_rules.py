"""The limits of Cloud Monitoring and of Cloud Logging's metrics: https://cloud.google.com/monitoring/quotas.

Filters and PromQL are checked against the metric types in use, see `metrics.py`.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from local_gcp.monitoring import log_filter, promql, time_series
from local_gcp.monitoring.metrics import RESOURCES, Metric
from local_gcp.resource.field import IMMUTABLE, Choice, Field, Seconds, Text, Whole
from local_gcp.resource.properties import Properties, is_known
from local_gcp.resource.table import Limits

_DAY_SECONDS: Final = 86_400
_ON_SERIES: Final = ("conditionThreshold", "conditionAbsent")
_PROMQL: Final = "conditionPrometheusQueryLanguage"
# A policy whose filter does not name both never matches anything.
_FILTER: Final = Text(
    r'(?=.*\bresource\.type\s*=\s*"\w+")(?=.*\bmetric\.type\s*=\s*"[\w./-]+").{1,2048}',
    'a filter that names resource.type = "…" and metric.type = "…"',
)


def _conditions(inputs: Properties) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield each condition's path, kind and content."""
    for index, condition in enumerate(inputs.get("conditions", [])):
        if isinstance(condition, dict):
            for kind, inner in condition.items():
                if isinstance(inner, dict):
                    yield f"conditions[{index}].{kind}", kind, inner


def _periods_are_minutes(inputs: Properties) -> Iterator[tuple[str, str]]:
    for path, kind, inner in _conditions(inputs):
        if kind in _ON_SERIES and is_known(inner.get("duration")):
            seconds = float(str(inner["duration"])[:-1])
            if seconds % 60:
                yield f"{path}.duration", "must be a multiple of 60s"
            if kind == "conditionAbsent" and seconds < 120:  # noqa: PLR2004 # Google's limit, in the message
                yield f"{path}.duration", "must be at least 120s"
        interval = inner.get("evaluationInterval", "30s")
        if kind == _PROMQL and is_known(interval) and float(str(interval)[:-1]) % 30:
            yield f"{path}.evaluationInterval", "must be a multiple of 30s"


def _rate_limit_is_for_logs(inputs: Properties) -> Iterator[tuple[str, str]]:
    conditions = [each for each in inputs.get("conditions", []) if isinstance(each, dict)]
    is_of_logs = any("conditionMatchedLog" in each for each in conditions)
    strategy = inputs.get("alertStrategy", {})
    if isinstance(strategy, dict) and ("notificationRateLimit" in strategy) != is_of_logs:
        yield "alertStrategy.notificationRateLimit", "is for conditions on logs, which must have it"


def metric_problems(
    inputs: Properties, logged: Mapping[str, Metric] | None = None
) -> Iterator[tuple[str, str]]:
    """Yield each problem with the metrics of a policy's conditions: its path and its reason.

    Args:
        inputs: The policy's inputs.
        logged: The known metrics made of logs, by type; None if they cannot be known yet.
    """
    for path, kind, inner in _conditions(inputs):
        if not is_known(inner):
            continue
        if kind in _ON_SERIES:
            for aggregation in inner.get("aggregations") or (None,):
                for reason in time_series.problems(inner["filter"], aggregation, logged):
                    yield f"{path}.filter", reason
        elif kind == _PROMQL and not (logged is not None and inner.get("disableMetricValidation")):
            for reason in promql.problems(inner["query"], logged):
                yield f"{path}.query", reason


ALERT_POLICY: Final = Limits(
    "gcp:monitoring/alertPolicy:AlertPolicy",
    {
        "project": IMMUTABLE,
        "displayName": Text(r".{1,512}", "1 to 512 characters", required=True),
        "combiner": Choice("AND", "OR", "AND_WITH_MATCHING_RESOURCE", required=True),
        "severity": Choice("CRITICAL", "ERROR", "WARNING"),
        "enabled": Field(default=True),
        "conditions[].displayName": Text(r".{1,512}", "1 to 512 characters", required=True),
        "conditions[].conditionThreshold.filter": _FILTER,
        # The documentation lists six; the service takes two.
        "conditions[].conditionThreshold.comparison": Choice("COMPARISON_GT", "COMPARISON_LT", required=True),
        "conditions[].conditionThreshold.duration": Seconds(0, _DAY_SECONDS, required=True),
        "conditions[].conditionAbsent.filter": _FILTER,
        "conditions[].conditionAbsent.duration": Seconds(0, _DAY_SECONDS, required=True),
        "conditions[].conditionPrometheusQueryLanguage.query": Field(required=True),
        "conditions[].conditionPrometheusQueryLanguage.duration": Seconds(0, _DAY_SECONDS),
        "conditions[].conditionPrometheusQueryLanguage.evaluationInterval": Seconds(30, _DAY_SECONDS),
        "documentation.content": Text(r".{0,8192}", "at most 8,192 characters"),
        "documentation.mimeType": Choice("text/markdown", default="text/markdown"),
        "alertStrategy.autoClose": Seconds(1800, 7 * _DAY_SECONDS),
    },
    rules=(_periods_are_minutes, _rate_limit_is_for_logs, metric_problems),
    name="displayName",
)
NOTIFICATION_CHANNEL: Final = Limits(
    "gcp:monitoring/notificationChannel:NotificationChannel",
    {
        "project": IMMUTABLE,
        "type": Text(r"\w+", "a kind of channel, as in email", required=True),
        "enabled": Field(default=True),
        "forceDelete": Field(default=False),
    },
    name="displayName",
)


def _is_canonical(inputs: Properties) -> Iterator[tuple[str, str]]:
    if not is_known(inputs.get("dashboardJson")):
        return
    try:
        content = json.loads(inputs["dashboardJson"])
    except ValueError as error:
        yield "dashboardJson", f"is not JSON: {error}"
        return
    if "displayName" not in content:
        yield "dashboardJson", "must have a displayName"
    # The service drops these when it returns the dashboard, so that each preview would show a difference.
    if re.search(r'[:\[,]\s*(\[\]|\{\}|"")', inputs["dashboardJson"]):
        yield "dashboardJson", "has empty values, which the service does not give back"


def _shows_known_metrics(inputs: Properties) -> Iterator[tuple[str, str]]:
    if not is_known(inputs.get("dashboardJson")):
        return
    try:
        content = json.loads(inputs["dashboardJson"])
    except ValueError:
        return  # reported by `_is_canonical`
    for query in _queries(content):
        if "prometheusQuery" in query:
            reasons = promql.problems(query["prometheusQuery"])
        else:
            of_series = query.get("timeSeriesFilter", {})
            reasons = time_series.problems(of_series.get("filter", ""), of_series.get("aggregation"))
        for reason in reasons:
            yield "dashboardJson", reason


def _queries(content: Any) -> Iterator[Mapping[str, Any]]:
    """Yield each query of a dashboard, at any depth."""
    if isinstance(content, dict):
        if "timeSeriesQuery" in content:
            yield content["timeSeriesQuery"]
        for inner in content.values():
            yield from _queries(inner)
    elif isinstance(content, list):
        for inner in content:
            yield from _queries(inner)


DASHBOARD: Final = Limits(
    "gcp:monitoring/dashboard:Dashboard",
    {"project": IMMUTABLE, "dashboardJson": Field(required=True)},
    rules=(_is_canonical, _shows_known_metrics),
    name="dashboardJson",
)


def _reads_what_is_logged(inputs: Properties) -> Iterator[tuple[str, str]]:
    if not is_known(inputs):
        return
    try:
        wanted = log_filter.LogFilter.parse(inputs["filter"])
    except ValueError as error:
        yield "filter", str(error)
        return
    resource = wanted.value_of("resource.type")
    for name in wanted.names:
        label = name.removeprefix("resource.labels.")
        if label != name and label not in RESOURCES.get(resource, ()):
            yield (
                "filter",
                f"{name} is not a label of the resource {resource!r}: see local_gcp/monitoring/metrics.py",
            )
    is_distribution = inputs["metricDescriptor"]["valueType"] == "DISTRIBUTION"
    if is_distribution != ("valueExtractor" in inputs):
        yield "valueExtractor", "is for distributions, which must have it"


METRIC: Final = Limits(
    "gcp:logging/metric:Metric",
    {
        "project": IMMUTABLE,
        "name": Text(r"[A-Za-z0-9_.,+!*',()%/-]{1,100}", "1 to 100 letters, digits and _-.,+!*'()%/"),
        "filter": Text(r".{1,20000}", "1 to 20,000 characters", required=True),
        "metricDescriptor.metricKind": Choice("DELTA", "GAUGE", "CUMULATIVE", required=True),
        "metricDescriptor.valueType": Choice(
            "BOOL", "INT64", "DOUBLE", "STRING", "DISTRIBUTION", "MONEY", required=True
        ),
        "metricDescriptor.labels[].key": IMMUTABLE,
        "metricDescriptor.labels[].valueType": Field(immutable=True, default="STRING"),
        "metricDescriptor.unit": Field(default="1"),
        "valueExtractor": Text(r"EXTRACT\([\w.]+\)", "a field, as in EXTRACT(jsonPayload.seconds)"),
        "bucketOptions.exponentialBuckets.numFiniteBuckets": Whole(1, 200),
    },
    rules=(_reads_what_is_logged,),
)
