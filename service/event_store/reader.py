"""Reads pages of events by key and never trusts that the log is whole: it checks.

Positions of the log and versions of an aggregate are consecutive by construction, and each page is one
snapshot with the head of the log in it. So a missing row is not a row to wait for: it is a corrupted log, and
an alarm.
"""

import logging
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, LiteralString

from google.protobuf.timestamp_pb2 import Timestamp

from event_store.database import Database, Row, queries
from event_store.errors import LogCorruptedError, SchemaError
from event_store.v1 import event_store_pb2 as pb

PAGE_EVENTS: Final = 100  # measured: the most events per second through gRPC
PAGE_BYTES: Final = 1_048_576  # as PostgreSQL keeps them, compressed where they are large
_MESSAGE_BYTES: Final = 1_048_576  # one event may be larger; gRPC's clients take 4 MiB by default
_HIGHEST_VERSION: Final = 2_147_483_647
_HIGHEST_POSITION: Final = 9_223_372_036_854_775_807
_VERSION, _POSITION, _MORE = 8, 9, 11  # columns of a page

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Walk:
    """Where a read stands.

    Attributes:
        query: Takes `key`, the following number, the page's events and its bytes.
        key: The aggregate's id; nothing for the log.
        step: 1 or -1.
        following: The number of the next event, a version or a position. A read down from the end learns it
            with its first page; until then it is too high.
        remaining: How many events may still be read.
        last: The last position to read, known from the first page; of an aggregate none.
        is_first: No page was read yet.
        is_over: There is nothing more to read.
    """

    query: LiteralString
    key: tuple[str, ...]
    step: int
    following: int
    remaining: int
    last: int | None = None
    is_first: bool = True
    is_over: bool = False

    @property
    def size(self) -> int:
        """How many events the next page may have."""
        size = min(self.remaining, PAGE_EVENTS)
        return size if self.last is None or self.step < 0 else min(size, self.last - self.following + 1)

    def take(self, head: int, events: Sequence[Row]) -> None:
        """Step over a page of events.

        Raises:
            LogCorruptedError: An event is missing, before or between or after them.
        """
        size = self.size
        if self.is_first:
            self._settle(head, events)
        for row in events:
            number = row[_VERSION] if self.key else row[_POSITION]
            if number != self.following:
                raise _corrupted(self.key, self.following)
            self.following += self.step
        self.remaining -= len(events)
        if self.step < 0:
            self.is_over = self.following < 1
        elif self.last is not None:
            self.is_over = self.following > self.last
        else:
            self.is_over = len(events) < size and not (events and events[-1][_MORE])
        if not events and not self.is_over:
            raise _corrupted(self.key, self.following)
        self.is_over |= self.remaining == 0

    def _settle(self, head: int, events: Sequence[Row]) -> None:
        self.is_first = False
        if not self.key:
            self.last = head
        if self.step < 0:
            end = head if not self.key else events[0][_VERSION] if events else 0
            self.following = min(self.following, end)


class Reader:
    """Reads one aggregate, or the log.

    Args:
        database: Lends a connection for each page, and has it back before the page is sent.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def read_aggregate(
        self, aggregate_id: str, from_version: int, limit: int, *, backwards: bool
    ) -> AsyncIterator[pb.ReadResponse]:
        """Yield the events of an aggregate in parts, at least one part.

        Args:
            aggregate_id: A canonical UUID.
            from_version: The first version, inclusive; 0 is the first one, or with `backwards` the last one.
            limit: How many events at the most; 0 is all of them.
            backwards: Go down to version 1.

        Raises:
            LogCorruptedError: A version between is missing.
        """
        query = queries["read_aggregate_backwards" if backwards else "read_aggregate_forwards"]
        start = min(from_version, _HIGHEST_VERSION) or (_HIGHEST_VERSION if backwards else 1)
        return self._read(
            _Walk(query, (aggregate_id,), -1 if backwards else 1, start, limit or _HIGHEST_POSITION)
        )

    def read_all(self, from_position: int, limit: int, *, backwards: bool) -> AsyncIterator[pb.ReadResponse]:
        """Yield the events of the log in parts, at least one part, up to its head at the time of the first.

        Args:
            from_position: The first position, inclusive; 0 is the first, or with `backwards` the last.
            limit: How many events at the most; 0 is all of them.
            backwards: Go down to position 1.

        Raises:
            LogCorruptedError: A position up to the head is missing.
        """
        query = queries["read_all_backwards" if backwards else "read_all_forwards"]
        start = min(from_position, _HIGHEST_POSITION) or (_HIGHEST_POSITION if backwards else 1)
        return self._read(_Walk(query, (), -1 if backwards else 1, start, limit or _HIGHEST_POSITION))

    async def status(self) -> pb.GetStatusResponse:
        """Return how far the log and the relay are."""
        async with self._database.connection() as connection:
            row = await (await connection.execute(queries["status"])).fetchone()
        if row is None:
            raise SchemaError("the rows of log_head or relays are missing: restore them from a backup")
        return pb.GetStatusResponse(
            head_position=row[0],
            relay_position=row[1],
            relay_owner=row[2],
            parked_messages=row[3],
            schema_revision=row[4],
        )

    async def _read(self, walk: _Walk) -> AsyncIterator[pb.ReadResponse]:
        while not walk.is_over:
            rows = await self._page(walk)
            head = rows[0][0]
            events = rows if rows[0][1] is not None else []
            is_answer = events or walk.is_first
            walk.take(head, events)
            if is_answer:
                for part in _parts(events):
                    yield pb.ReadResponse(events=part, head_position=head)

    async def _page(self, walk: _Walk) -> list[Row]:
        async with self._database.connection() as connection:
            arguments = (*walk.key, walk.following, walk.size, PAGE_BYTES)
            return await (await connection.execute(walk.query, arguments)).fetchall()


def _parts(rows: Sequence[Row]) -> Iterator[list[pb.RecordedEvent]]:
    """Yield the rows as messages of a bounded size; an empty one for none."""
    part: list[pb.RecordedEvent] = []
    size_bytes = 0
    for row in rows:
        event = _recorded_event(row)
        row_bytes = len(event.event_data) + len(event.metadata)
        if part and size_bytes + row_bytes > _MESSAGE_BYTES:
            yield part
            part, size_bytes = [], 0
        part.append(event)
        size_bytes += row_bytes
    yield part


def _recorded_event(row: Row) -> pb.RecordedEvent:
    (
        _,
        event_id,
        event_type,
        data,
        metadata,
        occurred_at,
        aggregate_id,
        aggregate_type,
        version,
        position,
        at,
        _,
    ) = row
    return pb.RecordedEvent(
        event_id=event_id,
        event_type=event_type,
        event_data=data.encode(),
        metadata=metadata.encode(),
        occurred_at=_timestamp(occurred_at),
        aggregate_id=aggregate_id,
        aggregate_type=aggregate_type,
        event_version=version,
        global_position=position,
        created_at=_timestamp(at),
    )


def _timestamp(microseconds: int) -> Timestamp:
    seconds, rest = divmod(microseconds, 1_000_000)
    return Timestamp(seconds=seconds, nanos=rest * 1000)


def _corrupted(key: tuple[str, ...], number: int) -> LogCorruptedError:
    what = f"version {number} of aggregate {key[0]}" if key else f"position {number} of the log"
    _log.critical("the log is corrupted: %s is missing", what)
    return LogCorruptedError(
        f"the log is corrupted: {what} is missing. Somebody else wrote or deleted: stop appends, restore it"
    )
