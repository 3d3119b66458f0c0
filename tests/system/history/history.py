"""What clients asked of a store and what it answered, in the order in which both happened.

Everything has a short name, so that a history can be read: aggregates `A0`, events `e1`. Positions count from
the beginning of the history, `at` counts what happened: an invocation, a response, something received.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from event_store.model.event_filter import EventFilter


class BrokenHistoryError(AssertionError):
    """What is wrong, and with which operation."""


ANY: Final = -1
EXISTS: Final = -2
NEVER: Final = 1 << 62


@dataclass(frozen=True, slots=True)
class Event:
    """An event as its appender made it."""

    name: str
    event_type: str
    data: int


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event in its place."""

    position: int
    aggregate: str
    aggregate_type: str
    version: int
    event: Event


@dataclass(frozen=True, slots=True)
class Part:
    """What a request appends to one aggregate; `expected` is a version, ANY or EXISTS."""

    aggregate: str
    aggregate_type: str
    expected: int
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class Append:
    """A request; those of one append stream have its number."""

    parts: tuple[Part, ...]
    stream: int = 0


@dataclass(frozen=True, slots=True)
class ReadAggregate:
    """As `Client.read_aggregate`."""

    aggregate: str
    from_version: int
    limit: int
    backwards: bool


@dataclass(frozen=True, slots=True)
class ReadAll:
    """As `Client.read_all`."""

    from_position: int
    limit: int
    backwards: bool
    event_filter: EventFilter


@dataclass(frozen=True, slots=True)
class SaveSnapshot:
    """As `Client.save_snapshot`; each has data of its own."""

    aggregate: str
    aggregate_type: str
    version: int
    data: int


@dataclass(frozen=True, slots=True)
class GetSnapshot:
    """As `Client.get_snapshot`."""

    aggregate: str


@dataclass(frozen=True, slots=True)
class LoadAggregate:
    """As `Client.load_aggregate`."""

    aggregate: str


@dataclass(frozen=True, slots=True)
class Subscribe:
    """As `Client.subscribe` with markers, until the last event of the history."""

    after_position: int
    event_filter: EventFilter


Call = Append | ReadAggregate | ReadAll | SaveSnapshot | GetSnapshot | LoadAggregate | Subscribe


@dataclass(frozen=True, slots=True)
class Result:
    """Where a part was stored."""

    version: int
    first: int
    last: int
    duplicate: bool


@dataclass(frozen=True, slots=True)
class Stored:
    """The answer to an append."""

    results: tuple[Result, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """Why nothing was stored, and the one fact that the error has: a version, an event, a type."""

    reason: str
    fact: Any


@dataclass(frozen=True, slots=True)
class Unknown:
    """There was no answer."""


@dataclass(frozen=True, slots=True)
class Found:
    """The events of a read."""

    events: tuple[StoredEvent, ...]


@dataclass(frozen=True, slots=True)
class Kept:
    """A snapshot, or that there is none, and of a load the events after it."""

    version: int = 0
    data: int | None = None
    events: tuple[StoredEvent, ...] = ()


@dataclass(frozen=True, slots=True)
class Marked:
    """A marker of a subscription."""

    kind: str
    position: int


@dataclass(frozen=True, slots=True)
class Followed:
    """What a subscription gave, and at what."""

    items: tuple[tuple[int, StoredEvent | Marked], ...]


Answer = Stored | Refused | Unknown | Found | Kept | Followed | bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """A call and its answer."""

    client: str
    invoked: int
    responded: int
    call: Call
    answer: Answer


@dataclass(frozen=True, slots=True)
class History:
    """All of it.

    Attributes:
        operations: In any order.
        log: What is stored in the end.
        faults: What was cut or restarted, and at what; clients then repeat calls by themselves.
    """

    operations: Sequence[Operation]
    log: Sequence[StoredEvent]
    faults: Sequence[tuple[int, str]] = ()

    @property
    def is_disturbed(self) -> bool:
        """Whether the first attempt of a call may have been answered to nobody."""
        return bool(self.faults)

    def __str__(self) -> str:
        lines = [(at, f"  {at:4}        {fault}") for at, fault in self.faults]
        for each in self.operations:
            responded = "     " if each.responded == NEVER else f"{each.responded:<5}"
            line = f"  {each.invoked:4}-{responded} {each.client}: {each.call} -> {each.answer}"
            lines.append((each.invoked, line))
        stored = [f"  {each.position:4} {each}" for each in self.log]
        return "\n".join(["", *(line for _, line in sorted(lines)), "  the log in the end:", *stored])
