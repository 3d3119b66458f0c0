"""The worst that was found, in one line: what a summary is headed by."""

from collections.abc import Iterator, Sequence

from event_store_infra.preview.effects.effect import Severity
from event_store_infra.preview.judging.guard import Finding, Verdict
from event_store_infra.preview.plan.plan import Plan


def headline(plan: Plan, verdict: Verdict) -> str:
    """Return the worst that was found, and what the plan was compared with.

    A plan that was compared with nothing never reads as if nothing were lost.
    """
    if plan.compared.is_empty and verdict.passes and not verdict.findings:
        return str(plan.compared)
    return f"{next(_from_the_worst(plan, verdict))} ({plan.compared})"


def of_severity(findings: Sequence[Finding], severity: Severity) -> list[Finding]:
    """Return the findings of one severity."""
    return [each for each in findings if each.effect.severity == severity]


def _from_the_worst(plan: Plan, verdict: Verdict) -> Iterator[str]:
    if lost := of_severity(verdict.refused, Severity.LOSES):
        others = len(verdict.refused) - len(lost)
        more = f", {others} could not be taken back" if others else ""
        yield f"refused, {_changes(len(lost))}{_of_fewer(lost)} would lose data{more}"
    if verdict.refused:
        count = f"{_changes(len(verdict.refused))}{_of_fewer(verdict.refused)}"
        yield f"refused, {count} could not be taken back"
    if verdict.obstacles:
        yield f"refused, Google would not make {len(verdict.obstacles)} of its changes"
    if verdict.errors:
        yield "the preview failed"
    if of_severity(verdict.findings, Severity.LOSES):
        yield "loses data, as acknowledged"
    if verdict.findings:
        yield "cannot be taken back, as acknowledged"
    if stopped := verdict.noted(Severity.STOPS):
        more = f", and {len(stopped) - 1} more" if len(stopped) > 1 else ""
        yield f"loses no data, but stops {stopped[0].effect.what}{more}"
    if weakened := verdict.noted(Severity.LESS_SAFE):
        yield f"loses no data, but {_changes(len(weakened))} {'are' if len(weakened) > 1 else 'is'} less safe"
    yield "loses no data" if plan.steps else "no change"


def _changes(count: int) -> str:
    return f"{count} change{'s' * (count > 1)}"


def _of_fewer(findings: Sequence[Finding]) -> str:
    """Return how many resources changes are of, if fewer: each has one line that acknowledges it."""
    count = len({each.step.urn for each in findings})
    return f" of {count} resource{'s' * (count > 1)}" if count < len(findings) else ""
