"""Cloud Monitoring and the metrics of Cloud Logging. Limits: https://cloud.google.com/monitoring/quotas."""

import json
import re
from collections.abc import Iterator
from typing import Final

from local.limits.field import IMMUTABLE, Choice, Field, Seconds, Text, Whole
from local.limits.table import Limits
from local.properties import Properties, is_known

_DAY_SECONDS: Final = 86_400
# A policy whose filter does not name both never matches anything.
_FILTER: Final = Text(
    r'(?=.*\bresource\.type\s*=\s*"\w+")(?=.*\bmetric\.type\s*=\s*"[\w./-]+").{1,2048}',
    'a filter that names resource.type = "…" and metric.type = "…"',
)


def _periods_are_minutes(inputs: Properties) -> Iterator[tuple[str, str]]:
    for index, condition in enumerate(inputs.get("conditions", [])):
        if not isinstance(condition, dict):
            continue
        for kind in ("conditionThreshold", "conditionAbsent"):
            inner = condition.get(kind)
            if isinstance(inner, dict) and is_known(inner.get("duration")):
                seconds = float(str(inner["duration"])[:-1])
                if seconds % 60:
                    yield f"conditions[{index}].{kind}.duration", "must be a multiple of 60s"
                if kind == "conditionAbsent" and seconds < 120:  # noqa: PLR2004 # Google's limit, in the message
                    yield f"conditions[{index}].{kind}.duration", "must be at least 120s"


def _rate_limit_is_for_logs(inputs: Properties) -> Iterator[tuple[str, str]]:
    conditions = [each for each in inputs.get("conditions", []) if isinstance(each, dict)]
    is_of_logs = any("conditionMatchedLog" in each for each in conditions)
    strategy = inputs.get("alertStrategy", {})
    if isinstance(strategy, dict) and ("notificationRateLimit" in strategy) != is_of_logs:
        yield "alertStrategy.notificationRateLimit", "is for conditions on logs, which must have it"


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
        "documentation.content": Text(r".{0,8192}", "at most 8,192 characters"),
        "documentation.mimeType": Choice("text/markdown", default="text/markdown"),
        "alertStrategy.autoClose": Seconds(1800, 7 * _DAY_SECONDS),
    },
    rules=(_periods_are_minutes, _rate_limit_is_for_logs),
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
        yield "dashboardJson", f"is no JSON: {error}"
        return
    if "displayName" not in content:
        yield "dashboardJson", "must have a displayName"
    # The service leaves these out when it gives the dashboard back, which would be a change in each preview.
    if re.search(r'[:\[,]\s*(\[\]|\{\}|"")', inputs["dashboardJson"]):
        yield "dashboardJson", "has empty values, which the service does not give back"


DASHBOARD: Final = Limits(
    "gcp:monitoring/dashboard:Dashboard",
    {"project": IMMUTABLE, "dashboardJson": Field(required=True)},
    rules=(_is_canonical,),
    name="dashboardJson",
)
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
        "bucketOptions.exponentialBuckets.numFiniteBuckets": Whole(1, 200),
    },
)
