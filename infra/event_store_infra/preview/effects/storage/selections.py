"""What a rule selects, to delete it or to keep it: objects by a lifecycle, images by a clean-up."""

import operator
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from event_store_infra.preview.effects.effect import HARMLESS, Effect, Severity
from event_store_infra.preview.effects.rules import falls, has_later, rises

Selection = Mapping[str, Any]

_STATES: Final = frozenset({"tagState", "withState"})
_MARK: Final = Effect(severity=Severity.LOSES)
_NONE: Final[tuple[Any, ...]] = (None, [])


def adds(old: Iterable[Selection], new: Iterable[Selection]) -> bool:
    """Tell whether any of the new ones may select what none of the old ones does."""
    before = list(old)
    return any(not any(within(each, other) for other in before) for each in new)


def within(inner: Selection, outer: Selection) -> bool:
    """Tell whether one selects only what another one selects, too.

    Args:
        inner: The one, by its conditions, all of which have to be met.
        outer: The other one.
    """
    if has_later(inner, outer):
        return False
    return all(_is_within(each, inner.get(each), outer.get(each)) for each in inner.keys() | outer.keys())


def _is_within(name: str, inner: Any, outer: Any) -> bool:
    if name in _STATES:
        return outer in (None, "ANY", inner)
    if name.startswith("send"):  # that a number is 0, and not unset
        return bool(inner) == bool(outer)
    return outer in _NONE or (inner not in _NONE and _NARROWER.get(name, _is_same)(inner, outer))


def _is_same(inner: Any, outer: Any) -> bool:
    return bool(inner == outer)


def _is_more(inner: Any, outer: Any) -> bool:
    return falls(_MARK)(outer, inner) == HARMLESS


def _is_less(inner: Any, outer: Any) -> bool:
    return rises(_MARK)(outer, inner) == HARMLESS


def _begins(inner: Any, outer: Any) -> bool:
    return all(each.startswith(tuple(outer)) for each in inner)


def _ends(inner: Any, outer: Any) -> bool:
    return all(each.endswith(tuple(outer)) for each in inner)


def _are_among(inner: Any, outer: Any) -> bool:
    return set(inner) <= set(outer)


# By its name, whether a condition is met by less than another one of that name, or by the same.
_NARROWER: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    **dict.fromkeys(("age", "daysSinceCustomTime", "daysSinceNoncurrentTime", "numNewerVersions"), _is_more),
    **dict.fromkeys(("olderThan", "sizeAboveBytes"), _is_more),
    **dict.fromkeys(("keepCount", "newerThan", "sizeBelowBytes"), _is_less),
    **dict.fromkeys(("createdBefore", "customTimeBefore", "noncurrentTimeBefore"), operator.le),
    **dict.fromkeys(
        ("matchesPrefixes", "packageNamePrefixes", "tagPrefixes", "versionNamePrefixes"), _begins
    ),
    "matchesSuffixes": _ends,
    "matchesStorageClasses": _are_among,
}
