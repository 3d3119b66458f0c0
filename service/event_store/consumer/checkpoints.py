"""Store the checkpoints of a projection, in its own database.

A checkpoint is the last handled version of an aggregate. Beside them are the events that were passed over.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Self
from uuid import UUID

import psycopg
from psycopg.rows import tuple_row

from event_store.database.queries import load_queries
from event_store.database.transaction import RolledBackError
from event_store.errors import InvalidArgumentError
from event_store.model.events import RecordedEvent

_QUERIES: Final = load_queries("event_store.consumer")
_ERROR_CHARACTERS: Final = 1000


@dataclass(frozen=True, slots=True)
class PassedOver:
    """An event that a projection could not handle and passed over.

    Attributes:
        aggregate_id: The UUID of the aggregate.
        event_version: The version of the event in its aggregate.
        event_id: The UUID of the event.
        error: The handler's last error, at most 1,000 characters.
        passed_over_at: When the event was passed over, by the database's clock.
    """

    aggregate_id: str
    event_version: int
    event_id: str
    error: str
    passed_over_at: datetime


class ProjectionVersions:
    """The last handled versions of some aggregates, locked for one transaction."""

    def __init__(
        self, connection: psycopg.AsyncConnection[Any], projection: str, aggregate_ids: Collection[UUID]
    ) -> None:
        self._cursor = _cursor(connection)
        self._projection = projection
        self._aggregate_ids = list(aggregate_ids)
        self._versions: dict[UUID, int] = {}
        self._transaction = 0
        self._changed: set[UUID] = set()

    @classmethod
    async def lock(
        cls, connection: psycopg.AsyncConnection[Any], projection: str, events: Collection[RecordedEvent]
    ) -> Self:
        """Lock and return the versions of the events' aggregates; 0 for a new aggregate.

        Raises:
            InvalidArgumentError: An aggregate id is not a UUID.
            psycopg.Error: PostgreSQL raised an error, or is unreachable.
        """
        versions = cls(connection, projection, {_uuid(event) for event in events})
        await versions._lock()
        return versions

    def __getitem__(self, event: RecordedEvent) -> int:
        return self._versions[_uuid(event)]

    def advance(self, event: RecordedEvent) -> None:
        """Set the aggregate's version to that of its next event, which was handled or passed over."""
        aggregate_id = _uuid(event)
        self._versions[aggregate_id] = event.event_version
        self._changed.add(aggregate_id)

    async def take_back(self, event: RecordedEvent) -> bool:
        """Delete the record that an event was passed over; return whether there was one."""
        await self._cursor.execute(_QUERIES["take_back"], self._names(event))
        was_passed_over = self._cursor.rowcount > 0
        if was_passed_over:
            self._changed.add(_uuid(event))
        return was_passed_over

    async def pass_over(self, event: RecordedEvent, error: BaseException) -> None:
        """Record that the aggregate's next event cannot be handled, with the error."""
        encoding = self._cursor.connection.info.encoding
        said = f"{type(error).__name__}: {error}".replace("\0", "")[:_ERROR_CHARACTERS]
        said = said.encode(encoding, "backslashreplace").decode(encoding)  # as the database can store it
        await self._cursor.execute(_QUERIES["pass_over"], {**self._names(event), "error": said})
        self.advance(event)

    async def save(self) -> None:
        """Write the changed versions.

        Raises:
            RolledBackError: The transaction that locked the versions has ended.
            psycopg.Error: PostgreSQL raised an error, or is unreachable.
        """
        changed = sorted(self._changed)
        if changed:
            values = {
                "projection": self._projection,
                "transaction": self._transaction,
                "aggregate_ids": changed,
                "event_versions": [self._versions[aggregate_id] for aggregate_id in changed],
            }
            await self._cursor.execute(_QUERIES["set_versions"], values)
            if self._cursor.rowcount != len(changed):
                raise RolledBackError(
                    "the handler ended the transaction: neither commit nor roll back in a handler"
                )

    async def _lock(self) -> None:
        names = {"projection": self._projection, "aggregate_ids": self._aggregate_ids}
        await self._cursor.execute(_QUERIES["lock_versions"], names)
        rows = await self._cursor.fetchall()
        if len(rows) < len(self._aggregate_ids):
            await self._cursor.execute(_QUERIES["begin_versions"], names)
            await self._cursor.execute(_QUERIES["lock_versions"], names)
            rows = await self._cursor.fetchall()
        for aggregate_id, version, self._transaction in rows:
            self._versions[aggregate_id] = version

    def _names(self, event: RecordedEvent) -> Mapping[str, Any]:
        return {
            "projection": self._projection,
            "aggregate_id": _uuid(event),
            "event_version": event.event_version,
            "event_id": event.event_id,
        }


async def create_projection_tables(connection: psycopg.AsyncConnection[Any]) -> None:
    """Create the tables in which projections keep their progress, if they do not exist.

    Args:
        connection: A connection to the projections' database, with a role that may create tables.

    Raises:
        psycopg.Error: PostgreSQL raised an error, or is unreachable.
    """
    async with connection.transaction():
        await _cursor(connection).execute(_QUERIES["create_tables"], prepare=False)  # several statements


async def passed_over(connection: psycopg.AsyncConnection[Any], projection: str) -> tuple[PassedOver, ...]:
    """Return the events that a projection passed over, in the order of aggregate id and version."""
    cursor = _cursor(connection)
    await cursor.execute(_QUERIES["passed_over"], {"projection": projection})
    return tuple(_passed_over(*row) for row in await cursor.fetchall())


def _passed_over(
    aggregate_id: UUID, event_version: int, event_id: UUID, error: str | bytes, moment: datetime
) -> PassedOver:
    # A connection without an encoding returns text as bytes.
    said = error.decode(errors="backslashreplace") if isinstance(error, bytes) else error
    return PassedOver(str(aggregate_id), event_version, str(event_id), said, moment)


def _cursor(connection: psycopg.AsyncConnection[Any]) -> psycopg.AsyncCursor[tuple[Any, ...]]:
    """Return a cursor with tuple rows and psycopg's own parameters, independent of the connection's."""
    return psycopg.AsyncCursor(connection, row_factory=tuple_row)


def _uuid(event: RecordedEvent) -> UUID:
    try:
        return UUID(event.aggregate_id)
    except ValueError:
        raise InvalidArgumentError.of("aggregate_id", f"{event.aggregate_id!r} is not a UUID") from None
