"""A wait for new events ends by a hint, and without one all the same."""

import asyncio
from collections.abc import AsyncIterator
from operator import attrgetter

import pytest

from event_store.database.login import Login
from event_store.log import notifications
from event_store.log.notifications import Wakeup
from event_store.outbox.relay import Relay
from event_store.topology import Routing
from tests.conftest import TestDatabase
from tests.event_store.outbox.bus import PATIENCE_SECONDS
from tests.event_store.outbox.log import Log
from tests.proxy import Proxy

NEVER_SECONDS = 3600
is_listening = attrgetter("_listening")


@pytest.fixture
async def listening(login: Login) -> AsyncIterator[Wakeup]:
    """One that listens, or tries to."""
    woken = Wakeup(login)
    task = asyncio.create_task(woken.listen())
    yield woken
    task.cancel()
    await asyncio.wait([task])


async def test_a_notification_ends_a_wait(
    log: Log, listening: Wakeup, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So does the moment in which listening begins: there may have been some before."""
    for interval in ("LISTENING_SECONDS", "POLLING_SECONDS"):
        monkeypatch.setattr(notifications, interval, NEVER_SECONDS)

    async with asyncio.timeout(PATIENCE_SECONDS):
        await listening.wait()
        waiting = asyncio.create_task(listening.wait())
        await asyncio.sleep(0)
        assert not waiting.done()
        log.query("SELECT pg_notify('event_store_appended', '')")
        await waiting


async def test_a_wait_ends_without_a_notification(listening: Wakeup, monkeypatch: pytest.MonkeyPatch) -> None:
    """Polling is the truth, though somebody listens."""
    monkeypatch.setattr(notifications, "POLLING_SECONDS", NEVER_SECONDS)
    async with asyncio.timeout(PATIENCE_SECONDS):
        await listening.wait()  # until it listens
        await listening.wait()


async def test_one_hint_ends_one_wait(login: Login, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next one lasts as long as ever."""
    monkeypatch.setattr(notifications, "POLLING_SECONDS", 0.2)
    woken = Wakeup(login)
    woken.hint()
    async with asyncio.timeout(PATIENCE_SECONDS):
        await woken.wait()
        started = asyncio.get_running_loop().time()
        await woken.wait()

    assert asyncio.get_running_loop().time() - started >= 0.19


async def test_whoever_cannot_listen_polls_more_often(
    database: TestDatabase, login: Login, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the moment in which the connection ends."""
    polling_seconds = notifications.POLLING_SECONDS
    for interval in ("LISTENING_SECONDS", "POLLING_SECONDS", "_FIRST_WAIT_SECONDS", "_LONGEST_WAIT_SECONDS"):
        monkeypatch.setattr(notifications, interval, NEVER_SECONDS)
    async with Proxy(database.postgres.port) as proxy:
        monkeypatch.setenv("PGPORT", str(proxy.port))
        woken = Wakeup(login)
        task = asyncio.create_task(woken.listen())
        async with asyncio.timeout(PATIENCE_SECONDS):
            await woken.wait()  # until it listens
            monkeypatch.setattr(notifications, "POLLING_SECONDS", polling_seconds)
            proxy.cut()
            while is_listening(woken):  # noqa: ASYNC110 # nothing else tells of it
                await asyncio.sleep(0.01)
            await woken.wait()
        task.cancel()
        await asyncio.wait([task])


async def test_an_appender_of_the_same_process_wakes_the_relay(
    login: Login, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a notification."""
    monkeypatch.setattr(notifications, "POLLING_SECONDS", NEVER_SECONDS)
    relay = Relay(login, Routing({}, (), "store-only"))

    relay.wake()

    async with asyncio.timeout(PATIENCE_SECONDS):
        await relay._wakeup.wait()
