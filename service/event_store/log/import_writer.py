"""Check the parts of an import, encode them for COPY, and store them for one caller.

Invariants:

- Only the latest caller of an import stores: the import's row counts the callers (`epoch`), and each part is
  stored with a lock on that row and only in the caller's own epoch.
- One statement stores a part, all or none, and only this statement locks the log: appends wait neither for
  the transfer of a part nor for a service that hangs.
- A new caller waits for the part that is being stored for another caller, so that its count is correct.
- A database that does not answer for `ANSWER_SECONDS` counts as a lost connection. Whether a part without an
  answer was stored is known when the import starts again.

The rows of a part are those of the temporary table `import_part`, in PostgreSQL's binary format: it needs no
escapes, and the server only parses the JSON.
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

ANSWER_SECONDS: Final = 20.0  # above the server's own statement_timeout, which ends slow statements first
_COPY_CONTEXT: Final = re.compile(r"\D*([0-9]+)(?:.* (event_data|metadata))?", re.DOTALL)
_SIGNATURE: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_END: Final = b"\xff\xff"
# Each value follows its length; the last number of each struct is the length of the next value.
_TO_AGGREGATE_TYPE: Final = struct.Struct("!hii i? i16s i16s i").pack
_LENGTH: Final = struct.Struct("!i").pack
_TO_EVENT_DATA: Final = struct.Struct("!ii ib").pack
_TO_METADATA: Final = struct.Struct("!ib").pack
_TIME: Final = struct.Struct("!iq").pack
_COLUMNS: Final = 10
_JSONB: Final = 1  # the version of the binary format, before the text
_EPOCH_SECONDS: Final = 946_684_800  # PostgreSQL counts from the year 2000


@dataclass(frozen=True, slots=True)
class ImportPart:
    """A checked part, encoded for COPY.

    Attributes:
        first_number: The number of its first event in the source, from 1.
        event_count: The number of its events.
        rows: The data for COPY.
    """

    first_number: int
    event_count: int
    rows: bytes


def prepare_part(
    request: pb.ImportEventsRequest, first_number: int, has_no_route: HasNoRoute | None
) -> ImportPart:
    """Check a part against the contract's limits, and its events against each other.

    Args:
        request: The request.
        first_number: The number of its first event in the source, from 1.
        has_no_route: See `append_request.prepare_request`.

    Raises:
        InvalidArgumentError: An event is invalid; the error has a violation for each invalid field of the
            first invalid event.
        WrongExpectedVersionError: An event's version is not the next one of its aggregate.
        WrongAggregateTypeError: An earlier event of the aggregate has another aggregate type.
        EventAlreadyExistsError: An event id is in the part twice.
    """
    _check_request(request)
    check = _PartCheck(first_number, has_no_route)
    rows = b"".join([row for event in request.events for row in check.row(event)])
    return ImportPart(first_number, len(request.events), b"".join((_SIGNATURE, rows, _END)))


def at_event(number: int, error: EventStoreError) -> EventStoreError:
    """Add the number of an event in the source to the message of an error; return the error."""
    error.args = (f"event {number}: {error}",)
    return error


class ImportWriter:
    """Stores the parts of one import; call `close` in the end.

    Args:
        login: The login of the connection, which must not use a transaction pooler, because a part goes
            through a temporary table.
        import_id: The name of the import.
    """

    def __init__(self, login: Login, import_id: str) -> None:
        self._login = login
        self._import_id = import_id
        self._epoch = 0
        self._connection: psycopg.AsyncConnection[Row] | None = None

    async def begin(self) -> pb.ImportEventsResponse:
        """Connect, become the import's latest caller, and return its progress with the last stored event.

        Raises:
            UnavailableError: The database is unavailable, or still stores a part of another caller.
            LogCorruptedError: The last stored event is missing.
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
                        f"{self._import_id!r}: find the program that deleted it, and restore the database"
                    )
                begun.last_event.CopyFrom(recorded_event(row))
        return begun

    async def store(self, part: ImportPart) -> pb.ImportEventsResponse:
        """Append a part to the log and return the progress of the import.

        Raises:
            ImportMovedError: Another caller has taken the import over.
            WrongExpectedVersionError, WrongAggregateTypeError, EventAlreadyExistsError: An event conflicts
                with the log.
            InvalidArgumentError: PostgreSQL cannot store an event.
            UnavailableError: The database is unavailable; the part may have been stored or not.
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
        """Close the connection at once, in any state. Closing twice is harmless."""
        if self._connection is not None:
            self._connection.pgconn.finish()

    @asynccontextmanager
    async def _cursor(self) -> AsyncIterator[psycopg.AsyncCursor[Row]]:
        if self._connection is None:
            raise EventStoreError("the import writer is not connected: call begin first")
        with domain_errors():
            yield self._connection.cursor()

    def _refusal(self, part: ImportPart, fault: Mapping[str, Any]) -> EventStoreError:
        error: EventStoreError
        match fault["verdict"]:
            case "import_moved":
                return ImportMovedError(
                    f"another caller has taken over the import {self._import_id!r}: run one caller at a time"
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
    """Checks one part, up to the first invalid event."""

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
        """Check the next event and return its row, in pieces.

        Raises:
            EventStoreError: The event is invalid, see `prepare_part`.
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
        self.keys.clear()  # a repeated id is not an invalid field here
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
        """Check an event against the one before it of its aggregate; return whether there is none here."""
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
        field, fault = "import_id", "is set: send it in the first request only"
    elif size_bytes > MOST_REQUEST_BYTES:
        field, fault = "", f"the request is {size_bytes} bytes, at most {MOST_REQUEST_BYTES} are allowed"
    elif not 1 <= len(request.events) <= MOST_EVENTS:
        field, fault = "events", f"has {len(request.events)} items, 1 to {MOST_EVENTS} are allowed"
    if fault:
        raise InvalidArgumentError.of(field, fault)


async def _row(cursor: psycopg.AsyncCursor[Row]) -> Row:
    row = await cursor.fetchone()
    if row is None:
        raise EventStoreError("the statement returned no row")
    return row


def _cannot_hold(part: ImportPart, error: psycopg.DataError) -> InvalidArgumentError:
    """Return an error with the event's number and, if known, its column, from the context of COPY's error."""
    match = _COPY_CONTEXT.match(error.diag.context or "")
    place = f"event {part.first_number + int(match[1]) - 1}: {match[2] or 'event'}" if match else "events"
    return InvalidArgumentError.of(place, f"PostgreSQL cannot store it: {error.diag.message_primary}")
