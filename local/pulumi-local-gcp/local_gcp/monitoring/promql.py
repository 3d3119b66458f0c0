"""PromQL in conditions and charts: https://cloud.google.com/monitoring/promql/promql-mapping."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

import promql_parser
from promql_parser import AggregateExpr, Expr, VectorSelector

from local_gcp.monitoring.metrics import METRICS, RESOURCES, USER_PREFIX, Metric
from local_gcp.monitoring.time_series import label_problems, unknown

RESOURCE: Final = "monitored_resource"  # the label that holds the monitored resource's type
BOUND: Final = "le"  # the label of a distribution's bucket
_OF_DISTRIBUTION: Final = ("_bucket", "_count", "_sum")


def promql_name(metric_type: str) -> str:
    """Return a metric type's name in PromQL, without the suffix of a distribution."""
    domain, _, path = metric_type.partition("/")
    return ":".join(re.sub(r"\W", "_", part) for part in (domain, path))


def problems(expression: str, logged: Mapping[str, Metric] | None = None) -> Iterator[str]:
    """Yield each problem of an expression: Google rejects it, or it can never match.

    Args:
        expression: The expression.
        logged: The known metrics made of logs, by type; None if they cannot be known yet.
    """
    nodes: list[Expr] = []
    try:
        promql_parser.walk(promql_parser.parse(expression), nodes.append)
    except ValueError as error:
        yield f"invalid PromQL: {error}"
        return
    for node in nodes:
        if isinstance(node, VectorSelector):
            yield from _selector_problems(node, logged)
        elif isinstance(node, AggregateExpr) and node.modifier:
            known = {BOUND, RESOURCE, *(label for labels in RESOURCES.values() for label in labels)}
            known |= {label for metric in METRICS.values() for label in metric.labels}
            for label in {*node.modifier.labels} - known:
                yield f"{label} is not a label of any metric in local_gcp/monitoring/metrics.py"


def _selector_problems(selector: VectorSelector, logged: Mapping[str, Metric] | None) -> Iterator[str]:
    name = selector.name or ""
    if logged is None and name.startswith(promql_name(USER_PREFIX)):
        return
    metrics = {**METRICS, **(logged or {})}
    metric = {series: each for known, each in metrics.items() for series in series_names(known, each)}.get(
        name
    )
    if metric is None:
        yield unknown(name)
        return
    matchers = {each.name: each for each in selector.matchers.matchers}
    resource = matchers[RESOURCE].value if RESOURCE in matchers else metric.resources[0]
    if resource not in metric.resources or (RESOURCE not in matchers and len(metric.resources) > 1):
        yield f'{name} needs {RESOURCE}="…", one of {", ".join(metric.resources)}'
        return
    for label, matcher in matchers.items():
        if label != RESOURCE and not (label == BOUND and name.endswith("_bucket")):
            whose = "metric" if label in metric.labels else "resource"
            exact = (matcher.value,) if matcher.op == promql_parser.MatchOp.Equal else ()
            yield from label_problems(metric, resource, f"{whose}.labels.{label}", exact)


def series_names(metric_type: str, metric: Metric) -> list[str]:
    """Return the names of a metric's time series; a distribution has three."""
    suffixes = _OF_DISTRIBUTION if metric.value == "DISTRIBUTION" else ("",)
    return [promql_name(metric_type) + suffix for suffix in suffixes]
