"""PostgreSQL or Pub/Sub is killed: a test for each of their rows of the table in `relay.py`.

What a killed Pub/Sub had acknowledged is lost with it here, as it is not with Google's: that the relay does
not publish it again shows that it was checkpointed.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import uuid4

import pytest

from tests.conftest import TestDatabase, kill
from tests.event_store.outbox.bus import Bus, assert_in_order, bus_at, positions_of
from tests.event_store.outbox.conftest import StartRelay
from tests.event_store.outbox.log import Log
from tests.mortal_pubsub import MortalPubSub
from tests.proxy import Proxy

CHECKPOINT = "SELECT FROM relays FOR UPDATE"
PARKING = "LOCK TABLE parked_messages IN SHARE MODE"


@pytest.fixture
def database(mortal_database: TestDatabase) -> TestDatabase:
    """The database that the log is in may be killed."""
    return mortal_database


async def test_postgresql_dies_before_a_checkpoint(
    bus: Bus, log: Log, start_relay: StartRelay, database: TestDatabase
) -> None:
    """What was published is published again, in order, and then checkpointed."""
    aggregate_id = str(uuid4())
    await start_relay(bus.routing())
    await log.until("lease_owner IS NOT NULL FROM relays")
    async with log.locked(CHECKPOINT):
        await log.append(aggregate_id, "First", 1, 2)
        messages = await bus.receive_events("first", {1, 2})
        await log.until_somebody_waits()
        kill(database.postgres)
    database.postgres.start()

    messages += await bus.receive_events("first", {1, 2})

    assert_in_order(messages)
    await log.until("position = 2 FROM relays")


async def test_postgresql_dies_after_a_checkpoint(
    bus: Bus, log: Log, start_relay: StartRelay, database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The relay did not hear of its checkpoint, and goes on behind it all the same."""
    aggregate_id = str(uuid4())
    await log.append(aggregate_id, "First", 1)  # on a connection that no proxy holds
    async with Proxy(database.postgres.port) as proxy:
        monkeypatch.setenv("PGPORT", str(proxy.port))
        await start_relay(bus.routing())
        await log.until("position = 1 FROM relays")
        async with log.locked(CHECKPOINT):
            await log.append(aggregate_id, "First", 2, 3)
            assert positions_of(await bus.receive_events("first", {1, 2, 3})) == [1, 2, 3]
            await log.until_somebody_waits()
            proxy.hold("answers")
        await log.until("position = 3 FROM relays")
        kill(database.postgres)
        proxy.cut()
        database.postgres.start()
        await log.append_again(aggregate_id, "First", 4)

        assert positions_of(await bus.receive_events("first", {4})) == [4]
        await log.until("position = 4 FROM relays")


async def test_postgresql_dies_before_a_message_is_parked(
    bus: Bus, log: Log, start_relay: StartRelay, database: TestDatabase
) -> None:
    """It is refused again, and parked then, once; what follows it is published after that."""
    aggregate_id = str(uuid4())
    log.insert_oversize(aggregate_id, "First")
    await log.append(aggregate_id, "First", 2)
    async with log.locked(PARKING):
        await start_relay(bus.routing())
        await log.until_somebody_waits()
        assert await bus.rest("first") == []
        kill(database.postgres)
    database.postgres.start()

    assert positions_of(await bus.receive_events("first", {2})) == [2]
    await log.until("position = 2 FROM relays")
    assert log.query("SELECT count(*) FROM parked_messages") == 1


@dataclass(frozen=True)
class Crash:
    """A relay that has published the first event of an aggregate, and a Pub/Sub that can be killed."""

    aggregate_id: str
    bus: Bus
    log: Log
    pubsub: MortalPubSub
    proxy: Proxy

    async def kill_pubsub(self) -> None:
        await self.pubsub.kill()
        self.proxy.cut()

    async def received_by_the_next(self, positions: set[int]) -> list[int]:
        """Start another Pub/Sub and return what the relay publishes there."""
        await self.pubsub.start()
        async with bus_at(self.pubsub.address, self.bus) as bus:
            messages = await bus.receive_events("first", positions)
            await self.log.until("position = (SELECT position FROM log_head) FROM relays")
            return positions_of(messages + await bus.rest("first"))


@pytest.fixture(params=["embedded", "official"])
async def crash(
    log: Log, start_relay: StartRelay, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> AsyncIterator[Crash]:
    async with (
        MortalPubSub(request.param) as pubsub,
        Proxy(pubsub.port) as proxy,
        bus_at(pubsub.address) as bus,
    ):
        monkeypatch.setenv("PUBSUB_EMULATOR_HOST", f"127.0.0.1:{proxy.port}")
        aggregate_id = str(uuid4())
        await start_relay(bus.routing())
        await log.append(aggregate_id, "First", 1)
        assert positions_of(await bus.receive_events("first", {1})) == [1]
        await log.until("position = 1 FROM relays")
        yield Crash(aggregate_id, bus, log, pubsub, proxy)


async def test_pubsub_dies_before_it_has_a_message(crash: Crash) -> None:
    """The relay publishes it to the next one."""
    crash.proxy.hold("requests")
    await crash.log.append(crash.aggregate_id, "First", 2, 3)
    await crash.proxy.until_held(crash.aggregate_id)
    await crash.kill_pubsub()
    assert crash.log.checkpoint == 1

    assert await crash.received_by_the_next({2, 3}) == [2, 3]


async def test_pubsub_dies_before_it_acknowledges_a_message(crash: Crash) -> None:
    """The relay publishes it again, though it was received already."""
    crash.proxy.hold("answers")
    await crash.log.append(crash.aggregate_id, "First", 2, 3)
    assert positions_of(await crash.bus.receive_events("first", {2, 3})) == [2, 3]
    await crash.proxy.until_held()
    await crash.kill_pubsub()
    assert crash.log.checkpoint == 1

    assert await crash.received_by_the_next({2, 3}) == [2, 3]


async def test_pubsub_dies_after_it_acknowledged_a_message(crash: Crash) -> None:
    """The relay checkpoints it, for it is the bus's to keep, and publishes what comes next."""
    async with crash.log.locked(CHECKPOINT):
        await crash.log.append(crash.aggregate_id, "First", 2, 3)
        assert positions_of(await crash.bus.receive_events("first", {2, 3})) == [2, 3]
        await crash.log.until_somebody_waits()
        await crash.kill_pubsub()
    await crash.log.until("position = 3 FROM relays")
    await crash.log.append(crash.aggregate_id, "First", 4)

    assert await crash.received_by_the_next({4}) == [4]
