"""Filters and aggregations of time series: their selection, and Google's checks of them.

https://cloud.google.com/monitoring/api/v3/filters, and for aligners
https://cloud.google.com/monitoring/api/ref_v3/rest/v3/projects.alertPolicies#Aligner.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from local_gcp.monitoring.metrics import METRICS, RESOURCES, USER_PREFIX, Metric

_COMPARISON: Final = re.compile(
    r'\s*(?P<label>[a-z_]+(?:\.[a-z_]+)+)\s*(?P<operator>!?=)\s*(?:one_of\((?P<some>[^()]*)\)|(?P<one>"[^"]*"))'
)
_NUMBERS: Final = ("INT64", "DOUBLE")
# The metric kinds and value types that each aligner accepts, and its result type; empty for the same type.
_ALIGNERS: Final[Mapping[str, tuple[tuple[str, ...], tuple[str, ...], str]]] = {
    "ALIGN_DELTA": (("DELTA",), (*_NUMBERS, "DISTRIBUTION"), ""),
    "ALIGN_RATE": (("DELTA",), _NUMBERS, "DOUBLE"),
    "ALIGN_MIN": (("GAUGE", "DELTA"), _NUMBERS, ""),
    "ALIGN_MAX": (("GAUGE", "DELTA"), _NUMBERS, ""),
    "ALIGN_MEAN": (("GAUGE", "DELTA"), _NUMBERS, "DOUBLE"),
    "ALIGN_SUM": (("GAUGE", "DELTA"), (*_NUMBERS, "DISTRIBUTION"), ""),
    **{
        f"ALIGN_PERCENTILE_{percent}": (("GAUGE", "DELTA"), ("DISTRIBUTION",), "DOUBLE")
        for percent in ("05", "50", "95", "99")
    },
}
_REDUCERS: Final = ("REDUCE_NONE", "REDUCE_MEAN", "REDUCE_MIN", "REDUCE_MAX", "REDUCE_SUM")


@dataclass(frozen=True, slots=True)
class Comparison:
    """A label and the values that it may have, or must not have.

    Attributes:
        label: As in `resource.labels.topic_id`, `metric.labels.state`, `resource.type` or `metric.type`.
        values: The values.
        is_negated: Whether the values are excluded, instead of allowed.
    """

    label: str
    values: tuple[str, ...]
    is_negated: bool = False

    def holds(self, value: str) -> bool:
        """Tell whether the label may have a value."""
        return (value in self.values) != self.is_negated


@dataclass(frozen=True, slots=True)
class SeriesFilter:
    """A filter of time series, which must match all comparisons.

    Attributes:
        comparisons: The comparisons of labels, including those of resource and metric type.
    """

    comparisons: tuple[Comparison, ...]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse a filter.

        Raises:
            ValueError: The filter is more than comparisons of labels with texts, joined by AND.
        """
        comparisons = []
        rest = text
        while True:
            match = _COMPARISON.match(rest)
            if match is None:
                raise ValueError(f'cannot read {rest!r}: use LABEL = "…" or one_of(…), joined by AND')
            values = tuple(re.findall(r'"([^"]*)"', match["some"] or match["one"]))
            label = re.sub(r"\.label\.", ".labels.", match["label"])
            comparisons.append(Comparison(label, values, match["operator"] == "!="))
            rest = rest[match.end() :]
            if not rest.strip():
                return cls(tuple(comparisons))
            rest, joined = re.subn(r"^\s+AND\s", " ", rest)
            if not joined:
                raise ValueError(f'cannot read {rest!r}: use LABEL = "…" or one_of(…), joined by AND')

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Tell whether the filter selects a time series with these labels, named as in the comparisons."""
        return all(each.label in labels and each.holds(labels[each.label]) for each in self.comparisons)

    def only(self, label: str) -> str:
        """Return the only value that a label may have; empty if there is none or more than one."""
        found = [each for each in self.comparisons if each.label == label and not each.is_negated]
        return found[0].values[0] if len(found) == 1 and len(found[0].values) == 1 else ""


def problems(
    filter_text: str,
    aggregation: Mapping[str, Any] | None,
    logged: Mapping[str, Metric] | None = None,
) -> Iterator[str]:
    """Yield each problem of a query: Google rejects it, or it can never match.

    Args:
        filter_text: The filter.
        aggregation: `perSeriesAligner`, `crossSeriesReducer` and `groupByFields`; None for none.
        logged: The known metrics made of logs, by type; None if they cannot be known yet.
    """
    try:
        parsed = SeriesFilter.parse(filter_text)
    except ValueError as error:
        yield str(error)
        return
    name, resource = parsed.only("metric.type"), parsed.only("resource.type")
    if name.startswith(USER_PREFIX) and logged is None:
        return
    metric = {**METRICS, **(logged or {})}.get(name)
    if metric is None:
        yield unknown(name)
        return
    if resource not in metric.resources:
        yield f"the metric {name} is not written for {resource}, but for {', '.join(metric.resources)}"
        return
    for each in parsed.comparisons:
        if each.label not in {"metric.type", "resource.type"}:
            yield from label_problems(metric, resource, each.label, each.values)
    if aggregation:
        yield from _aggregation_problems(metric, resource, aggregation)


def unknown(name: str) -> str:
    """Return Google's message about an unknown metric."""
    reason = f'Cannot find metric(s) that match type = "{name}"'
    if re.match(re.sub(r"\W", r"[\\W_]", USER_PREFIX), name):  # PromQL uses other separators
        return (
            f"{reason}. If a metric was created recently, it could take up to 10 minutes to become available"
        )
    return f"{reason}: local_gcp/monitoring/metrics.py has the known ones"


def label_problems(metric: Metric, resource: str, label: str, values: tuple[str, ...] = ()) -> Iterator[str]:
    """Yield each reason why a label, or a value of it, is on no time series of a metric."""
    whose, _, name = label.partition(".labels.")
    known = {"resource": RESOURCES[resource], "metric": tuple(metric.labels)}.get(whose, ())
    if name not in known:
        there = ", ".join(known) or "none"
        yield f"{label} is not one of its labels: the {whose} has {there}"
        return
    possible = metric.labels.get(name, ()) if whose == "metric" else ()
    for value in values:
        if possible and value not in possible:
            yield f"{label} is never {value}, but {', '.join(possible)}"


def _aggregation_problems(metric: Metric, resource: str, aggregation: Mapping[str, Any]) -> Iterator[str]:
    aligner = str(aggregation.get("perSeriesAligner", "ALIGN_NONE"))
    if aligner not in _ALIGNERS:
        yield f"the aligner is {aligner}, but must be one of {', '.join(_ALIGNERS)}"
        return
    kinds, values, result = _ALIGNERS[aligner]
    if metric.kind not in kinds or metric.value not in values:
        yield f"{aligner} cannot be applied to metrics of kind {metric.kind} and type {metric.value}"
    elif (result or metric.value) == "DISTRIBUTION":
        yield f"{aligner} returns a distribution, not a number: use a percentile"
    reducer = aggregation.get("crossSeriesReducer", "REDUCE_NONE")
    if reducer not in _REDUCERS:
        yield f"the reducer is {reducer}, but must be one of {', '.join(_REDUCERS)}"
    for label in aggregation.get("groupByFields", []):
        yield from label_problems(metric, resource, re.sub(r"\.label\.", ".labels.", label))
