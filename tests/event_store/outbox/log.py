"""The log of a test: real appends, and the relay's row."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, LiteralString

import psycopg

from event_store.client import messages
from event_store.contract.append_request import prepare_request
from event_store.errors import UnavailableError
from event_store.log.appender import Appender
from event_store.model.events import AggregateAppend, ExpectedVersion, NewEvent
from tests.event_store.outbox.bus import PATIENCE_SECONDS


class Log:
    """The log of a test: real appends, and the relay's row."""

    def __init__(self, appender: Appender, conninfo: str) -> None:
        self.appender = appender
        self._conninfo = conninfo

    async def append(self, aggregate_id: str, aggregate_type: str, *data: Any) -> list[int]:
        """Append an event for each value; return their positions."""
        return await self.append_events(
            aggregate_id, aggregate_type, [NewEvent("Happened", value) for value in data]
        )

    async def append_events(
        self, aggregate_id: str, aggregate_type: str, events: list[NewEvent]
    ) -> list[int]:
        """Append events; return their positions."""
        append = AggregateAppend(aggregate_id, aggregate_type, events, ExpectedVersion.ANY)
        request = prepare_request(messages.append_request([append]), None)
        result = (await self.appender.append(request)).results[0]
        return list(range(result.first_global_position, result.last_global_position + 1))

    def query(self, sql: LiteralString) -> Any:
        """Run a statement as one who may do everything; return its first value, if any."""
        with psycopg.connect(self._conninfo, autocommit=True) as connection:
            cursor = connection.execute(sql)
            row = cursor.fetchone() if cursor.description else None
            return row[0] if row else None

    async def append_again(self, aggregate_id: str, aggregate_type: str, *data: Any) -> list[int]:
        """Append, and append again while the database is away."""
        events = [NewEvent("Happened", value) for value in data]
        while True:
            with suppress(UnavailableError):
                return await self.append_events(aggregate_id, aggregate_type, events)

    def insert_oversize(self, aggregate_id: str, aggregate_type: str) -> None:
        """Store an event that is too large for Pub/Sub, which no append would."""
        with psycopg.connect(self._conninfo, autocommit=True) as connection:
            connection.execute(
                "WITH head AS (UPDATE log_head SET position = position + 1 RETURNING position) "
                "INSERT INTO events SELECT gen_random_uuid(), %(id)s, %(type)s, 'Happened', "
                "(SELECT count(*) + 1 FROM events WHERE aggregate_id = %(id)s), "
                "to_jsonb(repeat('x', 10000000)), '{}', now(), now(), position FROM head",
                {"id": aggregate_id, "type": aggregate_type},
            )

    def mend(self) -> None:
        """Make every event small enough for Pub/Sub, as if its limit had been raised."""
        self.query("ALTER TABLE events DISABLE TRIGGER append_only")
        self.query("UPDATE events SET event_data = '1' WHERE length(event_data::text) > 1000000")

    def set_data(self, position: int, text: str) -> None:
        """Let an event have other data, which no append would store."""
        self.query("ALTER TABLE events DISABLE TRIGGER append_only")
        with psycopg.connect(self._conninfo, autocommit=True) as connection:
            connection.execute(
                "UPDATE events SET event_data = %s::jsonb WHERE global_position = %s", (text, position)
            )

    def insert_large(self, aggregate_type: str, count: int, size_bytes: int = 1_000_000) -> None:
        """Store events of 1 MB each that take a hundredth of that on disk."""
        with psycopg.connect(self._conninfo, autocommit=True) as connection:
            connection.execute(
                "WITH head AS (UPDATE log_head SET position = position + %(count)s RETURNING position) "
                "INSERT INTO events SELECT gen_random_uuid(), gen_random_uuid(), %(type)s, 'Happened', 1, "
                "to_jsonb(repeat('x', %(size)s)), '{}', now(), now(), position - %(count)s + number "
                "FROM head, generate_series(1, %(count)s) AS number",
                {"type": aggregate_type, "count": count, "size": size_bytes},
            )

    def terminate(self, which: LiteralString) -> None:
        """End connections of the service."""
        service = "FROM pg_stat_activity WHERE usename = 'runtime' AND datname = current_database()"
        self.query(f"SELECT count(pg_terminate_backend(pid)) {service} AND {which}")

    @property
    def checkpoint(self) -> int:
        """The relay's checkpoint."""
        return int(self.query("SELECT position FROM relays"))

    def expire_lease(self) -> None:
        """Let the time of the relay's lease pass."""
        self.query("UPDATE relays SET lease_expires_at = clock_timestamp()")

    @asynccontextmanager
    async def locked(self, statement: LiteralString) -> AsyncIterator[None]:
        """Hold the locks that a statement takes; PostgreSQL may be killed within."""
        blocker = await psycopg.AsyncConnection.connect(self._conninfo)
        await blocker.execute(statement)
        try:
            yield
        finally:
            with suppress(psycopg.OperationalError):
                await blocker.rollback()
            await blocker.close()

    async def until_somebody_waits(self) -> None:
        """Wait until a statement waits for a lock."""
        await self.until(
            "count(*) > 0 FROM pg_stat_activity "
            "WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )

    async def until(self, sql: LiteralString) -> None:
        """Wait until a condition holds in the database."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not self.query(f"SELECT {sql}"):  # noqa: ASYNC110 # the database gives no signal for it
                await asyncio.sleep(0.02)
