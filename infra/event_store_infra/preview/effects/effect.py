"""What a change of a resource does to whoever depends on it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Final

from event_store_infra.preview.markdown import code
from event_store_infra.preview.plan.plan import KNOWN_LATER, Change, Step


class Severity(IntEnum):
    """How bad an effect is, from the least to the worst.

    One that is refused unless it is acknowledged, CUTS_OFF or LOSES, is one that no later update takes back.
    """

    HARMLESS = 0
    LESS_SAFE = 1  # nothing happens now, but less is in the way of a loss, or nobody is told of one
    STOPS = 2  # somebody, until an update takes it back
    CUTS_OFF = 3  # somebody, for good: what others gave to the old one, a new one does not get
    LOSES = 4  # data

    @property
    def is_refused(self) -> bool:
        """Tell whether no later update takes it back."""
        return self >= Severity.CUTS_OFF


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """One effect.

    Attributes:
        severity: How bad it is.
        what: What is lost, whom it stops or what is less safe, after "loses", "stops", "cuts off" or
            "less safe:"; empty if harmless.
        instead: What to do instead, a sentence; empty if the change is what one does.
        before: What to do before a deletion, a sentence; empty if only `instead` helps.
        source: The page that says so, or a sentence if no page does.
    """

    severity: Severity
    what: str = ""
    instead: str = ""
    before: str = ""
    source: str = ""


HARMLESS: Final = Effect(severity=Severity.HARMLESS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """The effect of one changed property.

    Attributes:
        change: The property.
        effect: What its change does; never harmless.
    """

    change: Change
    effect: Effect


# Of a value as it is and as it would be; None stands for unset.
Rule = Callable[[Any, Any], Effect]
# Of a list as it is and as it would be: returns for each item of the former what continues it, or None.
Align = Callable[[list[Any], list[Any]], list[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """What the changes of one type do.

    Attributes:
        gone: What its deletion or replacement does, of the step if it depends on that.
        properties: What a change of each property does, by its path, as in `settings.tier`. A path ends where
            the SDK names no further properties, such as at a mapping of labels, and has no indexes.
        blocks: More rules, each of a block or a list as a whole.
        aligned: By the path of a list whose items have no place of their own, what finds the item that
            continues each of them. One that is new harms nobody.
        also: Yields what an update does that shows only in several properties at once, as in an environment
            variable, whose name and value are two; None for nothing.
        rest: The rule of all other properties of what nobody depends on; None where each has to be named.
        made: What it does that one is made, or changed in any way, of the step if it depends on that.
    """

    gone: Effect | Callable[[Step], Effect]
    properties: Mapping[str, Rule]
    blocks: Mapping[str, Rule] = field(default_factory=dict)
    aligned: Mapping[str, Align] = field(default_factory=dict)
    also: Callable[[Step], Iterable[Told]] | None = None
    rest: Rule | None = None
    made: Effect | Callable[[Step], Effect] = HARMLESS

    def names(self, pattern: str) -> bool:
        """Tell whether the table names a property."""
        return pattern in self.properties

    def judges_whole(self, pattern: str) -> bool:
        """Tell whether a path is that of a block, or of a part of one, that has a rule as a whole."""
        inside, parents = f"{pattern}.", (f"{each}." for each in self.blocks)
        return any(map(inside.startswith, parents)) and any(
            each.startswith(inside) for each in self.properties
        )

    def aligns_within(self, pattern: str) -> bool:
        """Tell whether a path is that of a list whose items have no place of their own, or has one in it."""
        return any(f"{each}.".startswith(f"{pattern}.") for each in self.aligned)

    def rule_of(self, pattern: str) -> Rule | None:
        """Return the rule of a property; None if nobody has classified it."""
        return self.properties.get(pattern, self.rest)

    def of_its_end(self, step: Step) -> Effect:
        """Return what a step that deletes or replaces one does."""
        return self.gone if isinstance(self.gone, Effect) else self.gone(step)

    def of_its_making(self, step: Step) -> Effect:
        """Return what a step that makes one, or changes it in any way, does."""
        return self.made if isinstance(self.made, Effect) else self.made(step)


def loses(what: str, instead: str, source: str, before: str = "") -> Effect:
    """Return an effect that loses data."""
    return Effect(severity=Severity.LOSES, what=what, instead=instead, before=before, source=source)


def cuts_off(what: str, instead: str, source: str, before: str = "") -> Effect:
    """Return an effect that cuts somebody off for good."""
    return Effect(severity=Severity.CUTS_OFF, what=what, instead=instead, before=before, source=source)


def stops(what: str, source: str, instead: str = "") -> Effect:
    """Return an effect that stops somebody until an update takes it back."""
    return Effect(severity=Severity.STOPS, what=what, instead=instead, source=source)


def less_safe(what: str, source: str, instead: str = "") -> Effect:
    """Return an effect after which something is less safe than before."""
    return Effect(severity=Severity.LESS_SAFE, what=what, instead=instead, source=source)


def set_back(step: Step) -> str:
    """Return the advice to set back what makes a resource another one, a sentence; empty if nobody can."""
    forcing = [each for each in step.changes if each.replaces and each.old and each.new != KNOWN_LATER]
    back = " and ".join(f"{code(each.path)} back to {code(each.old)}" for each in forcing)
    return f"set {back}." if back else ""
