"""A projection for tests: it writes down every effect, so that a second one of the same event shows."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import uuid4

import psycopg

from event_store.client.client import Client
from event_store.consumer.checkpoints import create_projection_tables
from event_store.consumer.projection import Projection
from event_store.model.events import ExpectedVersion, NewEvent, RecordedEvent

PATIENCE_SECONDS: Final = 20.0
POISON: Final = "poison"


@dataclass
class Words:
    """The tables of a projection, and what its handler does to them."""

    conninfo: str
    cured: bool = False
    seen: list[str] = field(default_factory=list)

    async def create(self) -> None:
        """Create the tables."""
        async with self.connect() as connection:
            await create_projection_tables(connection)
            await connection.execute(
                "CREATE TABLE IF NOT EXISTS effects (number serial, projection text, aggregate_id text, "
                "event_version int, word text)"
            )

    @contextlib.asynccontextmanager
    async def connect(self) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
        """Lend a connection."""
        async with await psycopg.AsyncConnection.connect(self.conninfo, autocommit=True) as connection:
            yield connection

    def projection(self, client: Client, name: str = "words", **options: Any) -> Projection:
        """Return a projection into the tables."""

        async def handler(connection: psycopg.AsyncConnection[Any], event: RecordedEvent) -> None:
            self.seen.append(event.event_id)
            await self.write(connection, event, name)
            if event.event_data == POISON and not self.cured:
                raise ValueError("no word")

        return Projection(name, client, self.connect, handler, **options)

    async def write(
        self,
        connection: psycopg.AsyncConnection[Any] | psycopg.AsyncCursor[Any],
        event: RecordedEvent,
        name: str = "words",
    ) -> None:
        """Write an effect down."""
        await connection.execute(
            "INSERT INTO effects (projection, aggregate_id, event_version, word) VALUES (%s, %s, %s, %s)",
            (name, event.aggregate_id, event.event_version, event.event_data),
        )

    def effects(self, name: str = "words") -> dict[str, list[Any]]:
        """Return the words of each aggregate in the order of their effects."""
        with psycopg.connect(self.conninfo) as connection:
            rows = connection.execute(
                "SELECT aggregate_id, word FROM effects WHERE projection = %s ORDER BY number", (name,)
            )
            words: dict[str, list[Any]] = {}
            for aggregate_id, word in rows:
                words.setdefault(aggregate_id, []).append(word)
            return words

    async def until(self, reached: Callable[[dict[str, list[Any]]], bool]) -> None:
        """Wait until the effects are so."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not reached(await asyncio.to_thread(self.effects)):  # noqa: ASYNC110 # it gives no signal
                await asyncio.sleep(0.02)


async def append(client: Client, *words: str, aggregate_id: str = "", kind: str = "Vocabulary") -> str:
    """Append an event for each word; return the aggregate."""
    aggregate_id = aggregate_id or str(uuid4())
    events = [NewEvent("WordAdded", word) for word in words]
    await client.append(aggregate_id, kind, events, expected_version=ExpectedVersion.ANY)
    return aggregate_id


async def read(client: Client, aggregate_id: str) -> list[RecordedEvent]:
    """Return the events of an aggregate."""
    return [event async for event in client.read_aggregate(aggregate_id)]
