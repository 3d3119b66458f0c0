"""How far each topic is, is known and kept: one that takes nothing holds up neither another nor a restart."""

import asyncio
from uuid import uuid4

import pytest

from event_store.client.client import Client
from event_store.outbox import relay_term
from event_store.outbox.relay_lease import RelayLease
from tests.event_store.command import run
from tests.event_store.outbox.bus import PATIENCE_SECONDS, Bus, positions_of
from tests.event_store.outbox.conftest import StartRelay
from tests.event_store.outbox.log import Log

NOTHING_AHEAD = "topic_positions = '{}' FROM relays"


async def test_a_topic_that_takes_nothing_has_the_lag_and_the_other_has_none(
    bus: Bus, log: Log, start_relay: StartRelay, address: str
) -> None:
    """The status and the command say which topic is behind, by how much and for how long; then none is."""
    first, second = (bus.routing().topics[name].path for name in ("first", "second"))
    await bus.delete("second")
    await log.append(str(uuid4()), "First", 1)
    await log.append(str(uuid4()), "Second", 2, 3)
    await log.append(str(uuid4()), "First", 4)
    await log.append(str(uuid4()), "Private", 5)
    await start_relay(bus.routing())
    await log.until("position = 1 AND topic_positions <> '{}' FROM relays")
    await log.until(f"(topic_positions->>'projects/{bus.project}/topics/first')::int = 5 FROM relays")

    async with asyncio.timeout(PATIENCE_SECONDS), Client(address) as client:
        behind = await client.status()
        shown = await run("status", "--target", address)
        await bus.create("second")
        await log.until(f"position = 5 AND {NOTHING_AHEAD}")
        caught_up = await client.status()

    assert (behind.relay_position, behind.lag_events) == (1, 4)
    assert [(each.topic, each.position, each.lag_events) for each in behind.topics] == [
        (first, 5, 0),
        (second, 1, 4),
    ]
    assert behind.topics[0].lag_age_seconds == 0
    assert behind.topics[1].lag_age_seconds == pytest.approx(behind.lag_age_seconds, abs=1)
    assert behind.topics[1].lag_age_seconds > 0
    assert f"{first}: up to date, 0 parked\n" in shown.out
    assert f"{second}: 4 events behind for " in shown.out
    assert [(each.position, each.lag_events, each.lag_age_seconds) for each in caught_up.topics] == [
        (5, 0, 0)
    ] * 2


async def test_an_event_costs_one_checkpoint(
    bus: Bus, log: Log, start_relay: StartRelay, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Topics that an event does not go to are as far as it is read: that alone is not written down."""
    written: list[tuple[int, dict[str, int]]] = []
    checkpoint = RelayLease.checkpoint

    async def watch(lease: RelayLease, position: int, topic_positions: dict[str, int]) -> None:
        written.append((position, topic_positions))
        await checkpoint(lease, position, topic_positions)

    monkeypatch.setattr(RelayLease, "checkpoint", watch)
    await log.append(str(uuid4()), "First", 1)

    await start_relay(bus.routing())
    await log.until("position = 1 FROM relays")

    assert written == [(1, {})]


async def test_a_topic_without_messages_is_as_far_as_the_log_is_read(
    bus: Bus, log: Log, start_relay: StartRelay, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It gets no lag behind one that takes nothing; this is written down when the lease is renewed."""
    monkeypatch.setattr(relay_term, "LEASE_SECONDS", 1.0)
    await bus.delete("second")
    await start_relay(bus.routing())

    await log.append(str(uuid4()), "Second", 1, 2, 3)

    await log.until(f"(topic_positions->>'projects/{bus.project}/topics/first')::int = 3 FROM relays")
    assert log.checkpoint == 0


async def test_a_topic_of_which_nothing_is_known_is_as_far_as_the_relay(log: Log, address: str) -> None:
    """A topic that is new in the topology has no position of its own yet."""
    await log.append(str(uuid4()), "First", 1, 2, 3)
    log.query("""UPDATE relays SET position = 2, topic_positions = '{"gone": 3}'""")

    async with asyncio.timeout(PATIENCE_SECONDS), Client(address) as client:
        status = await client.status()

    assert [(each.position, each.lag_events) for each in status.topics] == [(2, 1), (2, 1)]


async def test_what_a_topic_has_is_not_published_again_because_another_is_behind(
    bus: Bus, log: Log, start_relay: StartRelay
) -> None:
    """A relay that takes over goes on at the place of each topic, and leaves nothing out."""
    await bus.delete("second")
    await log.append(str(uuid4()), "Both", 1, 2, 3)
    former = await start_relay(bus.routing())
    assert positions_of(await bus.receive_events("first", {1, 2, 3})) == [1, 2, 3]
    await log.until(f"(topic_positions->>'projects/{bus.project}/topics/first')::int = 3 FROM relays")
    former.stop()
    await log.until("lease_owner IS NULL FROM relays")
    await log.append(str(uuid4()), "Both", 4)

    await bus.create("second")
    await start_relay(bus.routing())

    await log.until(f"position = 4 AND {NOTHING_AHEAD}")
    await bus.seek_to_the_beginning("second")
    assert positions_of(await bus.receive_events("first", {4})) == [4]
    assert sorted(positions_of(await bus.receive_events("second", {1, 2, 3, 4}))) == [1, 2, 3, 4]
