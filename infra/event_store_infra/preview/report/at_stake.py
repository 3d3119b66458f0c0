"""What is known of what a plan would take away: since when it stands, and how much it holds."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeAlias

from event_store_infra.preview.plan.plan import Plan, Step

# Returns a sentence in Markdown about what each of some steps finds there, by URN.
Ask: TypeAlias = Callable[[Sequence[Step]], Mapping[str, str]]


def facts(plan: Plan, steps: Iterable[Step], ask: Ask | None = None) -> Mapping[str, tuple[str, ...]]:
    """Return sentences in Markdown about what steps find there, by URN.

    Args:
        plan: The plan.
        steps: Those of its steps that take something away.
        ask: Who knows how much each holds; None to ask nobody.
    """
    # What was made for this plan has neither an age nor a content.
    if not plan.compared.is_old:
        return {}
    found = {each.urn: each for each in steps}
    held = ask(tuple(found.values())) if ask is not None and found else {}
    return {urn: tuple(filter(None, (_since(step), held.get(urn, "")))) for urn, step in found.items()}


def _since(step: Step) -> str:
    return f"it is in the stack since {step.created:%Y-%m-%d}" if step.created else ""
