"""Imports: the parts of a source, checked, in the form that COPY takes, and stored for one caller.

Invariants:

- Of all callers of an import only the latest stores: the import's row counts them (`epoch`), and each part
  is stored under a lock on that row and only in the caller's own epoch.
- A part is stored by one statement, whole or not at all. The log is locked by that statement only: neither
  the sending of a part nor a service that hangs keeps appends waiting.
- Who begins waits for the part that is being stored for another caller, so that its count is the true one.
- A database that does not answer is a lost connection after `ANSWER_SECONDS`. Whether a part is stored whose
  answer was lost is told by beginning again.

The rows of a part are those of the temporary table `import_part`, in PostgreSQL's binary format: it needs no
escapes, and the server parses nothing of it but the JSON.
"""

import re
import struct
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import psycopg

from event_store.contract.append_request import (
    MOST_EVENTS,
    MOST_REQUEST_BYTES,
    Check,
    HasNoRoute,
    canonical_uuid,
    not_a_uuid,
    type_fault,
)
from event_store.database.errors import domain_errors
from event_store.database.login import Login
from event_store.database.pool import Row
from event_store.errors import (
    EventAlreadyExistsError,
    EventStoreError,
    ImportMovedError,
    InvalidArgumentError,
    LogCorruptedError,
    WrongAggregateTypeError,
    WrongExpectedVersionError,
)
from event_store.log import queries
from event_store.log.page import has_event, recorded_event
from event_store.model.arguments import HIGHEST_VERSION
from event_store.v1 import event_store_pb2 as pb

ANSWER_SECONDS: Final = 20.0  # above the server's own statement_timeout, which answers first where it can
_COPY_CONTEXT: Final = re.compile(r"\D*([0-9]+)(?:.* (event_data|metadata))?", re.DOTALL)
_SIGNATURE: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_END: Final = b"\xff\xff"
# Each value has its length before it; the last number of each is the length of what comes behind.
_TO_AGGREGATE_TYPE: Final = struct.Struct("!hii i? i16s i16s i").pack
_LENGTH: Final = struct.Struct("!i").pack
_TO_EVENT_DATA: Final = struct.Struct("!ii ib").pack
_TO_METADATA: Final = struct.Struct("!ib").pack
_TIME: Final = struct.Struct("!iq").pack
_COLUMNS: Final = 10
_JSONB: Final = 1  # the version of its form, before the text
_EPOCH_SECONDS: Final = 946_684_800  # PostgreSQL counts from the year 2000


@dataclass(frozen=True, slots=True)
class ImportPart:
    """A part that PostgreSQL can take as it is.

    Attributes:
        first_number: The number of its first event in the source, from 1.
        event_count: How many it has.
        rows: What COPY is sent.
    """

    first_number: int
    event_count: int
    rows: bytes


def prepare_part(
    request: pb.ImportEventsRequest, first_number: int, has_no_route: HasNoRoute | None
) -> ImportPart:
    """Check a part against the contract's limits, and its events against each other.

    Args:
        request: What came in.
        first_number: The number of its first event in the source, from 1.
        has_no_route: Tells which events no topic takes, see `append_request.prepare_request`.

    Raises:
        InvalidArgumentError: With a violation for each wrong field of the first wrong event.
        WrongExpectedVersionError: An event's version does not follow that of its aggregate's event before it.
        WrongAggregateTypeError: An event's aggregate is of another type in an event before it.
        EventAlreadyExistsError: An event id is in it twice.
    """
    _check_request(request)
    check = _PartCheck(first_number, has_no_route)
    rows = b"".join([row for event in request.events for row in check.row(event)])
    return ImportPart(first_number, len(request.events), b"".join((_SIGNATURE, rows, _END)))


def at_event(number: int, error: EventStoreError) -> EventStoreError:
    """Return an error whose message names an event by its number in the source."""
    error.args = (f"event {number}: {error}",)
    return error


class ImportWriter:
    """Stores the parts of one import; `close` it in the end.

    Args:
        login: For the connection, which must reach PostgreSQL without a pooler of transactions: a part goes
            through a temporary table of its own.
        import_id: The name of the import.
    """

    def __init__(self, login: Login, import_id: str) -> None:
        self._login = login
        self._import_id = import_id
        self._epoch = 0
        self._connection: psycopg.AsyncConnection[Row] | None = None

    async def begin(self) -> pb.ImportEventsResponse:
        """Connect, become the import's latest caller, and return how far it is, with the event stored last.

        Raises:
            UnavailableError: The database is away, or too busy with a part of another caller.
            LogCorruptedError: The event stored last is missing.
        """
        self._connection = await self._login.connect_async(ANSWER_SECONDS)
        async with self._cursor() as cursor:
            await cursor.execute(queries["import_part_create"])
            await cursor.execute(queries["import_begin"], (self._import_id,))
            self._epoch, stored_events, last_position = await _row(cursor)
            begun = pb.ImportEventsResponse(stored_events=stored_events, last_global_position=last_position)
            if stored_events:
                await cursor.execute(queries["read_all_forwards"], (last_position, 1, 1))
                row = await _row(cursor)
                if not has_event(row):
                    raise LogCorruptedError(
                        f"the log has no event at position {last_position}, the last one of the import "
                        f"{self._import_id!r}: find out who deleted it"
                    )
                begun.last_event.CopyFrom(recorded_event(row))
        return begun

    async def store(self, part: ImportPart) -> pb.ImportEventsResponse:
        """Append a part to the log, and return how far the import is then.

        Raises:
            ImportMovedError: Another caller has begun the same import.
            WrongExpectedVersionError, WrongAggregateTypeError, EventAlreadyExistsError: An event does not fit
                to the log.
            InvalidArgumentError: PostgreSQL cannot hold an event.
            UnavailableError: The database is away; it is unknown whether the part is stored.
        """
        async with self._cursor() as cursor:
            await cursor.execute(queries["import_part_clear"])
            try:
                async with cursor.copy(queries["import_part_copy"]) as copy:
                    await copy.write(part.rows)
            except psycopg.DataError as error:
                raise _cannot_hold(part, error) from error
            await cursor.execute(queries["import_part_store"], (self._import_id, self._epoch), prepare=True)
            stored_events, head_position, fault = await _row(cursor)
        if fault is not None:
            raise self._refusal(part, fault)
        return pb.ImportEventsResponse(stored_events=stored_events, last_global_position=head_position)

    def close(self) -> None:
        """Close the connection, whatever it is doing. Closing twice is harmless."""
        if self._connection is not None:
            self._connection.pgconn.finish()

    @asynccontextmanager
    async def _cursor(self) -> AsyncIterator[psycopg.AsyncCursor[Row]]:
        if self._connection is None:
            raise EventStoreError("the import has not begun")
        with domain_errors():
            yield self._connection.cursor()

    def _refusal(self, part: ImportPart, fault: Mapping[str, Any]) -> EventStoreError:
        error: EventStoreError
        match fault["verdict"]:
            case "import_moved":
                return ImportMovedError(
                    f"another caller has begun the import {self._import_id!r} and goes on with it"
                )
            case "event_already_exists":
                error = EventAlreadyExistsError(fault["event_id"], fault["field"])
            case "wrong_aggregate_type":
                error = WrongAggregateTypeError(
                    fault["aggregate_id"], fault["aggregate_type"], fault["actual_type"]
                )
            case _:
                error = WrongExpectedVersionError(
                    fault["aggregate_id"], str(fault["event_version"] - 1), fault["actual_version"]
                )
        return at_event(part.first_number + fault["number"] - 1, error)


class _PartCheck(Check):
    """Goes through one part, up to the first wrong event."""

    def __init__(self, first_number: int, has_no_route: HasNoRoute | None) -> None:
        super().__init__(has_no_route)
        self._first_number = first_number
        self._number = 0  # within the part, from 1
        self._last: dict[str, tuple[int, str]] = {}  # the version and type of each aggregate
        self._ids: set[str] = set()

    @property
    def _source_number(self) -> int:
        return self._first_number + self._number - 1

    def place(self) -> str:
        return f"event {self._source_number}: "

    def row(self, imported: pb.ImportedEvent) -> tuple[bytes, ...]:
        """Return the row of the next event, in pieces.

        Raises:
            EventStoreError: It is wrong, see `prepare_part`.
        """
        self._number += 1
        event, aggregate_type, version = imported.event, imported.aggregate_type, imported.event_version
        aggregate_id = canonical_uuid(imported.aggregate_id)
        if aggregate_id is None:
            self.note("aggregate_id", not_a_uuid(imported.aggregate_id))
        if fault := type_fault(aggregate_type):
            self.note("aggregate_type", fault)
        if not 1 <= version <= HIGHEST_VERSION:
            self.note("event_version", f"is {version}, 1 to {HIGHEST_VERSION} is allowed")
        self.keys.clear()  # an id that comes twice is no wrong field here
        prepared = self.event((), event, aggregate_type)
        if aggregate_id is None or self.violations:
            raise InvalidArgumentError(*self.violations)
        if prepared.event_id in self._ids:
            raise at_event(self._source_number, EventAlreadyExistsError(prepared.event_id))
        self._ids.add(prepared.event_id)
        is_first = self._follow(aggregate_id, aggregate_type, version)
        type_bytes, event_type_bytes = aggregate_type.encode(), prepared.event_type.encode()
        time = event.occurred_at
        return (
            _TO_AGGREGATE_TYPE(
                *(
                    _COLUMNS,
                    4,
                    self._number,
                    1,
                    is_first,
                    16,
                    bytes.fromhex(prepared.event_id.replace("-", "")),
                ),
                *(16, bytes.fromhex(aggregate_id.replace("-", "")), len(type_bytes)),
            ),
            type_bytes,
            _LENGTH(len(event_type_bytes)),
            event_type_bytes,
            _TO_EVENT_DATA(4, version, len(prepared.event_data) + 1, _JSONB),
            prepared.event_data,
            _TO_METADATA(len(prepared.metadata) + 1, _JSONB),
            prepared.metadata,
            _TIME(8, (time.seconds - _EPOCH_SECONDS) * 1_000_000 + time.nanos // 1000),
        )

    def _follow(self, aggregate_id: str, aggregate_type: str, version: int) -> bool:
        """Put an event behind the last one of its aggregate; return whether there is none in this part."""
        last_version, last_type = self._last.get(aggregate_id, (0, ""))
        self._last[aggregate_id] = version, aggregate_type
        if not last_version:
            return True
        number = self._source_number
        if aggregate_type != last_type:
            raise at_event(number, WrongAggregateTypeError(aggregate_id, aggregate_type, last_type))
        if version != last_version + 1:
            raise at_event(number, WrongExpectedVersionError(aggregate_id, str(version - 1), last_version))
        return False


def _check_request(request: pb.ImportEventsRequest) -> None:
    fault = ""
    size_bytes = request.ByteSize()
    if request.import_id:
        field, fault = "import_id", "is set, which it may be in the first request only"
    elif size_bytes > MOST_REQUEST_BYTES:
        field, fault = "", f"the request is {size_bytes} bytes, at most {MOST_REQUEST_BYTES} are allowed"
    elif not 1 <= len(request.events) <= MOST_EVENTS:
        field, fault = "events", f"there are {len(request.events)}, 1 to {MOST_EVENTS} are allowed"
    if fault:
        raise InvalidArgumentError.of(field, fault)


async def _row(cursor: psycopg.AsyncCursor[Row]) -> Row:
    row = await cursor.fetchone()
    if row is None:
        raise EventStoreError("the statement returned nothing")
    return row


def _cannot_hold(part: ImportPart, error: psycopg.DataError) -> InvalidArgumentError:
    """Name the event by the context of COPY's error: its line, and its column where that is known."""
    match = _COPY_CONTEXT.match(error.diag.context or "")
    place = f"event {part.first_number + int(match[1]) - 1}: {match[2] or 'event'}" if match else "events"
    return InvalidArgumentError.of(place, f"PostgreSQL cannot hold it: {error.diag.message_primary}")
