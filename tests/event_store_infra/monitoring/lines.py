"""What Cloud Logging makes of a container's lines: entries, counts of them, and the metrics of a stack."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Final

from local_gcp.monitoring.log_filter import LogFilter, field_of
from local_gcp.monitoring.metrics import METRICS, USER_PREFIX
from local_gcp.monitoring.monitoring import metric_of
from tests.event_store_infra.monitoring.series import StackSeries, TimeSeries, time_series

# Fields of a line that become an entry's own: https://cloud.google.com/logging/docs/structured-logging
_SPECIAL: Final = ("severity", "time", "logging.googleapis.com/trace", "logging.googleapis.com/spanId")
_COUNT: Final = "logging.googleapis.com/log_entry_count"
Lines = Mapping[int, Iterable[str]]  # by the minute


def entry_of(line: str, resource: Mapping[str, str]) -> dict[str, Any]:
    """Return the entry that Cloud Run's agent makes of a line of JSON on standard error."""
    content = json.loads(line)
    return {
        "resource": {
            "type": resource["type"],
            "labels": {name: value for name, value in resource.items() if name != "type"},
        },
        "severity": content.get("severity", "DEFAULT"),
        "jsonPayload": {name: value for name, value in content.items() if name not in _SPECIAL},
    }


def counted(
    lines: Lines, resource: Mapping[str, str], log: str = "run.googleapis.com/stderr"
) -> list[TimeSeries]:
    """Return how many entries of each severity came in each minute."""
    counts: dict[str, dict[int, float]] = defaultdict(lambda: defaultdict(float))
    for minute, each in lines.items():
        for line in each:
            counts[entry_of(line, resource)["severity"]][minute] += 1
    return [
        time_series(
            _COUNT, METRICS[_COUNT], resource, dict(points), labels={"log": log, "severity": severity}
        )
        for severity, points in counts.items()
    ]


def measured(lines: Lines, resource: Mapping[str, str], metric: Mapping[str, Any]) -> TimeSeries:
    """Return the series that a metric of logs, as a plan has it, makes of lines; it may be empty."""
    wanted = LogFilter.parse(metric["filter"])
    field = metric["valueExtractor"].removeprefix("EXTRACT(").removesuffix(")")
    points = {}
    for minute, each in lines.items():
        entries = [entry_of(line, resource) for line in each]
        if values := tuple(float(field_of(entry, field)) for entry in entries if wanted.matches(entry)):
            points[minute] = values
    buckets = metric["bucketOptions"]["exponentialBuckets"]
    bounds = tuple(
        buckets["scale"] * buckets["growthFactor"] ** number
        for number in range(buckets["numFiniteBuckets"] + 1)
    )
    return time_series(
        f"{USER_PREFIX}{metric['name']}", metric_of(dict(metric)), resource, points, labels={}, bounds=bounds
    )


def log(stack: StackSeries, lines: Lines, resource: Mapping[str, str]) -> None:
    """Let a container write lines, and nothing else from now on."""
    for state in stack.plan.values():
        if state["type"] == "gcp:logging/metric:Metric" and resource["type"] == "cloud_run_revision":
            stack.put(measured(lines, resource, state["inputs"]))
    for series in counted(lines, resource):
        stack.put(series)
