"""Wherever an append is interrupted, it is stored once: a test for each row of the table in `appender.py`."""

import pytest

from local_gcp.system.ports import free_port
from tests.conftest import TestDatabase, kill
from tests.event_store.log.appending import (
    ANOTHER_BATCH_WAITS,
    COMMITTED,
    ONE_BATCH_WAITS,
    Appending,
    crashing_service,
    locked_log,
    serving,
    until,
    waiting,
)
from tests.processes import kill_process, until_it_dies
from tests.proxy import Proxy


async def test_the_service_dies_before_a_batch_is_sent(database: TestDatabase) -> None:
    """Nothing of it is stored, and the client sends it to the next service."""
    port = free_port()
    appending = Appending(port, database)
    async with crashing_service("before a batch is sent", port, database) as dying:
        await appending.begin()
        await until_it_dies(dying)

    async with crashing_service("none", port, database):
        await appending.end()


async def test_the_service_dies_before_a_commit(database: TestDatabase) -> None:
    """The next service's batch waits for the orphaned transaction, and is told what that has stored."""
    port = free_port()
    appending = Appending(port, database)
    async with crashing_service("none", port, database) as dying, locked_log(database):
        await appending.begin()
        orphan = await waiting(database)
        await kill_process(dying)
        next_one = crashing_service("none", port, database)
        await next_one.__aenter__()
        await until(database, ANOTHER_BATCH_WAITS, orphan)
    try:
        await appending.end()
    finally:
        await next_one.__aexit__(None, None, None)


async def test_the_service_dies_after_a_commit(database: TestDatabase) -> None:
    """Nobody was answered; sent again, the batch is answered with the positions that it has."""
    port = free_port()
    appending = Appending(port, database)
    async with crashing_service("after a commit", port, database) as dying:
        await appending.begin()
        await until_it_dies(dying)
    await until(database, COMMITTED)

    async with crashing_service("none", port, database):
        await appending.end()


async def test_postgresql_dies_before_a_commit(
    mortal_database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing of the batch is stored, and it is sent again when the database is back."""
    async with serving(mortal_database, monkeypatch) as port:
        appending = Appending(port, mortal_database)
        async with locked_log(mortal_database):
            await appending.begin()
            await until(mortal_database, ONE_BATCH_WAITS)
            kill(mortal_database.postgres)
        mortal_database.postgres.start()

        await appending.end()


async def test_postgresql_dies_after_a_commit(
    mortal_database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The service heard nothing of it; sent again, the batch is answered with the positions that it has."""
    async with (
        Proxy(mortal_database.postgres.port) as proxy,
        serving(mortal_database, monkeypatch, proxy) as port,
    ):
        appending = Appending(port, mortal_database)
        await appending.begin_and_hold(proxy)
        kill(mortal_database.postgres)
        proxy.cut()
        mortal_database.postgres.start()

        await appending.end()


async def test_the_connection_to_postgresql_is_cut_before_a_commit(
    database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The batch is sent on a new connection, and waits there for the end of the lost transaction."""
    async with Proxy(database.postgres.port) as proxy, serving(database, monkeypatch, proxy) as port:
        appending = Appending(port, database)
        async with locked_log(database):
            await appending.begin()
            lost = await waiting(database)
            proxy.cut()
            await until(database, ANOTHER_BATCH_WAITS, lost)

        await appending.end()


async def test_the_connection_to_postgresql_is_cut_after_a_commit(
    database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The service looks the batch up on a new connection, and nobody else hears of it."""
    async with Proxy(database.postgres.port) as proxy, serving(database, monkeypatch, proxy) as port:
        appending = Appending(port, database)
        await appending.begin_and_hold(proxy)
        proxy.cut()

        await appending.end()


async def test_the_clients_connection_is_cut_before_the_answers(
    database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client sends again what was stored, and is told where."""
    async with serving(database, monkeypatch) as port, Proxy(port) as proxy:
        appending = Appending(proxy.port, database)
        await appending.begin_and_hold(proxy)
        proxy.cut()

        await appending.end()
