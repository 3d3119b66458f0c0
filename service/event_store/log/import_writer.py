"""The database's side of one caller of an import, on a connection of its own.

Invariants:

- Of all callers of an import only the latest stores: the import's row counts them (`epoch`), and each part
  is stored under a lock on that row and only in the caller's own epoch.
- A part is stored by one statement, whole or not at all. The log is locked by that statement only: neither
  the sending of a part nor a service that hangs keeps appends waiting.
- Who begins waits for the part that is being stored for another caller, so that its count is the true one.
- A database that does not answer is a lost connection after `ANSWER_SECONDS`. Whether a part is stored whose
  answer was lost is told by beginning again.
"""

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

import psycopg

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
from event_store.log.import_copy import ImportPart, at_event
from event_store.log.page import has_event, recorded_event
from event_store.v1 import event_store_pb2 as pb

ANSWER_SECONDS: Final = 20.0  # above the server's own statement_timeout, which answers first where it can
_COPY_CONTEXT: Final = re.compile(r"\D*([0-9]+)(?:.* (event_data|metadata))?", re.DOTALL)


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
