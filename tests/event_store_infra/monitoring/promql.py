"""PromQL as far as the alerts use it, over time series of Cloud Monitoring.

A point of a DELTA metric is what came in its minute, so `increase` is their sum: nothing is extrapolated.
https://prometheus.io/docs/prometheus/latest/querying/functions, and for the names and labels
https://cloud.google.com/monitoring/promql/promql-mapping.
"""

import math
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from promql_parser import (
    AggregateExpr,
    BinaryExpr,
    Call,
    Expr,
    MatchOp,
    MatrixSelector,
    NumberLiteral,
    parse,
)

from local_gcp.monitoring.promql import BOUND, RESOURCE, promql_name
from tests.event_store_infra.monitoring.series import TimeSeries

__all__ = ["evaluate", "parse"]

Labels = frozenset[tuple[str, str]]
Vector = dict[Labels, float]


def evaluate(expression: Expr, series: Sequence[TimeSeries], minute: int) -> Vector:
    """Return the value of an expression for each set of labels.

    Raises:
        NotImplementedError: It uses a part of PromQL that no alert has needed yet.
    """
    match expression:
        case AggregateExpr() if str(expression.op) == "sum":
            return _sum(evaluate(expression.expr, series, minute), expression.modifier)
        case BinaryExpr() if str(expression.op) == ">" and isinstance(expression.rhs, NumberLiteral):
            left = evaluate(expression.lhs, series, minute)
            return {labels: value for labels, value in left.items() if value > expression.rhs.val}
        case BinaryExpr() if str(expression.op) == "unless":
            left, right = (evaluate(each, series, minute) for each in (expression.lhs, expression.rhs))
            return {labels: value for labels, value in left.items() if labels not in right}
        case Call() if expression.func.name == "histogram_quantile":
            share, buckets = expression.args
            assert isinstance(share, NumberLiteral)
            return _quantile(share.val, evaluate(buckets, series, minute))
        case Call() if expression.func.name == "increase":
            (selected,) = expression.args
            assert isinstance(selected, MatrixSelector)
            return _increase(selected, series, minute)
    raise NotImplementedError(f"teach tests/event_store_infra/monitoring/promql.py: {expression.prettify()}")


def _increase(selected: MatrixSelector, series: Sequence[TimeSeries], minute: int) -> Vector:
    window = range(minute - round(selected.range.total_seconds() / 60) + 1, minute + 1)
    found: Vector = {}
    for labels, points in _selected(selected.vector_selector, series):
        values = [point for at, point in points.items() if at in window]
        if values:
            found[labels] = sum(values)
    return found


def _selected(selector: Any, series: Sequence[TimeSeries]) -> Iterator[tuple[Labels, Mapping[int, float]]]:
    for each in series:
        if not selector.name.startswith(promql_name(each.metric)):
            continue
        for name, labels, points in _exposed(each):
            if name == selector.name and all(
                _fits(matcher, labels.get(matcher.name, "")) for matcher in selector.matchers.matchers
            ):
                yield frozenset(labels.items()), points


@lru_cache(maxsize=1024)
def _exposed(series: TimeSeries) -> tuple[tuple[str, dict[str, str], Mapping[int, float]], ...]:
    """Return what PromQL sees of a time series: of a distribution its buckets, its sum and its count."""
    return tuple(_seen(series))


def _seen(series: TimeSeries) -> Iterator[tuple[str, dict[str, str], Mapping[int, float]]]:
    name = promql_name(series.metric)
    labels = {label.rpartition(".")[2]: value for label, value in series.labels.items()}
    labels |= {RESOURCE: series.resource}
    made_of = {minute: value for minute, value in series.points.items() if isinstance(value, tuple)}
    if not series.bounds:
        yield (
            name,
            labels,
            {at: value for at, value in series.points.items() if isinstance(value, int | float)},
        )
        return
    for bound in (*series.bounds, math.inf):
        counts = {at: float(sum(one <= bound for one in values)) for at, values in made_of.items()}
        yield f"{name}_bucket", {**labels, BOUND: repr(bound)}, counts
    yield f"{name}_count", labels, {at: float(len(values)) for at, values in made_of.items()}
    yield f"{name}_sum", labels, {at: sum(values) for at, values in made_of.items()}


def _fits(matcher: Any, value: str) -> bool:
    match matcher.op:
        case MatchOp.Equal:
            return bool(value == matcher.value)
        case MatchOp.Re:
            return re.fullmatch(matcher.value, value) is not None
    raise NotImplementedError(f"teach tests/event_store_infra/monitoring/promql.py: {matcher}")


def _sum(vector: Vector, modifier: Any) -> Vector:
    kept = {*modifier.labels} if modifier else set()
    sums: Vector = defaultdict(float)
    for labels, value in vector.items():
        sums[frozenset(each for each in labels if each[0] in kept)] += value
    return dict(sums)


def _quantile(share: float, vector: Vector) -> Vector:
    """Interpolate within the bucket that the share falls into, as Prometheus does."""
    histograms: dict[Labels, dict[float, float]] = defaultdict(dict)
    for labels, count in vector.items():
        others = frozenset(each for each in labels if each[0] != BOUND)
        histograms[others][float(dict(labels)[BOUND])] = count
    return {labels: _interpolated(share, counts) for labels, counts in histograms.items()}


def _interpolated(share: float, counts: Mapping[float, float]) -> float:
    bounds = sorted(counts)
    rank = share * counts[bounds[-1]]
    index = next(number for number, bound in enumerate(bounds) if counts[bound] >= rank)
    if math.isinf(bounds[index]):
        return bounds[index - 1]
    low, below = (bounds[index - 1], counts[bounds[index - 1]]) if index else (0.0, 0.0)
    within = counts[bounds[index]] - below
    return low + (bounds[index] - low) * ((rank - below) / within if within else 0.0)
