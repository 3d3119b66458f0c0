"""A relay whose database hangs goes on, on another connection, as soon as there is one."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from event_store.database import connection
from event_store.database.login import Login
from event_store.outbox import lease
from event_store.outbox.relay import Relay
from event_store.replay.replayer import Replayer
from tests.conftest import TestDatabase
from tests.event_store.outbox.bus import PATIENCE_SECONDS, Bus, assert_in_order, positions_of
from tests.event_store.outbox.conftest import StartRelay
from tests.event_store.outbox.log import Log
from tests.proxy import Proxy


@pytest.fixture
async def proxy(database: TestDatabase, log: Log, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Proxy]:
    """The relays' way to the database, with shorter limits; the log's appender has its own already."""
    await log.append(str(uuid4()), "Private", 1)
    monkeypatch.setattr(lease, "STATEMENT_SECONDS", 0.8)
    monkeypatch.setattr(connection, "CANCEL_SECONDS", 0.4)
    monkeypatch.setattr(connection, "CONNECT_SECONDS", 1.0)
    async with Proxy(database.postgres.port) as proxy:
        monkeypatch.setenv("PGPORT", str(proxy.port))
        yield proxy


async def test_a_relay_whose_connection_hangs_goes_on(
    bus: Bus, log: Log, proxy: Proxy, start_relay: StartRelay
) -> None:
    """It gives the connection up, takes its lease again and publishes what came meanwhile, in order."""
    aggregate_id = str(uuid4())
    relay = await start_relay(bus.routing())
    await log.append(aggregate_id, "First", 2)
    await log.until("position = 2 FROM relays")

    proxy.freeze()
    await log.append(aggregate_id, "First", 3)
    messages = await bus.receive_events("first", {2, 3})
    await log.until("position = 3 FROM relays")

    assert_in_order(messages)
    assert positions_of(messages)[0] == 2
    assert log.query("SELECT lease_owner FROM relays") == relay.owner


async def test_what_relays_ends_while_the_database_hangs(
    bus: Bus, login: Login, log: Log, proxy: Proxy
) -> None:
    """A stop waits for no answer beyond its limits, whatever is under way."""
    relay, replayer = Relay(login, bus.routing()), Replayer(login, bus.routing())
    running = [asyncio.create_task(relay.run()), asyncio.create_task(replayer.run())]
    await log.until("position = 1 FROM relays")
    proxy.hold("answers")
    await log.append(str(uuid4()), "First", 2)
    await proxy.until_held()

    relay.stop()
    replayer.stop()
    async with asyncio.timeout(PATIENCE_SECONDS / 2):
        await asyncio.gather(*running)
