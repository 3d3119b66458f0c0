"""A Pub/Sub that takes little or nothing makes the relay wait within its bounds, and no append."""

import asyncio
from typing import Any
from uuid import uuid4

import grpc
import pytest

from event_store.outbox import relay, relay_term
from event_store.outbox.publish_loop import PublishLoop
from event_store.outbox.relay_term import (
    AHEAD_EVENTS,
    PAGE_EVENTS,
    PENDING_BYTES,
    PENDING_MESSAGES,
    WORKERS,
)
from event_store.outbox.watermark import Watermark
from tests.event_store.outbox.bus import PATIENCE_SECONDS, Bus, assert_in_order, positions_of
from tests.event_store.outbox.conftest import StartRelay
from tests.event_store.outbox.gate import Gate
from tests.event_store.outbox.log import Log

AGGREGATES = 120  # more than there are workers
ROUNDS = 100
EVENTS = AGGREGATES * ROUNDS
assert PENDING_MESSAGES + PAGE_EVENTS < EVENTS < AHEAD_EVENTS


class HeldByRelay:
    """How much the relay holds, seen at each message that it adds."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.is_full = asyncio.Event()
        self.most_messages = self.most_bytes = 0
        add = PublishLoop.add

        def watch(loop: PublishLoop, *arguments: Any) -> None:
            add(loop, *arguments)
            self.most_messages = max(self.most_messages, loop.pending_messages)
            self.most_bytes = max(self.most_bytes, loop.pending_bytes)
            if loop.pending_messages >= PENDING_MESSAGES or loop.pending_bytes >= PENDING_BYTES:
                self.is_full.set()

        monkeypatch.setattr(PublishLoop, "add", watch)


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> HeldByRelay:
    """What relays of this process hold."""
    return HeldByRelay(monkeypatch)


@pytest.mark.parametrize("trouble", ["refuses", "does not answer", "is slow"])
async def test_the_relay_waits_within_its_bounds_and_appends_do_not(  # fixtures
    bus: Bus, log: Log, gate: Gate, watched: HeldByRelay, start_relay: StartRelay, trouble: str
) -> None:
    """Full of messages it reads no more, appends are acknowledged meanwhile, and then all comes in order."""
    aggregates = [str(uuid4()) for _ in range(AGGREGATES)]
    await gate.close(grpc.StatusCode.RESOURCE_EXHAUSTED if trouble == "refuses" else None)
    await start_relay(bus.routing())
    async with asyncio.timeout(PATIENCE_SECONDS):
        for aggregate_id in aggregates:
            await log.append(aggregate_id, "First", 1)
        for aggregate_id in aggregates:
            await log.append(aggregate_id, "First", *range(1, ROUNDS))
        await watched.is_full.wait()
        if trouble == "refuses":
            await gate.until(lambda: gate.refused > WORKERS)
        else:
            await gate.until(lambda: gate.waiting == WORKERS)

        for aggregate_id in aggregates[:20]:
            await log.append(aggregate_id, "First", ROUNDS)
            if trouble == "is slow":
                await gate.allow(1)

    assert log.query("SELECT count(*) FROM events") == EVENTS + 20
    assert log.checkpoint < EVENTS
    await gate.open()
    messages = await bus.receive_events("first", set(range(1, EVENTS + 21)))
    assert_in_order(messages)
    assert len(set(positions_of(messages))) == EVENTS + 20
    await log.until("position = (SELECT position FROM log_head) FROM relays")
    assert PENDING_MESSAGES <= watched.most_messages < PENDING_MESSAGES + PAGE_EVENTS
    assert gate.most_waiting <= WORKERS


async def test_large_messages_fill_the_relay_sooner(
    bus: Bus, log: Log, gate: Gate, watched: HeldByRelay, start_relay: StartRelay
) -> None:
    """What it holds is bounded in bytes too, up to a page more."""
    page_bytes = 100 << 20  # of the events of this test, which take a hundredth of that on disk
    await gate.close()
    log.insert_large("First", 250)
    await start_relay(bus.routing())
    async with asyncio.timeout(PATIENCE_SECONDS):
        await watched.is_full.wait()
        await log.append(str(uuid4()), "First", 251)
    log.query("UPDATE relays SET updated_at = 'infinity'")
    await log.until("updated_at < 'infinity' FROM relays")  # it lives, and had seconds to read more

    await gate.open()

    await log.until("position = 251 FROM relays")
    assert PENDING_BYTES <= watched.most_bytes < PENDING_BYTES + page_bytes


async def test_a_topic_that_takes_nothing_holds_the_others_only_far_beyond_it(
    bus: Bus, log: Log, start_relay: StartRelay, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They go on up to a bound of events, up to a page more; with the topic all go on."""
    most_ahead = 0
    advance = Watermark.advance

    def watch(watermark: Watermark) -> None:
        nonlocal most_ahead
        advance(watermark)
        most_ahead = max(most_ahead, watermark.ahead)

    monkeypatch.setattr(Watermark, "advance", watch)
    monkeypatch.setattr(relay_term, "AHEAD_EVENTS", 500)
    await bus.delete("second")
    await log.append(str(uuid4()), "Second", 1)
    for _ in range(5):
        await log.append(str(uuid4()), "First", *range(PAGE_EVENTS))
    await start_relay(bus.routing())

    received = positions_of(await bus.receive_events("first", set(range(2, PAGE_EVENTS))))
    await log.until("topic_positions <> '{}' FROM relays")
    held = most_ahead
    await bus.create("second")

    await log.until("position = (SELECT position FROM log_head) FROM relays")
    assert max(received) <= 500 + PAGE_EVENTS
    assert 500 <= held < 500 + PAGE_EVENTS


async def test_a_relay_that_was_full_reads_on_when_half_of_it_is_published(
    bus: Bus, log: Log, gate: Gate, start_relay: StartRelay, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that what is read next comes in full pages, not in one for each message."""
    monkeypatch.setattr(relay_term, "PENDING_MESSAGES", 40)
    monkeypatch.setattr(relay, "PAGE_EVENTS", 10)
    held: list[int] = []
    add = PublishLoop.add

    def watch(loop: PublishLoop, *arguments: Any) -> None:
        held.append(loop.pending_messages)
        add(loop, *arguments)

    monkeypatch.setattr(PublishLoop, "add", watch)
    for number in range(100):
        await log.append(str(uuid4()), "First", number)
    await gate.close()
    async with asyncio.timeout(PATIENCE_SECONDS):
        await start_relay(bus.routing())
        await gate.until(lambda: gate.waiting == 40)
        await gate.allow(10)
        await asyncio.sleep(0.3)  # time to read, which it should not use
        assert len(held) == 40
        await gate.open()
        await bus.receive_events("first", set(range(1, 101)))

    assert held[40] <= 20
