"""When a condition of an alert policy is met: https://cloud.google.com/monitoring/alerts/concepts-indepth.

Every minute the points of the alignment period before it become one value, time series are reduced, and what
is left is compared. An incident opens once that was so for the whole duration; a minute without a value ends
the wait.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from local_gcp.monitoring.time_series import SeriesFilter
from tests.event_store_infra.monitoring import promql
from tests.event_store_infra.monitoring.series import TimeSeries

_ALIGNERS: Final[Mapping[str, Callable[[Sequence[float]], float]]] = {
    "ALIGN_MAX": max,
    "ALIGN_SUM": sum,
}
_REDUCERS: Final[Mapping[str, Callable[[Sequence[float]], float]]] = {"REDUCE_MAX": max, "REDUCE_SUM": sum}


def rings(condition: Mapping[str, Any], series: Sequence[TimeSeries], minutes: int) -> list[int]:
    """Return the minutes in which an incident of a condition is open.

    Args:
        condition: As a plan has it.
        series: All that Google has written.
        minutes: How many to look at.
    """
    if "conditionPrometheusQueryLanguage" in condition:
        inner = condition["conditionPrometheusQueryLanguage"]
        expression = promql.parse(inner["query"])
        met = [bool(promql.evaluate(expression, series, minute)) for minute in range(minutes)]
    else:
        inner = condition["conditionThreshold"]
        assert inner["comparison"] == "COMPARISON_GT"
        wanted = SeriesFilter.parse(inner["filter"])
        selected = [each for each in series if wanted.matches(each.all_labels)]
        above = inner.get("thresholdValue", 0)
        (aggregation,) = inner["aggregations"]
        met = [
            any(value > above for value in _values(aggregation, selected, minute))
            for minute in range(minutes)
        ]
    wait = _minutes(inner["duration"])
    return [minute for minute in range(wait, minutes) if all(met[minute - wait : minute + 1])]


def _values(aggregation: Mapping[str, Any], series: Sequence[TimeSeries], minute: int) -> list[float]:
    """Return what is compared in a minute: a value for each group of time series, or for each of them."""
    window = range(minute - _minutes(aggregation["alignmentPeriod"]) + 1, minute + 1)
    align, reducer = _ALIGNERS[aggregation["perSeriesAligner"]], aggregation.get("crossSeriesReducer")
    fields = [name.replace(".label.", ".labels.") for name in aggregation.get("groupByFields", [])]
    groups: dict[tuple[str, ...], list[float]] = defaultdict(list)
    for each in series:
        points = [float(point) for at, point in each.points.items() if at in window]  # type: ignore[arg-type]
        if points:
            kept = fields if reducer else sorted(each.labels)
            groups[tuple(each.labels[name] for name in kept)].append(align(points))
    reduce = _REDUCERS[reducer] if reducer else max  # of one value each
    return [reduce(values) for values in groups.values()]


def _minutes(duration: str) -> int:
    seconds = int(duration.removesuffix("s"))
    assert seconds % 60 == 0
    return seconds // 60
