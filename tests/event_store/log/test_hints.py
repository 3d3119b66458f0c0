"""A notification is a hint: there is one for each batch, and a queue that is full of them refuses nothing."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from event_store.environment import Environment
from tests.conftest import TestDatabase
from tests.event_store.conftest import Service, running
from tests.event_store.imports import PATIENCE_SECONDS, history, run_import
from tests.event_store.requests import append

SMALLEST_QUEUE_PAGES = 64
PAYLOAD = "x" * 7900  # one takes a page
LISTEN = "LISTEN event_store_appended"


async def until_heard(connection: psycopg.AsyncConnection, heard: list[psycopg.Notify], count: int) -> None:
    """Wait for so many notifications, and for what came with them."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while len(heard) < count:
            await connection.execute("SELECT pg_sleep(0.01)")  # a statement's answer brings them
    await connection.execute("SELECT 1")


async def test_each_batch_that_stores_something_gives_one_hint(any_service: Service) -> None:
    """An append of several events and a part of an import are a notification each, a repeated append none."""
    heard: list[psycopg.Notify] = []
    repeated = append(events=3)
    async with await psycopg.AsyncConnection.connect(
        any_service.database.runtime, autocommit=True
    ) as connection:
        connection.add_notify_handler(heard.append)
        await connection.execute(LISTEN)
        await any_service.append(repeated)
        await until_heard(connection, heard, 1)
        assert await run_import(any_service, history(3)) == [0, 3]
        await until_heard(connection, heard, 2)
        await any_service.append(repeated)
        await any_service.append(append())
        await until_heard(connection, heard, 3)

    assert [each.channel for each in heard] == ["event_store_appended"] * 3


def fill(connection: psycopg.Connection) -> None:
    for number in range(2 * SMALLEST_QUEUE_PAGES):
        connection.execute("SELECT pg_notify('other', %s)", (f"{number}{PAYLOAD}",))


@contextmanager
def full_queue(database: TestDatabase) -> Iterator[None]:
    """Have a session that listens and stays in a transaction, and the queue filled behind it."""
    with (
        psycopg.connect(database.superuser) as sleeper,
        psycopg.connect(database.superuser, autocommit=True) as filler,
    ):
        sleeper.execute(LISTEN)
        sleeper.commit()
        sleeper.execute("SELECT 1")
        with pytest.raises(psycopg.Error, match="too many notifications"):
            fill(filler)
        yield
        sleeper.rollback()


async def test_a_full_queue_of_notifications_refuses_no_append_and_no_import(
    mortal_database: TestDatabase,
    environment: Environment,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Both are stored without a hint, the service warns, and once the cause is gone there are hints again."""
    with psycopg.connect(mortal_database.superuser, autocommit=True) as connection:
        connection.execute(f"ALTER SYSTEM SET max_notify_queue_pages = {SMALLEST_QUEUE_PAGES}".encode())
    mortal_database.postgres.stop()
    mortal_database.postgres.start()

    async with running(mortal_database, environment, monkeypatch) as service:
        with full_queue(mortal_database):
            assert (await service.append(append()))[0].first_global_position == 1
            assert await run_import(service, history(3)) == [0, 3]
            assert len(await service.read_all()) == 4
            with caplog.at_level(logging.INFO, "event_store.server.heartbeat"):
                await service.server._heartbeat.beat()
            (line,) = [each for each in caplog.records if each.msg == "heartbeat"]
            assert line.__dict__["notification_queue_usage"] > 0.9
            assert "notification queue is" in caplog.text

        async with await psycopg.AsyncConnection.connect(
            mortal_database.runtime, autocommit=True
        ) as connection:
            heard: list[psycopg.Notify] = []
            connection.add_notify_handler(heard.append)
            await connection.execute(LISTEN)
            await service.append(append())
            await until_heard(connection, heard, 1)
            caplog.clear()
            await service.server._heartbeat.beat()
            assert "notification queue is" not in caplog.text
