"""What the guard says of one changed property."""

from event_store_infra.preview.effects.effect import Effect, Severity
from event_store_infra.preview.judging.guard import judge
from event_store_infra.preview.plan.plan import UNKNOWN
from event_store_infra.preview.report.summary import render
from tests.event_store_infra.preview.effects.changed import changed

# A property, its value as it is and as it would be, how bad that is, and words that say so.
Case = tuple[str, object, object, Severity, str]
HARMLESS, LESS_SAFE, STOPS, CUTS_OFF, LOSES = Severity
LATER = UNKNOWN
_VERBS = {LESS_SAFE: "is less safe:", STOPS: "stops", CUTS_OFF: "cuts off", LOSES: "loses"}


def effects(kind: str, path: str, old: object, new: object) -> list[Effect]:
    """Return all that the guard says of a change, the worst first."""
    verdict = judge(changed(kind, path, old, new))
    told = [each.effect for finding in verdict.findings for each in finding.told]
    return sorted(
        [*told, *(note.effect for note in verdict.notes)], key=lambda each: each.severity, reverse=True
    )


def must_say(kind: str, case: Case) -> None:
    """Assert that the guard says one thing of a change: as bad, in these words, with a source."""
    path, old, new, severity, words = case
    plan = changed(kind, path, old, new)
    verdict = judge(plan)
    found = effects(kind, path, old, new)

    assert [each.severity for each in found] == [severity], found
    assert words in found[0].what
    assert f"{_VERBS[severity]} {found[0].what}" in render("prod", plan, verdict)
    assert verdict.passes is (severity < CUTS_OFF)
    assert found[0].source.startswith("https://")


def must_say_nothing(kind: str, path: str, old: object, new: object) -> None:
    """Assert that a change is harmless."""
    assert effects(kind, path, old, new) == []
