"""The routing table in a container's environment: what no longer reaches a topic, or is refused."""

from collections.abc import Iterable, Iterator
from itertools import product
from typing import Final

from event_store.errors import ConfigurationError
from event_store.topology.routing import Route, RoutedTopic, Routing
from event_store_infra.preview.effects.effect import Effect, less_safe, stops
from event_store_infra.preview.markdown import code

_NONE: Final = Routing(topics={}, routes=(), unrouted="store-only")
_MOST_NAMED: Final = 5
_PAGE: Final = "docs/reference/topology.md"
_UNREADABLE: Final = less_safe("nobody can tell where events would go: the new routing cannot be read", _PAGE)
_UNREFUSED: Final = less_safe(
    "an event that no route takes is stored from now on, and nobody ever gets it; it was refused before",
    _PAGE,
)

# An aggregate type and an event type.
_Types = tuple[str, str]


def of_routing(old: str, new: str, *, relays: bool) -> Iterator[Effect]:
    """Yield what another routing does.

    Args:
        old: The JSON of the one that stands; empty for none.
        new: The same of the program's.
        relays: Whether the container publishes. One that does not only refuses what no route takes.
    """
    try:
        before, after = (Routing.from_json(each) if each else _NONE for each in (old, new))
    except ConfigurationError:
        yield _UNREADABLE
        return
    samples = _samples([*before.routes, *after.routes])
    if relays:
        yield from _of_publishing(before, after, samples)
    refused = [each for each in samples if after.rejects(*each) and not before.rejects(*each)]
    if refused:
        yield stops(f"whoever appends {_listed(map(_event, _widest(refused)))}, refused from then on", _PAGE)
    if before.unrouted == "refuse" and after.unrouted != "refuse":
        yield _UNREFUSED


def _of_publishing(before: Routing, after: Routing, samples: list[_Types]) -> Iterator[Effect]:
    if lost := [*_lost(before, after, samples)]:
        what = f"the consumers {'; '.join(lost)}: no route takes these there any more"
        yield stops(what, _PAGE, "keep the route until nobody consumes them any more.")
    reordered: dict[tuple[str, str], list[str]] = {}
    for topic, then in _kept_topics(before, after):
        if topic.ordering != then.ordering and topic.ordering.kind != "none":
            reordered.setdefault((str(topic.ordering), str(then.ordering)), []).append(code(topic.name))
        if (topic.unpublishable, then.unpublishable) == ("block", "park"):
            yield less_safe(
                f"in {code(topic.name)} the messages behind one that cannot be published overtake it", _PAGE
            )
    for (old, new), names in reordered.items():
        yield less_safe(_reordered(_listed(names), old, new), _PAGE)


def _lost(before: Routing, after: Routing, samples: list[_Types]) -> Iterator[str]:
    """Yield of each topic that gets less what that is."""
    paths = {types: {topic.path for topic in after.topics_for(*types)} for types in samples}
    for topic in before.topics.values():
        got = [each for each in samples if topic in before.topics_for(*each)]
        gone = [each for each in got if topic.path not in paths[each]]
        if gone:
            kept = [each for each in got if each not in gone and _is_within_one(each, gone)]
            but = f" but {_listed(map(_event, kept))}" if kept else ""
            yield f"of {code(topic.name)} from {_listed(map(_event, _widest(gone)))}{but}"


def _kept_topics(before: Routing, after: Routing) -> Iterator[tuple[RoutedTopic, RoutedTopic]]:
    by_path = {each.path: each for each in after.topics.values()}
    return ((each, by_path[each.path]) for each in before.topics.values() if each.path in by_path)


def _reordered(topics: str, old: str, new: str) -> str:
    change = f"{topics}: ordered by {code(new)}, not by {code(old)}, so that an aggregate's events"
    if new == "none":
        return f"{change} may come in any order"
    return f"{change} have another key from now on, and may overtake those that are not consumed yet"


def _samples(routes: Iterable[Route]) -> list[_Types]:
    """Return pairs of types that stand for all: the patterns themselves, taken as types.

    The `*` of a type `Wo*` is matched by nothing but a `*`. So a pattern that matches this type matches
    whatever `Wo*` matches as a pattern.
    """
    listed = list(routes)
    aggregates, events = {each.aggregate_type for each in listed}, {each.event_type for each in listed}
    return [*product(sorted({*aggregates, "*"}), sorted({*events, "*"}))]


def _widest(types: list[_Types]) -> list[_Types]:
    """Leave out what another one stands for already."""
    return sorted(each for each in types if not any(_is_within(each, other) for other in types))


def _is_within_one(types: _Types, others: list[_Types]) -> bool:
    return any(_is_within(types, each) for each in others)


def _is_within(types: _Types, other: _Types) -> bool:
    return types != other and Route(*other, topics=()).matches(*types)


def _event(types: _Types) -> str:
    aggregate, event = types
    if aggregate == event == "*":
        return "all events"
    if event == "*":
        return f"all events of {code(aggregate)}"
    return f"{code(event)} of {'every aggregate' if aggregate == '*' else code(aggregate)}"


def _listed(names: Iterable[str]) -> str:
    named = [*names]
    more = len(named) - _MOST_NAMED
    return ", ".join(named[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
