"""Which direction of a change has an effect: shorter, fewer, off, away from a value, or any.

A value that only the update can tell (`LATER`) has the effect, whichever direction is meant.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from event_store_infra.preview.effects.effect import HARMLESS, Effect, Rule
from event_store_infra.preview.plan.paths import at as _at
from event_store_infra.preview.plan.paths import parsed
from event_store_infra.preview.plan.plan import UNKNOWN as LATER

_UNITS: Final = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


def harmless(*names: str, at: str = "") -> Mapping[str, Rule]:
    """Return the rules of properties whose change loses nothing, stops nobody and makes nothing less safe.

    Args:
        names: The properties.
        at: The block that they are in, as in `settings.backupConfiguration`.
    """
    return dict.fromkeys((f"{at}.{name}" if at else name for name in names), _nothing)


def same(rule: Rule, *names: str, at: str = "") -> Mapping[str, Rule]:
    """Return the rules of properties that have one in common.

    Args:
        rule: It.
        names: The properties.
        at: The block that they are in.
    """
    return dict.fromkeys((f"{at}.{name}" if at else name for name in names), rule)


def changes(effect: Effect) -> Rule:
    """Return a rule: any change has the effect."""
    return lambda _old, _new: effect


def falls(effect: Effect, unset: float | None = 0) -> Rule:
    """Return a rule: fewer or shorter has the effect.

    Args:
        effect: The effect.
        unset: What counts for no value, in the property's unit, or in seconds of a duration; None for
            without a limit.
    """
    return _when(effect, lambda old, new: _is_less(new, old, unset))


def rises(effect: Effect, unset: float | None = 0) -> Rule:
    """Return a rule: more or longer has the effect; `unset` is as for `falls`."""
    return _when(effect, lambda old, new: _is_less(old, new, unset))


def ends(effect: Effect, *, unset: bool = False) -> Rule:
    """Return a rule: to be switched off, or set to nothing, has the effect.

    Args:
        effect: The effect.
        unset: Whether it is on where nothing is said.
    """
    return _when(effect, lambda old, new: _is_on(old, on=unset) and not _is_on(new, on=unset))


def drops(effect: Effect) -> Rule:
    """Return a rule: to be set to nothing has the effect. What only the update can tell is something."""
    return lambda old, new: effect if _is_on(old, on=False) and not _is_on(new, on=False) else HARMLESS


def begins(effect: Effect, *, unset: bool = False) -> Rule:
    """Return a rule: to be switched on, or set to something, has the effect; `unset` is as for `ends`."""
    return _when(effect, lambda old, new: _is_on(new, on=unset) and not _is_on(old, on=unset))


def moves(effect: Effect, unset: object = None) -> Rule:
    """Return a rule: another value or none in place of one has the effect, the first one has not.

    Args:
        effect: The effect.
        unset: What counts for no value, where Google has a default.
    """
    return _when(effect, lambda old, new: bool(old or unset) and (old or unset) != (new or unset))


def arrives(effect: Effect) -> Rule:
    """Return a rule: any value but none has the effect, also one that looks the same, as a secret does."""
    return _when(effect, lambda _old, new: bool(new))


def becomes(effect: Effect, *values: object) -> Rule:
    """Return a rule: a change to one of these values has the effect; None among them stands for unset."""
    return _when(effect, lambda old, new: new in values and old != new)


def swaps(effect: Effect) -> Rule:
    """Return a rule: another value in place of one has the effect; neither the first one has, nor none."""
    return _when(effect, lambda old, new: bool(old) and bool(new) and old != new)


def parts_from(effect: Effect, *values: object) -> Rule:
    """Return a rule: a change from one of these values to none of them has the effect."""
    return _when(effect, lambda old, new: old in values and new not in values)


def towards(effect: Effect, *order: object, unset: object) -> Rule:
    """Return a rule: a change to a value further along an order has the effect.

    Args:
        effect: The effect.
        order: The values in order, as from the strictest to the most open one. A value that is not among them
            may stand anywhere, so a change to or from it has the effect.
        unset: The one of them that counts for no value.
    """

    def is_further(old: Any, new: Any) -> bool:
        places = [unset if each in (None, "") else each for each in (old, new)]
        if any(each not in order for each in places):
            return bool(places[0] != places[1])
        return order.index(places[1]) > order.index(places[0])

    return _when(effect, is_further)


def thins(effect: Effect) -> Rule:
    """Return a rule: a list or mapping that loses an item, or has another one in its place."""
    return _when(effect, _has_lost)


def widens(effect: Effect) -> Rule:
    """Return a rule: a list that gains an item has the effect; the first value of one has not."""
    return _when(effect, lambda old, new: bool(old) and any(each not in old for each in new or ()))


def block(*, gone: Callable[[Any], Effect], came: Effect = HARMLESS, within: Mapping[str, Rule]) -> Rule:
    """Return a rule of a block as a whole, which tells a value that was unset from a block that went.

    Args:
        gone: What its removal does, of the block as it is.
        came: What the first value of it does.
        within: The rules of what it has, by path: the worst of them is what another change of it does.
    """

    def rule(old: Any, new: Any) -> Effect:
        if not old:
            return came if new else HARMLESS
        if not new or LATER in (old, new):
            return gone(old if isinstance(old, Mapping) else {})
        pairs = ((each, _at(old, parsed(path)), _at(new, parsed(path))) for path, each in within.items())
        told = [each(before, after) for each, before, after in pairs if before != after]
        return max(told, key=lambda effect: effect.severity, default=HARMLESS)

    return rule


def has_later(*values: Any) -> bool:
    """Tell whether only the update can tell any of the values, or a part of one."""
    return any(LATER in json.dumps(each) for each in values)


def either(*rules: Rule) -> Rule:
    """Return a rule: the worst effect of several."""
    return lambda old, new: max((each(old, new) for each in rules), key=lambda effect: effect.severity)


def _nothing(_old: Any, _new: Any) -> Effect:
    return HARMLESS


def _when(effect: Effect, applies: Callable[[Any, Any], bool]) -> Rule:
    def rule(old: Any, new: Any) -> Effect:
        return effect if LATER in (old, new) or applies(old, new) else HARMLESS

    return rule


def _is_less(value: Any, than: Any, unset: float | None) -> bool:
    """Compare two amounts; of what is none nobody can tell that it is not less."""
    amounts = [_amount(each, unset) for each in (value, than)]
    if amounts[0] is None or amounts[1] is None:
        return bool(value != than)
    return amounts[0] < amounts[1]


def _amount(value: Any, unset: float | None) -> float | None:
    if value is None or value == "":
        return float("inf") if unset is None else unset
    if isinstance(value, bool):
        return float(value)
    if isinstance(value, int | float):
        return float(value)
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd]?)", str(value))
    return float(found[1]) * _UNITS[found[2]] if found else None


def _is_on(value: Any, *, on: bool) -> bool:
    if value is None:
        return on
    return value not in (False, "false", "", 0, "0", [], {})


def _has_lost(old: Any, new: Any) -> bool:
    if isinstance(old, Mapping):
        after = new if isinstance(new, Mapping) else {}
        return any(after.get(key) != value for key, value in old.items() if not key.startswith("__"))
    if isinstance(old, Sequence) and not isinstance(old, str):
        return any(each not in (new or ()) for each in old)
    return bool(old) and old != new
