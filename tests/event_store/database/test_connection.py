"""A connection to PostgreSQL never waits without a limit, whatever it is doing."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final

import psycopg
import pytest

from event_store.database import connection as module
from event_store.database.connection import Connection
from tests.conftest import TestDatabase
from tests.proxy import Proxy

PATIENCE_SECONDS: Final = 8.0  # far below psycopg's own limits of a cancellation
LARGE: Final = "x" * 30_000_000  # more than the buffers of a wire hold


@pytest.fixture
async def proxy(database: TestDatabase) -> AsyncIterator[Proxy]:
    async with Proxy(database.postgres.port) as proxy:
        yield proxy


async def _connect(database: TestDatabase, proxy: Proxy, *, autocommit: bool = True) -> Connection:
    return await Connection.connect(
        psycopg.conninfo.make_conninfo(database.runtime, port=proxy.port),
        answer_seconds=0.5,
        autocommit=autocommit,
    )


async def _in_transaction(connection: Connection) -> None:
    async with connection.transaction():
        await connection.execute("SELECT 1")


async def _copy(connection: Connection) -> None:
    async with connection.cursor() as cursor, cursor.copy("COPY (SELECT 1) TO STDOUT") as copy:
        async for _ in copy.rows():
            pass


@pytest.mark.parametrize(
    "waiting",
    [
        lambda connection: connection.execute("SELECT 1"),
        _in_transaction,
        _copy,
    ],
    ids=["statement", "BEGIN", "COPY"],
)
async def test_a_server_that_does_not_answer_is_a_lost_connection(
    database: TestDatabase, proxy: Proxy, waiting: Callable[[Connection], Awaitable[Any]]
) -> None:
    """Whatever is asked, the wait ends after `answer_seconds`, and the connection is closed."""
    connection = await _connect(database, proxy)
    await connection.execute("SELECT 1")
    proxy.freeze()

    async with asyncio.timeout(PATIENCE_SECONDS):
        with pytest.raises(psycopg.OperationalError, match="no answer within"):
            await waiting(connection)

    assert connection.closed


async def test_a_server_that_stops_reading_is_a_lost_connection(database: TestDatabase) -> None:
    """Nor is a statement larger than the wire's buffers waited for, where the server's process is frozen."""
    connection = await Connection.connect(database.runtime, answer_seconds=0.5, autocommit=True)
    pid = connection.info.backend_pid
    os.kill(pid, signal.SIGSTOP)
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            with pytest.raises(psycopg.OperationalError, match="no answer within"):
                await connection.execute("SELECT length(%s)", (LARGE,))
    finally:
        os.kill(pid, signal.SIGCONT)

    assert connection.closed


@pytest.mark.parametrize("end", ["commit", "rollback"])
async def test_the_end_of_a_transaction_does_not_wait_for_ever(
    database: TestDatabase, proxy: Proxy, end: str
) -> None:
    """COMMIT and ROLLBACK have the same limit; the outcome is the caller's to find out."""
    connection = await _connect(database, proxy, autocommit=False)
    await connection.execute("SELECT 1")
    proxy.freeze()

    async with asyncio.timeout(PATIENCE_SECONDS):
        with pytest.raises(psycopg.OperationalError, match="no answer within"):
            await getattr(connection, end)()

    assert connection.closed


async def test_a_cancelled_statement_does_not_wait_for_a_server_that_hangs(
    database: TestDatabase, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the request to cancel, on a wire of its own, nor the statement's end is waited for."""
    monkeypatch.setattr(module, "CANCEL_SECONDS", 0.5)
    connection = await _connect(database, proxy)
    connection.answer_seconds = 60
    proxy.hold("answers")  # of the request to cancel too
    statement = asyncio.create_task(connection.execute("SELECT 1"))
    await proxy.until_held()

    statement.cancel()
    await asyncio.wait([statement], timeout=3)

    assert statement.cancelled()
    assert connection.closed


async def test_a_cancelled_statement_keeps_a_connection_that_answers(
    database: TestDatabase, proxy: Proxy
) -> None:
    """The server ends the statement, and the next one runs on the same connection."""
    connection = await _connect(database, proxy)
    connection.answer_seconds = 60
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await connection.execute("SELECT pg_sleep(60)")

    row = await (await connection.execute("SELECT 1")).fetchone()

    assert row == (1,)
    await connection.close()


async def test_a_server_that_accepts_and_says_nothing_refuses(
    database: TestDatabase, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new connection is made within a bounded time, or it is an error."""
    monkeypatch.setattr(module, "CONNECT_SECONDS", 0.5)
    proxy.hold("answers")

    async with asyncio.timeout(PATIENCE_SECONDS):
        with pytest.raises(psycopg.OperationalError, match="no connection within"):
            await _connect(database, proxy)


async def test_closing_waits_for_nothing(database: TestDatabase, proxy: Proxy) -> None:
    """Even where the wire takes nothing more."""
    connection = await _connect(database, proxy)
    proxy.freeze()
    started = time.monotonic()

    await connection.close()

    assert time.monotonic() - started < 1


async def test_silence_is_no_failure_where_nothing_was_asked(database: TestDatabase, proxy: Proxy) -> None:
    """A wait for notifications lasts as long as it was told to, and the connection lives on."""
    connection = await _connect(database, proxy)
    connection.answer_seconds = 0.3
    await connection.execute("LISTEN nothing")

    received = [each async for each in connection.notifies(timeout=1.0)]

    assert received == []
    assert await (await connection.execute("SELECT 1")).fetchone() == (1,)
    await connection.close()


async def test_an_idle_connection_lives_on(database: TestDatabase, proxy: Proxy) -> None:
    """The limit of a statement ends with the statement, not with the connection."""
    connection = await _connect(database, proxy)
    await connection.execute("SELECT 1")

    await asyncio.sleep(2 * connection.answer_seconds)  # in which nothing is asked

    assert await (await connection.execute("SELECT 1")).fetchone() == (1,)
    await connection.close()
