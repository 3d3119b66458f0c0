"""The worst that the guard tells of one changed property."""

from infra.preview.effects.effect import HARMLESS, Effect, Severity
from infra.preview.guard import judge
from infra.preview.plan import Plan
from tests.preview.effects.changed import changed


def worst_of(plan: Plan) -> Effect:
    """Return the worst effect of a plan, refused or noted; a harmless one if there is none."""
    verdict = judge(plan)
    told = [*(each.effect for each in verdict.findings), *(each.effect for each in verdict.notes)]
    return max(told, key=lambda effect: effect.severity, default=HARMLESS)


def told_of(kind: str, path: str, old: object, new: object, **others: object) -> Effect:
    """Return the worst effect of one changed property; see `changed`."""
    return worst_of(changed(kind, path, old, new, **others))


def check(case: tuple[str, str, object, object, Severity, str]) -> None:
    """Check that a change has an effect, and that the way back is harmless.

    Args:
        case: The type, the property, its two values, the effect's severity, and words of it.
    """
    kind, path, old, new, severity, words = case
    there, back = told_of(kind, path, old, new), told_of(kind, path, new, old)

    assert (there.severity, back.severity) == (severity, Severity.HARMLESS), (there, back)
    assert words in there.what
    assert there.source
