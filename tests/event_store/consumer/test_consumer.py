"""A projection fed by a real relay and a running Pub/Sub loses nothing and doubles nothing."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from functools import partial
from operator import eq
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from event_store.client.client import Client
from event_store.consumer import acknowledgements
from event_store.consumer.acknowledgements import DEADLINE_SECONDS
from event_store.consumer.consumer import Consumer
from event_store.consumer.dead_letters import DeadLetters
from event_store.environment import Environment
from event_store.errors import UnavailableError
from event_store.model.events import RecordedEvent
from event_store.pubsub.subscriber import Subscriber
from event_store.server.server import Server
from local_gcp.system.ports import free_port
from pubsub_emulator import ManualClock, PubSubServer
from tests.conftest import TestDatabase
from tests.event_store.consumer.conftest import serving
from tests.event_store.consumer.flow import (
    DEAD,
    PATH,
    PROJECT,
    ROUTING,
    SUBSCRIPTION,
    TOPIC,
    consuming,
    subscribe,
)
from tests.event_store.consumer.words import PATIENCE_SECONDS, POISON, Words, append
from tests.pubsub_emulator.bus import Bus, bus_at


@dataclass(frozen=True)
class FollowedService:
    """A Pub/Sub of a test's own, whose time the test moves, and a service whose relay publishes to it."""

    bus: Bus
    pubsub: PubSubServer
    clock: ManualClock
    client: Client
    target: str

    async def until_nobody_streams(self) -> None:
        """Wait until Pub/Sub knows that a consumer has died, and would hand it nothing more."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while self.pubsub._catalog.subscription(PATH)._backlog.consumers:  # noqa: ASYNC110 # no signal
                await asyncio.sleep(0.01)


@pytest.fixture
async def stack(database: TestDatabase, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FollowedService]:
    """A service, its relay and a Pub/Sub with the topic, the subscription and its dead letters."""
    clock = ManualClock()
    async with PubSubServer(clock=clock) as pubsub, bus_at(pubsub.address) as bus:
        monkeypatch.setenv("PUBSUB_EMULATOR_HOST", pubsub.address)
        await bus.topic(name=TOPIC)
        async with serving(database, ROUTING, monkeypatch) as (client, target):
            yield FollowedService(bus, pubsub, clock, client, target)


async def test_events_have_their_effects_once_and_in_order(stack: FollowedService, words: Words) -> None:
    """Through relay, Pub/Sub and consumer, and though every message comes twice."""
    await subscribe(stack.bus)
    ids = [await append(stack.client, *"abc") for _ in range(20)]
    async with consuming(words.projection(stack.client).handle):
        await words.until(lambda effects: sum(map(len, effects.values())) == 60)
        await stack.bus.subscriber.seek(request={"subscription": PATH, "time": "2020-01-01T00:00:00Z"})
        last = await append(stack.client, "last")
        await words.until(lambda effects: last in effects)

    assert words.effects() == {**{each: ["a", "b", "c"] for each in ids}, last: ["last"]}


async def test_the_same_on_googles_own_emulator(
    any_bus: Bus, database: TestDatabase, words: Words, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing depends on which Pub/Sub it is."""
    await any_bus.topic(name=TOPIC)
    await subscribe(any_bus)
    async with serving(database, ROUTING, monkeypatch) as (client, _):
        ids = [await append(client, *"abc") for _ in range(5)]
        async with consuming(words.projection(client).handle):
            await words.until(lambda effects: sum(map(len, effects.values())) == 15)

    assert words.effects() == {each: ["a", "b", "c"] for each in ids}


async def test_a_consumer_outlives_pubsub(
    database: TestDatabase, words: Words, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its streams end with the server; it goes on with the next one, and nothing has its effect twice."""
    port = free_port()
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", f"127.0.0.1:{port}")
    async with serving(database, ROUTING, monkeypatch) as (client, _):
        projection = words.projection(client)
        aggregate_id = str(uuid4())
        async with consuming(projection.handle):
            for expected in ("a", "ab"):
                async with PubSubServer(port=port) as pubsub, bus_at(pubsub.address) as bus:
                    await bus.topic(name=TOPIC)
                    await subscribe(bus)
                    await append(client, expected[-1], aggregate_id=aggregate_id)
                    await words.until(partial(eq, {aggregate_id: list(expected)}))


async def test_a_consumer_outlives_the_store(stack: FollowedService, words: Words) -> None:
    """A gap that cannot be fetched just then is fetched later."""
    aggregate_id = await append(stack.client, "a")
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not (await stack.client.status()).relay_position:  # noqa: ASYNC110 # it gives no signal
            await asyncio.sleep(0.02)
    await subscribe(stack.bus)  # too late for the first event
    port = free_port()
    async with Client(f"127.0.0.1:{port}", timeout_seconds=0.5) as away:
        projection = words.projection(away)
        failed = asyncio.Event()

        async def handler(event: RecordedEvent, attempt: int) -> None:
            try:
                await projection.handle(event, attempt)
            except UnavailableError:
                failed.set()
                raise

        async with consuming(handler):
            await append(stack.client, "b", aggregate_id=aggregate_id)
            async with asyncio.timeout(PATIENCE_SECONDS):
                await failed.wait()
            assert words.effects() == {}
            server = Server(Environment(port=port), None)
            await server.start()
            try:
                await words.until(lambda effects: effects == {aggregate_id: ["a", "b"]})
            finally:
                await server.stop()


async def test_a_poison_event_ends_in_dead_letters_and_its_key_goes_on(
    stack: FollowedService, words: Words
) -> None:
    """What follows is handled and none of it dies; redriven to a cured handler, the event is handled too."""
    await subscribe(stack.bus)
    aggregate_id = await append(stack.client, "a", POISON, *"bcdefgh")
    projection = words.projection(stack.client)
    async with consuming(projection.handle):
        await words.until(lambda effects: effects.get(aggregate_id) == list("abcdefgh"))
        (dead,) = await stack.bus.pull(DEAD, 1)
        await stack.bus.refuse(DEAD, [dead])
        assert dead.message.attributes["event_version"] == "2"

        words.cured = True
        async with DeadLetters(SUBSCRIPTION, PROJECT, quiet_seconds=0.3) as letters:
            assert [letter.event_id async for letter in letters.redrive()]
        await words.until(lambda effects: effects[aggregate_id] == [*"abcdefgh", POISON])

    assert await projection.passed_over() == ()
    await stack.bus.silence(DEAD)
    await stack.bus.silence(PATH)


@pytest.mark.parametrize("point", ["before the commit", "after the commit", "before the ack"])
async def test_a_projection_that_dies_loses_nothing_and_doubles_nothing(
    stack: FollowedService, words: Words, point: str
) -> None:
    """Wherever it is killed, the next one goes on as if nothing had been."""
    await subscribe(stack.bus)
    ids = [await append(stack.client, *"abcd") for _ in range(3)]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(Path(__file__).with_name("crashing_projection.py")),
        *(point, stack.target, PATH, words.conninfo),
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert await process.wait() == -signal.SIGKILL
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    await stack.until_nobody_streams()
    died_at = sum(map(len, words.effects().values()))
    stack.clock.advance(DEADLINE_SECONDS + 1)

    async with consuming(words.projection(stack.client).handle):
        await words.until(lambda effects: sum(map(len, effects.values())) >= 12)

    assert died_at == (2 if point == "before the commit" else 3)
    assert words.effects() == {aggregate_id: list("abcd") for aggregate_id in ids}
    await stack.bus.silence(PATH)
    await stack.bus.silence(DEAD)


async def test_an_outage_makes_no_dead_letters(stack: FollowedService, words: Words) -> None:
    """While a database is away, an event is tried again and again, and is not refused."""
    await subscribe(stack.bus)
    projection = words.projection(stack.client)
    attempts: list[int] = []

    async def handler(event: RecordedEvent, attempt: int) -> None:
        attempts.append(attempt)
        if len(attempts) < 7:
            raise UnavailableError("away")
        await projection.handle(event, attempt)

    async with consuming(handler):
        aggregate_id = await append(stack.client, "a")
        await words.until(lambda effects: aggregate_id in effects)

    assert attempts == [1] * 7
    await stack.bus.silence(PATH)
    await stack.bus.silence(DEAD)


async def test_a_consumer_that_stops_ends_what_it_has_begun(stack: FollowedService) -> None:
    """The event in hand is handled and acknowledged; those behind it come to the next consumer."""
    await subscribe(stack.bus)
    await append(stack.client, "a", "b")
    begun, go_on, handled = asyncio.Event(), asyncio.Event(), list[Any]()

    async def handler(event: RecordedEvent, _attempt: int) -> None:
        begun.set()
        await go_on.wait()
        handled.append(event.event_data)

    async with consuming(handler) as consumer, asyncio.timeout(PATIENCE_SECONDS):
        await begun.wait()
        consumer.stop()
        consumer.stop()  # harmless
        asyncio.get_running_loop().call_later(0.2, go_on.set)  # it has stopped to take more by then
    assert handled == ["a"]
    await stack.until_nobody_streams()
    stack.clock.advance(DEADLINE_SECONDS + 1)

    async with asyncio.timeout(PATIENCE_SECONDS):
        (left,) = await stack.bus.consume(PATH, 1)
    assert left.message.attributes["event_version"] == "2"
    await stack.bus.silence(PATH)


async def test_an_acknowledgement_that_a_stop_interrupts_is_sent_again(
    stack: FollowedService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An event that was handled before the stop does not come to the next consumer."""
    acknowledge, calls = Subscriber.acknowledge, list[Sequence[str]]()

    async def interrupted(self: Subscriber, subscription: str, ack_ids: Sequence[str]) -> None:
        if ack_ids:
            calls.append(ack_ids)
            if len(calls) == 1:
                consumer.stop()
                await asyncio.Event().wait()  # Pub/Sub hears nothing of it
        await acknowledge(self, subscription, ack_ids)

    async def handler(_event: RecordedEvent, _attempt: int) -> None:
        """Take it."""

    monkeypatch.setattr(Subscriber, "acknowledge", interrupted)
    await subscribe(stack.bus)
    await append(stack.client, "a")
    consumer = Consumer(PATH, handler)
    async with asyncio.timeout(PATIENCE_SECONDS):
        await consumer.run()
    await stack.until_nobody_streams()
    stack.clock.advance(DEADLINE_SECONDS + 1)

    assert calls == [calls[0]] * 2
    await stack.bus.silence(PATH)


async def test_a_consumer_waits_for_its_subscription(stack: FollowedService, words: Words) -> None:
    """It says what is missing, tries again, and begins when it is there."""
    async with consuming(words.projection(stack.client).handle):
        await subscribe(stack.bus)
        aggregate_id = await append(stack.client, "a")
        await words.until(lambda effects: aggregate_id in effects)


async def test_a_slow_handler_keeps_its_event(
    stack: FollowedService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Deadlines pass, and what is being handled is not delivered again."""
    monkeypatch.setattr(acknowledgements, "RENEWAL_SECONDS", 0.05)
    hold, renewed, handled = Subscriber.hold, asyncio.Event(), list[Any]()

    async def noticed(self: Subscriber, subscription: str, ack_ids: Sequence[str], seconds: int) -> None:
        await hold(self, subscription, ack_ids, seconds)
        if ack_ids:
            renewed.set()

    async def handler(event: RecordedEvent, _attempt: int) -> None:
        for _ in range(3):
            renewed.clear()
            await renewed.wait()
            stack.clock.advance(DEADLINE_SECONDS - 1)
        handled.append(event.event_data)

    monkeypatch.setattr(Subscriber, "hold", noticed)
    await subscribe(stack.bus)
    async with consuming(handler):
        await append(stack.client, "a")
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not handled:
                await renewed.wait()
                await asyncio.sleep(0)

    assert handled == ["a"]
    await stack.bus.silence(PATH)


async def test_what_is_no_event_becomes_a_dead_letter(stack: FollowedService, words: Words) -> None:
    """A stranger's message stops nobody."""
    await subscribe(stack.bus)
    await stack.bus.publish(TOPIC, "[]", key="k")
    async with consuming(words.projection(stack.client).handle):
        (dead,) = await stack.bus.consume(DEAD, 1)

    assert dead.message.data == b"[]"
