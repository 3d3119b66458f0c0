"""Publishing under a lease ends as it is told to: what was read is published, and nothing hangs for long."""

import asyncio
from typing import NoReturn
from uuid import uuid4

import psycopg
import pytest

from event_store.outbox.publish_loop import DRAIN_SECONDS, PublishLoop
from event_store.outbox.relay_lease import RelayLease
from event_store.outbox.watermark import Publication
from event_store.pubsub.messages_pb2 import PubsubMessage
from event_store.pubsub.publisher import Publisher
from tests.event_store.outbox.bus import PATIENCE_SECONDS, Bus
from tests.event_store.outbox.conftest import StartRelay
from tests.event_store.outbox.gate import Gate
from tests.event_store.outbox.log import Log
from tests.event_store.outbox.settled import Settled

KEYS = ("a", "b", "c")


async def _publish_until_stopped(bus: Bus) -> list[str]:
    """Read a message for each key, with more known behind them, and be stopped; return what was settled."""
    settled = Settled()
    stopping = asyncio.Event()
    publisher = Publisher()
    await publisher.open()
    topic = bus.routing().topics["first"].path

    async def read() -> NoReturn:
        publish_loop.keep_back()
        for position, key in enumerate(KEYS, 1):
            message = PubsubMessage(data=b"1", ordering_key=key)
            publish_loop.add(message, str(uuid4()), Publication(topic, position))
        stopping.set()
        while True:
            await asyncio.Event().wait()

    async with await psycopg.AsyncConnection.connect(autocommit=True) as connection:
        lease = await RelayLease.acquire(connection, "holder")
        assert lease is not None
        publish_loop = PublishLoop(lease, publisher, settled, 2)
        async with asyncio.timeout(PATIENCE_SECONDS):
            await publish_loop.run(stopping, read())
    await publisher.close()
    return settled.ordering_keys


@pytest.mark.usefixtures("log")
async def test_a_stop_publishes_what_was_read(bus: Bus) -> None:
    """Those that were kept back for fuller requests too."""
    assert sorted(await _publish_until_stopped(bus)) == list(KEYS)


@pytest.mark.usefixtures("log")
async def test_a_stop_ends_though_pubsub_hangs(bus: Bus, gate: Gate) -> None:
    """It waits for a few seconds, and nothing counts as published."""
    await gate.close()
    started = asyncio.get_running_loop().time()

    assert await _publish_until_stopped(bus) == []

    assert asyncio.get_running_loop().time() - started >= DRAIN_SECONDS


async def test_a_stop_writes_the_last_checkpoint(
    bus: Bus, log: Log, start_relay: StartRelay, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long it is to the next one: the next relay publishes nothing again."""
    monkeypatch.setattr("event_store.outbox.relay_term.CHECKPOINT_SECONDS", 600)
    await log.append(str(uuid4()), "First", 1, 2)
    relay = await start_relay(bus.routing())
    await bus.receive_events("first", {1, 2})

    relay.stop()

    await log.until("lease_owner IS NULL AND position = 2 FROM relays")
