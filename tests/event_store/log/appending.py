"""Appends that are interrupted, and what must have become of them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Final, LiteralString
from uuid import uuid4

import psycopg
import pytest

from event_store.client.client import Client
from event_store.environment import Environment
from event_store.model.events import AppendResult, ExpectedVersion, NewEvent
from event_store.server.server import Server
from tests.conftest import TestDatabase
from tests.processes import PATIENCE_SECONDS, Process, python
from tests.proxy import Proxy

APPENDS: Final = 6  # by each way
ONE_BATCH_WAITS: Final = (
    "SELECT count(*) >= 1 FROM pg_stat_activity "
    "WHERE wait_event_type = 'Lock' AND datname = current_database()"
)
# Not "two wait": the first one may have waited for too long by then, and be told so by PostgreSQL.
ANOTHER_BATCH_WAITS: Final = (
    "SELECT count(*) >= 1 FROM pg_stat_activity "
    "WHERE wait_event_type = 'Lock' AND datname = current_database() AND pid <> %s"
)
WHO_WAITS: Final = (
    "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
)
COMMITTED: Final = "SELECT position > 0 FROM log_head"


class Appending:
    """Appends in flight, by calls of their own and on a stream, and what must become of them.

    Args:
        port: Where the service is, sooner or later.
        database: Where they are stored, and nothing else is.
    """

    def __init__(self, port: int, database: TestDatabase) -> None:
        self._client = Client(f"127.0.0.1:{port}", timeout_seconds=PATIENCE_SECONDS)
        self._database = database
        self._stack = AsyncExitStack()
        self._answers: list[Awaitable[AppendResult]] = []
        self._events: list[str] = []

    async def begin(self) -> None:
        """Send them; those of the stream are for one aggregate, each expecting the one before it."""
        aggregate_id = str(uuid4())
        client = await self._stack.enter_async_context(self._client)
        stream = await self._stack.enter_async_context(client.append_stream())
        for number in range(APPENDS):
            alone, behind = NewEvent("Happened", number), NewEvent("Happened", number)
            self._events += [alone.event_id, behind.event_id]
            call = client.append(str(uuid4()), "Order", [alone], expected_version=ExpectedVersion.NO_STREAM)
            self._answers.append(asyncio.create_task(call))
            self._answers.append(
                await stream.append(aggregate_id, "Order", [behind], expected_version=number)
            )

    async def end(self) -> None:
        """See that each is acknowledged and in the log once, where it was told, and nothing else is."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            results = await asyncio.gather(*self._answers)
            await self._stack.aclose()
        with psycopg.connect(self._database.superuser) as connection:
            rows = connection.execute(
                "SELECT event_id::text, global_position, event_version FROM events ORDER BY 2"
            ).fetchall()
        assert [position for _, position, _ in rows] == list(range(1, 2 * APPENDS + 1))
        assert {event_id: (position, version) for event_id, position, version in rows} == {
            event_id: (result.first_global_position, result.event_version)
            for event_id, result in zip(self._events, results, strict=True)
        }
        assert [result.event_version for result in results[1::2]] == list(range(1, APPENDS + 1))

    async def begin_and_hold(self, proxy: Proxy) -> None:
        """Send them, and hold back what is answered to the first batch, which is committed."""
        async with locked_log(self._database):
            await self.begin()
            await until(self._database, ONE_BATCH_WAITS)
            proxy.hold("answers")
        await proxy.until_held()
        await until(self._database, COMMITTED)


@asynccontextmanager
async def crashing_service(point: str, port: int, database: TestDatabase) -> AsyncIterator[Process]:
    """Run a service in a process of its own that kills itself at a point."""
    async with python(
        "-m", "tests.event_store.log.crashing_service", point, **database.variables(), PORT=str(port)
    ) as process:
        yield process


@asynccontextmanager
async def serving(
    database: TestDatabase, monkeypatch: pytest.MonkeyPatch, proxy: Proxy | None = None
) -> AsyncIterator[int]:
    """Run a service that lives, which may reach its database through a proxy; its port."""
    for name, value in database.variables().items():
        monkeypatch.setenv(name, value)
    if proxy is not None:
        monkeypatch.setenv("PGPORT", str(proxy.port))
    server = Server(Environment(port=0), None)
    await server.start()
    try:
        yield server.port
    finally:
        await server.stop()


@asynccontextmanager
async def locked_log(database: TestDatabase) -> AsyncIterator[None]:
    """Hold the lock of the log, so that no batch gets to its commit; PostgreSQL may be killed within."""
    blocker = await psycopg.AsyncConnection.connect(database.superuser)
    await blocker.execute("SELECT FROM log_head FOR UPDATE")
    try:
        yield
    finally:
        with suppress(psycopg.OperationalError):
            await blocker.rollback()
        await blocker.close()


async def waiting(database: TestDatabase) -> int:
    """Return PostgreSQL's process of the batch that waits for the lock of the log."""
    await until(database, ONE_BATCH_WAITS)
    async with await psycopg.AsyncConnection.connect(database.superuser) as connection:
        row = await (await connection.execute(WHO_WAITS)).fetchone()
    assert row is not None
    return int(row[0])


async def until(database: TestDatabase, query: LiteralString, *parameters: int) -> None:
    """Wait until a query says true."""
    async with (
        asyncio.timeout(PATIENCE_SECONDS),
        await psycopg.AsyncConnection.connect(database.superuser, autocommit=True) as connection,
    ):
        while True:
            row = await (await connection.execute(query, parameters)).fetchone()
            if row is not None and row[0]:
                return
