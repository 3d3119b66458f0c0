"""What a projection knows of the aggregates, in its own database."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Self

import psycopg

from event_store.events import RecordedEvent
from event_store.named_queries import load_queries

_QUERIES: Final = load_queries("event_store", "projection.sql")
_ERROR_CHARACTERS: Final = 1000


@dataclass(frozen=True, slots=True)
class PassedOver:
    """An event that a projection could not handle and left behind.

    Attributes:
        aggregate_id: Its aggregate.
        event_version: Its place there.
        event_id: Its id.
        error: What the handler raised at last.
        passed_over_at: When it was given up.
    """

    aggregate_id: str
    event_version: int
    event_id: str
    error: str
    passed_over_at: datetime


class ProjectionVersions:
    """Up to which version of some aggregates a projection is done, locked for one transaction."""

    def __init__(
        self, connection: psycopg.AsyncConnection[Any], projection: str, versions: dict[str, int]
    ) -> None:
        self._connection = connection
        self._projection = projection
        self._versions = versions
        self._moved: set[str] = set()

    @classmethod
    async def lock(
        cls, connection: psycopg.AsyncConnection[Any], projection: str, aggregate_ids: Collection[str]
    ) -> Self:
        """Return the versions of aggregates, 0 of a new one, which nobody else changes until the end."""
        names = {"projection": projection, "aggregate_ids": list(aggregate_ids)}
        versions = dict(await (await connection.execute(_QUERIES["lock_versions"], names)).fetchall())
        if len(versions) < len(aggregate_ids):
            await connection.execute(_QUERIES["begin_versions"], names)
            versions = dict(await (await connection.execute(_QUERIES["lock_versions"], names)).fetchall())
        return cls(connection, projection, versions)

    def __getitem__(self, aggregate_id: str) -> int:
        return self._versions[aggregate_id]

    def advance(self, event: RecordedEvent) -> None:
        """Note that the aggregate's next event is done with."""
        self._versions[event.aggregate_id] = event.event_version
        self._moved.add(event.aggregate_id)

    async def take_back(self, event: RecordedEvent) -> bool:
        """Return whether the event was passed over, and forget that it was."""
        cursor = await self._connection.execute(_QUERIES["take_back"], self._names(event))
        return cursor.rowcount > 0

    async def pass_over(self, event: RecordedEvent, error: BaseException) -> None:
        """Note that the aggregate's next event cannot be handled, and why."""
        said = f"{type(error).__name__}: {error}".replace("\0", "")[:_ERROR_CHARACTERS]
        await self._connection.execute(_QUERIES["pass_over"], {**self._names(event), "error": said})
        self.advance(event)

    async def save(self) -> None:
        """Write what has changed."""
        moved = sorted(self._moved)
        if moved:
            values = {
                "projection": self._projection,
                "aggregate_ids": moved,
                "event_versions": [self._versions[aggregate_id] for aggregate_id in moved],
            }
            await self._connection.execute(_QUERIES["set_versions"], values)

    def _names(self, event: RecordedEvent) -> Mapping[str, Any]:
        return {
            "projection": self._projection,
            "aggregate_id": event.aggregate_id,
            "event_version": event.event_version,
            "event_id": event.event_id,
        }


async def create_projection_tables(connection: psycopg.AsyncConnection[Any]) -> None:
    """Create what projections keep, beside their own tables, unless it exists.

    Args:
        connection: To the projections' database, as a role that may create tables.

    Raises:
        psycopg.Error: The database is away, or refuses.
    """
    async with connection.transaction():
        await connection.execute(_QUERIES["create_tables"])


async def passed_over(connection: psycopg.AsyncConnection[Any], projection: str) -> tuple[PassedOver, ...]:
    """Return the events that a projection left behind, in order."""
    cursor = await connection.execute(_QUERIES["passed_over"], {"projection": projection})
    return tuple(PassedOver(*row) for row in await cursor.fetchall())
