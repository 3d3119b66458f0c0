"""Where each request is in the final log, and how long the log can have been at what time."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from tests.system.history.history import (
    NEVER,
    Append,
    BrokenHistoryError,
    Followed,
    Found,
    Kept,
    Operation,
    Refused,
    Stored,
    StoredEvent,
    Unknown,
)
from tests.system.history.model import Log, StoreState


@dataclass(frozen=True, slots=True)
class _Place:
    """A stored request: after which position, up to which, and when it was first invoked."""

    after: int
    last: int
    invoked: int


class Places:
    """Which lengths the log can have had when.

    Not shorter than what anybody had seen before, and without what was invoked only afterwards.

    Args:
        operations: All of the history.
        log: The log in the end.

    Raises:
        BrokenHistoryError: Something is stored that nobody appended.
    """

    def __init__(self, operations: Sequence[Operation], log: Log) -> None:
        self.places = [*_places(operations, log)]
        self._lengths = [0, *(place.last for place in self.places)]
        seen = sorted(_seen(operations, log))
        self._seen_at = [at for at, _ in seen]
        self._seen = [0, *accumulate((position for _, position in seen), max)]
        invoked = sorted((place.invoked, place.after) for place in self.places)
        self._invoked_at = [at for at, _ in invoked]
        self._before = [*accumulate((after for _, after in reversed(invoked)), min)][::-1]

    def lengths(self, operation: Operation) -> list[int]:
        """Return the lengths that the log can have had during an operation."""
        start = bisect_left(self._lengths, self.shortest(operation.invoked))
        return self._lengths[start : bisect_right(self._lengths, self.longest(operation.responded))]

    def shortest(self, at: int) -> int:
        """Return up to where somebody had seen the log by then."""
        return self._seen[bisect_left(self._seen_at, at)]

    def longest(self, at: int) -> int:
        """Return up to where the log goes without what was invoked later."""
        index = bisect_left(self._invoked_at, at)
        return self._before[index] if index < len(self._before) else self._lengths[-1]


def _places(operations: Sequence[Operation], log: Log) -> Iterator[_Place]:
    """Find for each piece of the log the requests that may have stored it."""
    by_first: dict[str, list[tuple[Append, int]]] = defaultdict(list)
    for each in operations:
        if isinstance(each.call, Append) and isinstance(each.answer, Stored | Unknown):
            by_first[each.call.parts[0].events[0].name].append((each.call, each.invoked))
    position = 0
    while position < len(log.events):
        first = log.events[position]
        invoked: dict[int, int] = {}
        for call, at in by_first[first.event.name]:
            if size := stored_next(log.until(position), call):
                invoked[size] = min(invoked.get(size, NEVER), at)
        if not invoked:
            raise BrokenHistoryError(f"nobody appended what is stored, or it was refused: {first}")
        size = max(invoked)
        yield _Place(position, position + size, invoked[size])
        position += size


def stored_next(state: StoreState, call: Append) -> int:
    """Return how many events a request has if they are what comes next in the log; else 0."""
    results = state.append(call)
    if isinstance(results, frozenset) or any(result.duplicate for result in results):
        return 0
    expected = [
        StoredEvent(
            position=result.first + n,
            aggregate=part.aggregate,
            aggregate_type=part.aggregate_type,
            version=result.version - len(part.events) + n + 1,
            event=event,
        )
        for part, result in zip(call.parts, results, strict=True)
        for n, event in enumerate(part.events)
    ]
    return len(expected) if list(state.log.events[state.head : state.head + len(expected)]) == expected else 0


def _seen(operations: Sequence[Operation], log: Log) -> Iterator[tuple[int, int]]:
    """Yield up to where the log must have been there when something was received."""
    for each in operations:
        match each.answer:
            case Stored(results):
                yield each.responded, results[-1].last
            case Found(events) | Kept(events=events) if events:
                yield each.responded, max(event.position for event in events)
            case Refused("event_already_exists", name) if name in log.by_name:
                yield each.responded, log.by_name[name].position
            case Followed(items):
                yield from ((at, item.position) for at, item in items)
