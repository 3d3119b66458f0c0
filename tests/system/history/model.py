"""A store that does one thing after the other: what each call answers when the log is so long."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from event_store.model.event_filter import EventFilter
from tests.system.history.history import (
    ANY,
    EXISTS,
    Append,
    Part,
    ReadAggregate,
    ReadAll,
    Refused,
    Result,
    StoredEvent,
)


class Log:
    """The log, to be looked at as it was at any of its positions."""

    def __init__(self, log: Sequence[StoredEvent]) -> None:
        self.events = log
        self.by_name = {each.event.name: each for each in log}
        self.by_aggregate: dict[str, list[StoredEvent]] = defaultdict(list)
        for each in log:
            self.by_aggregate[each.aggregate].append(each)

    def until(self, head: int) -> "StoreState":
        """Return the store when this was its last position."""
        return StoreState(self, head)


@dataclass(frozen=True, slots=True)
class StoreState:
    """The store at one moment."""

    log: Log
    head: int

    def aggregate(self, name: str) -> Sequence[StoredEvent]:
        """Return the events of an aggregate."""
        events = self.log.by_aggregate.get(name, [])
        return events[: bisect_right(events, self.head, key=lambda each: each.position)]

    def append(self, call: Append) -> tuple[Result, ...] | frozenset[Refused]:
        """Return where a request is or would be stored, or each reason that there is to refuse it."""
        known = [self._known(part) for part in call.parts]
        if all(len(k) == len(p.events) and _is_one(p, k) for p, k in zip(call.parts, known, strict=True)):
            return tuple(Result(k[-1].version, k[0].position, k[-1].position, True) for k in known)
        if any(known):
            return frozenset(Refused("event_already_exists", e.event.name) for k in known for e in k)
        reasons = frozenset(reason for part in call.parts for reason in self._conflicts(part))
        if reasons:
            return reasons
        position, results = self.head, []
        for part in call.parts:
            size = len(part.events)
            version = len(self.aggregate(part.aggregate)) + size
            results.append(Result(version, position + 1, position + size, False))
            position += size
        return tuple(results)

    def read_aggregate(self, call: ReadAggregate) -> tuple[StoredEvent, ...]:
        """Return the events of an aggregate, from a version on."""
        events = self.aggregate(call.aggregate)
        return _part(events, [each.version for each in events], call.from_version, call)

    def read_all(self, call: ReadAll) -> tuple[StoredEvent, ...]:
        """Return the events of the log that pass, from a position on."""
        events = [each for each in self.log.events[: self.head] if passes(call.event_filter, each)]
        return _part(events, [each.position for each in events], call.from_position, call)

    def _known(self, part: Part) -> list[StoredEvent]:
        found = [self.log.by_name.get(event.name) for event in part.events]
        return [each for each in found if each is not None and each.position <= self.head]

    def _conflicts(self, part: Part) -> list[Refused]:
        events = self.aggregate(part.aggregate)
        if events and events[0].aggregate_type != part.aggregate_type:
            return [Refused("wrong_aggregate_type", events[0].aggregate_type)]
        fits = {ANY: True, EXISTS: bool(events)}.get(part.expected, part.expected == len(events))
        return [] if fits else [Refused("wrong_expected_version", len(events))]


def passes(event_filter: EventFilter, recorded: StoredEvent) -> bool:
    """Return whether an event is one of those that are meant."""
    return event_filter.matches(recorded.aggregate_type, recorded.event.event_type)


def _is_one(part: Part, known: Sequence[StoredEvent]) -> bool:
    """Return whether stored events are this part, in its company and order."""
    first = known[0]
    return all(
        each
        == StoredEvent(
            first.position + n, part.aggregate, part.aggregate_type, first.version + n, part.events[n]
        )
        for n, each in enumerate(known)
    )


def _part(
    events: Sequence[StoredEvent], places: Sequence[int], start: int, call: ReadAggregate | ReadAll
) -> tuple[StoredEvent, ...]:
    chosen = [
        each
        for each, place in zip(events, places, strict=True)
        if not start or (place <= start if call.backwards else place >= start)
    ]
    chosen = chosen[::-1] if call.backwards else chosen
    return tuple(chosen[: call.limit] if call.limit else chosen)
