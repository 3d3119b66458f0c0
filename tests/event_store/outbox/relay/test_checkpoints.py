"""The checkpoint moves as soon as it may, and no statement is spent on one that says nothing new."""

import asyncio
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import pytest

from event_store.outbox import relay, relay_term
from event_store.outbox.relay_lease import RelayLease
from event_store.pubsub.publisher import Publisher
from tests.event_store.outbox.bus import Bus
from tests.event_store.outbox.conftest import StartRelay
from tests.event_store.outbox.log import Log


@pytest.fixture
def checkpoints(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The positions that relays of this process write."""
    written: list[int] = []
    checkpoint = RelayLease.checkpoint

    async def watch(lease: RelayLease, position: int, topic_positions: Mapping[str, int]) -> None:
        written.append(position)
        await checkpoint(lease, position, topic_positions)

    monkeypatch.setattr(RelayLease, "checkpoint", watch)
    return written


@pytest.mark.parametrize("aggregate_type", ["First", "Private"])
async def test_a_checkpoint_does_not_wait_for_the_next_renewal(
    bus: Bus, log: Log, start_relay: StartRelay, monkeypatch: pytest.MonkeyPatch, aggregate_type: str
) -> None:
    """What is published, and what goes nowhere, moves it by itself."""
    monkeypatch.setattr(relay_term, "LEASE_SECONDS", 3600)
    await log.append(str(uuid4()), aggregate_type, 1, 2)

    await start_relay(bus.routing())

    await log.until("position = 2 AND lease_epoch = 1 FROM relays")


async def test_a_topic_without_messages_gets_on_behind_one_that_takes_nothing(
    bus: Bus, log: Log, start_relay: StartRelay, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its position is written with the next renewal, though no message of its own was published."""
    monkeypatch.setattr(relay_term, "LEASE_SECONDS", 1.5)
    await bus.delete("second")
    await log.append(str(uuid4()), "Second", 1, 2, 3)

    await start_relay(bus.routing())

    await log.until("topic_positions <> '{}' FROM relays")
    assert log.query("SELECT topic_positions FROM relays") == {bus.routing().topics["first"].path: 3}


async def test_a_checkpoint_that_says_nothing_new_is_not_written(
    bus: Bus, log: Log, start_relay: StartRelay, monkeypatch: pytest.MonkeyPatch, checkpoints: list[int]
) -> None:
    """A relay at rest costs its renewals alone."""
    monkeypatch.setattr(relay_term, "LEASE_SECONDS", 0.3)
    renewals = asyncio.Semaphore(0)
    renew = RelayLease.renew

    async def watch(lease: RelayLease) -> None:
        await renew(lease)
        renewals.release()

    monkeypatch.setattr(RelayLease, "renew", watch)
    await log.append(str(uuid4()), "First", 1)
    await start_relay(bus.routing())
    await log.until("position = 1 FROM relays")

    async with asyncio.timeout(20):
        for _ in range(5):
            await renewals.acquire()

    assert checkpoints == [1]


async def test_between_two_checkpoints_there_is_some_time(
    bus: Bus, log: Log, start_relay: StartRelay, monkeypatch: pytest.MonkeyPatch, checkpoints: list[int]
) -> None:
    """However many events are published meanwhile."""
    monkeypatch.setattr(relay_term, "CHECKPOINT_SECONDS", 2)
    started = asyncio.get_running_loop().time()
    await start_relay(bus.routing())
    for number in range(1, 11):
        await log.append(str(uuid4()), "First", number)
        await bus.receive_events("first", {number})

    await log.until("position = 10 FROM relays")

    assert len(checkpoints) <= (asyncio.get_running_loop().time() - started) / 2 + 1


async def test_what_is_known_to_be_in_the_log_fills_requests_up(
    bus: Bus, log: Log, start_relay: StartRelay, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A relay that has to catch up publishes the events of a key together, though they are read in pages."""
    monkeypatch.setattr(relay, "PAGE_EVENTS", 10)
    requests: list[int] = []
    publish = Publisher.publish

    async def watch(publisher: Any, topic: str, messages: list[Any], timeout_seconds: float) -> None:
        requests.append(len(messages))
        await publish(publisher, topic, messages, timeout_seconds)

    monkeypatch.setattr(Publisher, "publish", watch)
    aggregates = [str(uuid4()) for _ in range(10)]
    for number in range(10):
        for aggregate_id in aggregates:
            await log.append(aggregate_id, "First", number)

    await start_relay(bus.routing())
    await bus.receive_events("first", set(range(1, 101)))

    assert requests == [10] * 10
