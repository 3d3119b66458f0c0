"""A plan, judged and written down: what every way to a preview ends with."""

import sys
from dataclasses import replace
from pathlib import Path

from event_store.errors import ConfigurationError
from event_store_infra.preview.effects.effect import Severity
from event_store_infra.preview.judging.guard import judge
from event_store_infra.preview.markdown import one_line
from event_store_infra.preview.plan.compared import Compared
from event_store_infra.preview.plan.plan import Plan
from event_store_infra.preview.report.at_stake import Ask, facts
from event_store_infra.preview.report.summary import render


def review(
    stack: str,
    text: str,
    summary: Path | None = None,
    *,
    compared: Compared | None = None,
    ask: Ask | None = None,
    expects_no_change: bool = False,
) -> None:
    """Judge a plan, and print the summary.

    Args:
        stack: The name of the stack.
        text: The plan, as `pulumi preview --json` prints it.
        summary: A file for the summary, too.
        compared: What the plan was compared with; None for no more than the plan itself tells.
        ask: Who knows how much stands at stake; None to ask nobody.
        expects_no_change: Whether any change is a failure.

    Raises:
        ConfigurationError: The plan would lose data that nobody has acknowledged, or has what Google refuses,
            or failed, or is none, or has a change that is not expected.
    """
    plan = Plan.parse(text)
    if compared is not None:
        plan = replace(plan, compared=compared.seen_in(plan.compared))
    try:
        verdict = judge(plan)
        known = facts(plan, (each.step for each in verdict.findings), ask)
        written = render(stack, plan, verdict, known)
    except (TypeError, ValueError, LookupError, AttributeError, RecursionError) as error:
        # An engine or a provider that prints what nobody has seen before: what is not judged does not pass.
        raise ConfigurationError(
            f"the preview guard cannot judge the plan of {stack} ({type(error).__name__}: "
            f"{one_line(str(error))}), so it is refused: report it with the plan"
        ) from error
    sys.stdout.write(written)
    if summary is not None:
        summary.write_text(written, encoding="utf-8")
    if verdict.errors:
        raise ConfigurationError(f"the preview of {stack} failed: it says why above")
    if verdict.refused:
        names = ", ".join(one_line(each.step.name) for each in verdict.refused)
        lost = any(each.effect.severity == Severity.LOSES for each in verdict.refused)
        why = "data would be lost with" if lost else "no later update would take back what goes with"
        raise ConfigurationError(f"the preview guard refuses {stack}: {why} {names}")
    if verdict.obstacles:
        names = ", ".join(sorted({one_line(each.step.name) for each in verdict.obstacles}))
        raise ConfigurationError(f"the preview guard refuses {stack}: Google would not change {names} so")
    if expects_no_change and plan.steps:
        raise ConfigurationError(f"{stack} has drifted from what the program declares, in what stands above")
