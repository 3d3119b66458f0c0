"""What the guard says of one changed property: all of it, and the worst."""

from collections.abc import Mapping, Sequence
from typing import Any

from event_store_infra.preview.effects.effect import HARMLESS, Effect, Effects, Severity
from event_store_infra.preview.effects.rules import harmless
from event_store_infra.preview.judging.guard import judge
from event_store_infra.preview.plan.paths import parsed, pattern
from event_store_infra.preview.plan.plan import UNKNOWN, Plan
from event_store_infra.preview.report.summary import render
from tests.event_store_infra.preview.effects.changed import changed

# A property, its value as it is and as it would be, how bad that is, and words that say so.
Case = tuple[str, object, object, Severity, str]
_, LESS_SAFE, STOPS, CUTS_OFF, LOSES = Severity
LATER = UNKNOWN
_VERBS = {LESS_SAFE: "is less safe:", STOPS: "stops", CUTS_OFF: "cuts off", LOSES: "loses"}
_HARMLESS = harmless("any")


def effects_of(plan: Plan) -> list[Effect]:
    """Return all that the guard says of a plan, the worst first."""
    verdict = judge(plan)
    told = [each.effect for finding in verdict.findings for each in finding.told]
    return sorted(
        [*told, *(note.effect for note in verdict.notes)], key=lambda each: each.severity, reverse=True
    )


def worst_of(plan: Plan) -> Effect:
    """Return the worst effect of a plan, refused or noted; a harmless one if there is none."""
    return next(iter(effects_of(plan)), HARMLESS)


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


def must_say(kind: str, case: Case) -> None:
    """Assert that the guard says one thing of a change: as bad, in these words, with a source."""
    path, old, new, severity, words = case
    plan = changed(kind, path, old, new)
    verdict = judge(plan)
    found = effects_of(plan)

    assert [each.severity for each in found] == [severity], found
    assert words in found[0].what
    assert f"{_VERBS[severity]} {found[0].what}" in render("prod", plan, verdict)
    assert verdict.passes is (severity < CUTS_OFF)
    assert found[0].source.startswith("https://")


def must_say_nothing(kind: str, path: str, old: object, new: object) -> None:
    """Assert that a change is harmless."""
    assert effects_of(changed(kind, path, old, new)) == []
