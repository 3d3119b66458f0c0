"""One alert: its time series, its threshold and its section of the runbook."""

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

from pulumi_gcp import monitoring

from event_store.errors import ConfigurationError
from event_store_infra.components.monitoring.series import Series

RUNBOOK: Final = files("event_store_infra.components.monitoring") / "runbook.md"
_MINUTE_SECONDS: Final = 60
_EVALUATED_EVERY: Final = "60s"
_CLOSES_AFTER: Final = "86400s"  # an incident whose series has ended, as that of a deleted subscription


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """An alert.

    Attributes:
        name: Its name in the program.
        title: What people read first, and the heading of its section in the runbook.
        severity: CRITICAL, ERROR or WARNING.
        series: What is watched: time series, or an expression in PromQL, for metrics that are made of logs.
        above: The value that is too much if it is exceeded; None if the expression itself says so.
        minutes: For how long it must be; 0 for at once.
        period_minutes: Of how long a time one value of time series is made.
    """

    name: str
    title: str
    severity: str
    series: Series | str
    above: float | None
    minutes: int = 0
    period_minutes: int = 1

    @property
    def anchor(self) -> str:
        """The section's anchor, as in `runbook.md#dead-letters`."""
        return re.sub(r"[^a-z0-9 -]", "", self.title.lower()).replace(" ", "-")

    def condition(self) -> monitoring.AlertPolicyConditionArgs:
        """Return the condition of the policy."""
        return monitoring.AlertPolicyConditionArgs(
            display_name=self.title,
            **(
                {"condition_prometheus_query_language": self._of_expression(self.series)}
                if isinstance(self.series, str)
                else {"condition_threshold": self._of_series(self.series)}
            ),
        )

    def _of_series(self, series: Series) -> monitoring.AlertPolicyConditionConditionThresholdArgs:
        aggregation = series.aggregation(self.period_minutes * _MINUTE_SECONDS)
        return monitoring.AlertPolicyConditionConditionThresholdArgs(
            filter=series.filter,
            aggregations=[monitoring.AlertPolicyConditionConditionThresholdAggregationArgs(**aggregation)],
            comparison="COMPARISON_GT",
            threshold_value=self.above,
            duration=self._duration,
            trigger=monitoring.AlertPolicyConditionConditionThresholdTriggerArgs(count=1),
        )

    def _of_expression(
        self, expression: str
    ) -> monitoring.AlertPolicyConditionConditionPrometheusQueryLanguageArgs:
        return monitoring.AlertPolicyConditionConditionPrometheusQueryLanguageArgs(
            query=expression if self.above is None else f"{expression} > {self.above:g}",
            duration=self._duration,
            evaluation_interval=_EVALUATED_EVERY,
            # Google knows a new metric of logs after some minutes, too late for the update that makes both.
            disable_metric_validation=True,
        )

    @property
    def _duration(self) -> str:
        return f"{self.minutes * _MINUTE_SECONDS}s"

    def documentation(self, runbook_url: str) -> monitoring.AlertPolicyDocumentationArgs:
        """Return the text of a notification: the section of the runbook, and a link to it.

        Args:
            runbook_url: Where people read the runbook; empty for no link.
        """
        link = monitoring.AlertPolicyDocumentationLinkArgs(
            display_name="Runbook", url=f"{runbook_url}#{self.anchor}"
        )
        return monitoring.AlertPolicyDocumentationArgs(
            content=section(self.title),
            mime_type="text/markdown",
            subject=self.title,
            links=[link] if runbook_url else None,
        )

    @staticmethod
    def strategy() -> monitoring.AlertPolicyAlertStrategyArgs:
        """Return the rules by which incidents close."""
        return monitoring.AlertPolicyAlertStrategyArgs(
            auto_close=_CLOSES_AFTER, notification_prompts=["OPENED", "CLOSED"]
        )


def section(title: str) -> str:
    """Return the text of the runbook's section of a title.

    Raises:
        ConfigurationError: There is none.
    """
    found = re.search(rf"^## {re.escape(title)}\n+(.*?)(?=^#|\Z)", _runbook(), re.MULTILINE | re.DOTALL)
    if found is None:
        raise ConfigurationError(f"{RUNBOOK} has no section `## {title}`: write what to do about that alert")
    return found[1].strip()


@cache
def _runbook() -> str:
    return RUNBOOK.read_text(encoding="utf-8")
