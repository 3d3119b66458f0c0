"""Time series of Cloud Monitoring, named in one place for alerts and dashboard."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Time series of one metric.

    Attributes:
        resource: The monitored resource's type, as in `pubsub_subscription`.
        metric: The metric's type, as in `pubsub.googleapis.com/subscription/num_undelivered_messages`.
        where: Labels and the values allowed of each, as in `{"resource.labels.topic_id": ["a", "b"]}`; a
            value that begins with `!` is the only one that is not.
        aligner: How the points of a period become one, as in `ALIGN_MAX`.
        reducer: How series become one; empty to keep each.
        by: The labels that series stay apart by.
    """

    resource: str
    metric: str
    where: Mapping[str, Sequence[str]] = field(default_factory=dict)
    aligner: str = "ALIGN_MAX"
    reducer: str = ""
    by: tuple[str, ...] = ()

    @property
    def filter(self) -> str:
        """The filter, which always names the resource's type: one that does not fit never matches."""
        parts = [f'resource.type = "{self.resource}"', f'metric.type = "{self.metric}"']
        return " AND ".join(
            [*parts, *(_condition(label, values) for label, values in sorted(self.where.items()))]
        )

    def selector(self, suffix: str = "") -> str:
        """Return the selector of the time series in PromQL.

        The names are those of https://cloud.google.com/monitoring/promql/promql-mapping.

        Args:
            suffix: Of a distribution, `_bucket`, `_count` or `_sum`.
        """
        domain, _, path = self.metric.partition("/")
        name = ":".join(re.sub(r"\W", "_", part) for part in (domain, path))
        matchers = [f'monitored_resource="{self.resource}"']
        for label, values in sorted(self.where.items()):
            any_of = "|".join(re.sub(r"[^\w-]", r"[\g<0>]", value) for value in values)
            operator, value = _single(values[0]) if len(values) == 1 else ("=~", any_of)
            matchers.append(f'{label.rpartition(".")[2]}{operator}"{value}"')
        return f"{name}{suffix}{{{','.join(matchers)}}}"

    def aggregation(self, period_seconds: int) -> dict[str, Any]:
        """Return the aggregation as the SDK takes it."""
        whole: dict[str, Any] = {
            "alignment_period": f"{period_seconds}s",
            "per_series_aligner": self.aligner,
        }
        if self.reducer:
            whole["cross_series_reducer"] = self.reducer
        if self.by:
            whole["group_by_fields"] = list(self.by)
        return whole


def _condition(label: str, values: Sequence[str]) -> str:
    if len(values) == 1:
        operator, value = _single(values[0])
        return f'{label} {operator} "{value}"'
    return f"{label} = one_of({', '.join(f'{chr(34)}{value}{chr(34)}' for value in values)})"


def _single(value: str) -> tuple[str, str]:
    return ("!=", value[1:]) if value.startswith("!") else ("=", value)
