"""The worst that the guard tells of one changed property."""

from collections.abc import Mapping, Sequence
from typing import Any

from event_store_infra.preview.effects.effect import HARMLESS, Effect, Effects, Severity
from event_store_infra.preview.effects.rules import harmless
from event_store_infra.preview.judging.guard import judge
from event_store_infra.preview.plan.paths import parsed, pattern
from event_store_infra.preview.plan.plan import Plan
from tests.event_store_infra.preview.effects.changed import changed

_HARMLESS = harmless("any")


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


def check_both(case: tuple[str, str, object, object, Severity, Severity, str]) -> None:
    """Check that a change has an effect, and its way back another.

    Args:
        case: The type, the property, its two values, both severities, and words of the first effect.
    """
    kind, path, old, new, there, back, words = case

    assert (told_of(kind, path, old, new).severity, told_of(kind, path, new, old).severity) == (there, back)
    assert words in told_of(kind, path, old, new).what
    assert told_of(kind, path, new, old).source


def untried(tables: Mapping[str, Effects], cases: Sequence[tuple[Any, ...]]) -> list[tuple[str, str]]:
    """Return the lines of tables that are not harmless, and that no case changes.

    Args:
        tables: The tables of a product.
        cases: Each begins with a type and a property.
    """
    tried = {(kind, pattern(parsed(path))) for kind, path, *_ in cases}
    lines = {
        (kind, path)
        for kind, table in tables.items()
        for path, rule in (*table.properties.items(), *table.blocks.items())
        if rule not in _HARMLESS.values()
    }
    return sorted(lines - tried)
