"""How many instances a service of Cloud Run has: said by the service, by its revision, or by hand."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from event_store_infra.preview.effects.effect import Told, less_safe, stops
from event_store_infra.preview.effects.workload.containers import relays
from event_store_infra.preview.plan.paths import Path, at, dotted
from event_store_infra.preview.plan.plan import Change, Step

_BY_HAND: Final = "https://docs.cloud.google.com/run/docs/configuring/services/manual-scaling"
_UNASKED: Final = stops(
    "publishing while nobody calls: without an instance no relay runs",
    "https://docs.cloud.google.com/run/docs/configuring/min-instances",
    "leave one instance at least.",
)
_NOBODY: Final = stops("everybody who reads or appends: no instance runs", _BY_HAND)
_FEWER: Final = less_safe(
    "fewer instances serve: what they cannot take is refused",
    "https://docs.cloud.google.com/run/docs/configuring/max-instances",
)
_MODE: Final = ("scaling", "scalingMode")
_COUNT: Final = ("scaling", "manualInstanceCount")
_LEAST: Final = (("template", "scaling", "minInstanceCount"), ("scaling", "minInstanceCount"))
# What each allows where nothing is said; a revision has 100 then, or less where a project has less.
_MOST: Final[Mapping[Path, float]] = {
    ("template", "scaling", "maxInstanceCount"): 100,
    ("scaling", "maxInstanceCount"): float("inf"),
}
# The properties, the most telling first.
_PATHS: Final[tuple[Path, ...]] = (*_LEAST, *_MOST, _COUNT, _MODE)


def of_scaling(step: Step) -> Iterator[Told]:
    """Yield what an update of a service does by the number of its instances.

    Args:
        step: The update.
    """
    old, new = step.old, step.new
    if _most(new) == 0 < _most(old):
        yield Told(change=_changed(step), effect=_NOBODY)
    elif _most(new) < _most(old):
        yield Told(change=_changed(step), effect=_FEWER)
    if relays(new) and _most(new) and _least(old) > 0 == _least(new):
        yield Told(change=_changed(step), effect=_UNASKED)


def _least(inputs: Mapping[str, Any]) -> float:
    """Return how many instances a service is sure to have without requests."""
    if _is_by_hand(inputs):
        return _sure(at(inputs, _COUNT))
    return max(_sure(at(inputs, path)) for path in _LEAST)


def _most(inputs: Mapping[str, Any]) -> float:
    """Return how many instances a service is sure to get with many requests."""
    if _is_by_hand(inputs):
        return _sure(at(inputs, _COUNT))
    counts = ((at(inputs, path), unset) for path, unset in _MOST.items())
    return min(_sure(count) or unset if count in (None, 0) else _sure(count) for count, unset in counts)


def _is_by_hand(inputs: Mapping[str, Any]) -> bool:
    """Tell whether the number is fixed, as one that is said may be where no mode is."""
    mode = at(inputs, _MODE)
    return bool(mode == "MANUAL" or (mode is None and at(inputs, _COUNT) is not None))


def _sure(count: Any) -> float:
    """Return a count; nothing for one that only the update can tell."""
    return float(count) if isinstance(count, int | float) else 0


def _changed(step: Step) -> Change:
    """Return the change of the first property that differs."""
    pairs = ((path, at(step.old, path), at(step.new, path)) for path in _PATHS)
    path, old, new = next(each for each in pairs if each[1] != each[2])
    return Change.of(dotted(path), old, new)
