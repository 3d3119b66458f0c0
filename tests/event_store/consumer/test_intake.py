"""A consumer keeps order, holds little, and ends or stalls for no handler; seen without a projection."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import uuid4

import pytest

from event_store.consumer import consumer, outage, streaming_pull
from event_store.consumer.consumer import Consumer
from event_store.consumer.streaming_pull import HELD_PER_WORKER
from event_store.errors import ConfigurationError, OverloadedError, UnavailableError
from event_store.model.events import RecordedEvent
from event_store.pubsub.subscriber import Subscriber
from pubsub_emulator import PubSubServer
from tests.event_store.consumer.flow import DEAD, PATH, TOPIC, consuming, subscribe
from tests.event_store.consumer.words import PATIENCE_SECONDS
from tests.pubsub_emulator.bus import Bus, bus_at

CONCURRENCY = 4  # of `consuming`


@dataclass
class Feed:
    """A Pub/Sub of a test's own with the subscription, to which the test publishes events."""

    bus: Bus
    pubsub: PubSubServer

    async def publish(self, word: str, version: int = 1, key: str = "", *, ordered: bool = True) -> None:
        """Publish an event, of an aggregate of its own unless `key` says which."""
        aggregate_id = key or str(uuid4())
        fields = {
            "event_id": str(uuid4()),
            "aggregate_id": aggregate_id,
            "aggregate_type": "Vocabulary",
            "event_type": "WordAdded",
            "event_version": version,
            "event_data": word,
            "metadata": {},
            "occurred_at": "2026-01-01T00:00:00Z",
            "created_at": "2026-01-01T00:00:00Z",
            "global_position": version,
        }
        await self.bus.publish(TOPIC, json.dumps(fields), key=aggregate_id if ordered else "")


@pytest.fixture
async def feed(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Feed]:
    """The topic, the subscription and its dead letters."""
    async with PubSubServer() as pubsub, bus_at(pubsub.address) as bus:
        monkeypatch.setenv("PUBSUB_EMULATOR_HOST", pubsub.address)
        await bus.topic(name=TOPIC)
        await subscribe(bus)
        yield Feed(bus, pubsub)


class NotingHandler:
    """A handler that notes what it gets, and does at a word what the test says."""

    def __init__(self, **acts: Any) -> None:
        self.acts = acts
        self.calls: list[tuple[str, int]] = []
        self.handled: list[str] = []
        self._changed = asyncio.Event()

    async def __call__(self, event: RecordedEvent, attempt: int) -> None:
        word = event.event_data
        self.calls.append((word, attempt))
        self._changed.set()
        act = self.acts.get(word)
        if act is not None:
            await act(attempt)
        self.handled.append(word)
        self._changed.set()

    async def until(self, *words: str, calls: int = 0) -> None:
        """Wait until words were handled, and the handler was called so many times."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not (set(words) <= set(self.handled) and len(self.calls) >= calls):
                self._changed.clear()
                await self._changed.wait()


async def _raise(error: BaseException, first: int, attempt: int) -> None:
    if attempt <= first:
        raise error


def _raising(error: BaseException, first: int = 5) -> Any:
    """Return an act that raises, up to a number of delivery attempts."""
    return partial(_raise, error, first)


async def test_after_a_refusal_nothing_of_its_key_is_handled_before_it(feed: Feed) -> None:
    """What stood behind a refused event in its key comes again behind it."""
    for version, word in enumerate("abcdef", 1):
        await feed.publish(word, version, "00000000-0000-0000-0000-000000000001")
    handler = NotingHandler(b=_raising(ValueError("no word"), first=2))

    async with consuming(handler):
        await handler.until(*"abcdef")

    assert handler.handled == list("abcdef")
    assert [call for call in handler.calls if call[0] in "ab"] == [("a", 1), ("b", 1), ("b", 2), ("b", 3)]


async def test_what_comes_before_pubsub_hears_of_a_refusal_waits_for_it(
    feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A message that Pub/Sub sent meanwhile is not handled before the refused one of its key."""
    acknowledge, busy, sent = Subscriber.acknowledge, asyncio.Event(), asyncio.Event()
    key = "00000000-0000-0000-0000-000000000002"

    async def slow(self: Subscriber, subscription: str, ack_ids: Sequence[str]) -> None:
        if ack_ids and not busy.is_set():
            busy.set()
            await sent.wait()
        await acknowledge(self, subscription, ack_ids)

    monkeypatch.setattr(Subscriber, "acknowledge", slow)
    handler = NotingHandler(a=_raising(ValueError("no word"), first=1))
    async with consuming(handler), asyncio.timeout(PATIENCE_SECONDS):
        await feed.publish("first")
        await busy.wait()
        await feed.publish("a", 1, key)
        await handler.until(calls=2)
        await feed.publish("b", 2, key)
        await feed.publish("other")
        await handler.until("other")  # which Pub/Sub sent after "b"
        sent.set()
        await handler.until("a", "b")

    assert [call for call in handler.calls if call[0] in "ab"] == [("a", 1), ("a", 2), ("b", 1)]


@pytest.mark.parametrize(
    "error", [UnavailableError("away"), OverloadedError("busy", 0.1), ConfigurationError("no table")]
)
async def test_what_cannot_be_handled_now_is_kept_without_a_delivery(feed: Feed, error: Exception) -> None:
    """It is tried again and again on its first delivery, and makes no dead letter."""
    calls_until_it_works = 7

    async def act(_attempt: int) -> None:
        if len(handler.calls) < calls_until_it_works:
            raise error

    handler = NotingHandler(a=act)
    async with consuming(handler):
        await feed.publish("a")
        await handler.until("a")

    assert handler.calls == [("a", 1)] * calls_until_it_works
    await feed.bus.silence(DEAD)
    await feed.bus.silence(PATH)


async def test_events_that_wait_keep_no_others_from_being_handled(
    feed: Feed, caplog: pytest.LogCaptureFixture
) -> None:
    """As many as are handled at a time are kept, and others are handled beside them."""
    handler = NotingHandler(stuck=_raising(UnavailableError("away"), first=99))
    for _ in range(CONCURRENCY):
        await feed.publish("stuck")

    async with consuming(handler):
        await handler.until(calls=2 * CONCURRENCY)
        await feed.publish("a")
        await handler.until("a")

    assert handler.handled == ["a"]
    assert {attempt for _, attempt in handler.calls} == {1}
    assert {record.message for record in caplog.records if record.levelname == "ERROR"} == {
        "paused: no event can be handled, all are kept and retried: away"
    }


async def test_an_event_that_alone_lacks_something_is_refused_in_the_end(
    feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A table that only its type needs: while others are handled its failures count."""
    monkeypatch.setattr(streaming_pull, "_FIRST_WAIT_SECONDS", 0.01)
    monkeypatch.setattr(streaming_pull, "_LONGEST_WAIT_SECONDS", 0.02)
    handler = NotingHandler(stuck=_raising(ConfigurationError("no table"), first=99))
    async with consuming(handler), asyncio.timeout(PATIENCE_SECONDS):
        await feed.publish("stuck")
        await handler.until(calls=2 * streaming_pull.MOST_STRIKES)
        assert ("stuck", 2) not in handler.calls  # nothing else was handled yet
        number = 0
        while ("stuck", 2) not in handler.calls:
            number += 1
            await feed.publish(f"word {number}")
            await handler.until(f"word {number}")


async def test_a_handler_that_refuses_everything_pauses_the_consumer(
    feed: Feed, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A broken release makes few dead letters of a backlog; one event that is handled ends the pause."""
    monkeypatch.setattr(outage, "FIRST_PAUSE_SECONDS", 1000.0)
    monkeypatch.setattr(outage, "LONGEST_PAUSE_SECONDS", 1000.0)
    handler = NotingHandler(a=_raising(ValueError("no word"), first=99))
    for _ in range(2 * outage.REFUSED_AFTER):
        await feed.publish("a")

    async with consuming(handler), asyncio.timeout(PATIENCE_SECONDS):
        while "every event is rejected" not in caplog.text:  # noqa: ASYNC110 # it gives no signal
            await asyncio.sleep(0.02)

    assert len(handler.calls) <= 5 * (outage.REFUSED_AFTER + CONCURRENCY)
    assert "a" not in handler.handled


async def test_a_consumer_holds_what_its_concurrency_needs(feed: Feed) -> None:
    """The rest is there for others, and does not expire with it."""
    go_on = asyncio.Event()

    async def wait(_attempt: int) -> None:
        await go_on.wait()

    handler = NotingHandler(a=wait)
    for _ in range(30):
        await feed.publish("a", ordered=False)

    async with consuming(handler):
        await handler.until(calls=CONCURRENCY)
        others = await feed.bus.pull(PATH, 30 - HELD_PER_WORKER * CONCURRENCY)
        await feed.bus.silence(PATH)
        assert len(handler.calls) == CONCURRENCY
        go_on.set()
        await feed.bus.refuse(PATH, others)
        await handler.until(calls=30)


async def test_a_call_that_is_cancelled_within_a_handler_is_a_failed_handler(
    feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its event comes again and at last is a dead letter; the consumer goes on, and so does its stream."""
    stream, streams = Subscriber.stream, list[object]()

    def counted(self: Subscriber) -> Any:
        streams.append(self)
        return stream(self)

    monkeypatch.setattr(Subscriber, "stream", counted)

    async def act(_attempt: int) -> None:
        future = asyncio.get_running_loop().create_future()
        future.cancel()
        await future

    handler = NotingHandler(a=act)
    async with consuming(handler):
        await feed.publish("a")
        await handler.until(calls=5)
        await feed.publish("b")
        await handler.until("b")
        (dead,) = await feed.bus.consume(DEAD, 1)

    assert [attempt for word, attempt in handler.calls if word == "a"] == [1, 2, 3, 4, 5]
    assert json.loads(dead.message.data)["event_data"] == "a"
    assert len(streams) == 1


async def test_a_handler_that_cancels_its_task_does_not_end_the_consumer(
    feed: Feed, caplog: pytest.LogCaptureFixture
) -> None:
    """It says so and takes another stream, and what comes then is handled."""
    caplog.set_level(logging.INFO, "event_store")

    async def act(_attempt: int) -> None:
        if len(handler.calls) == 1:
            task = asyncio.current_task()
            assert task
            task.cancel()
            await asyncio.Event().wait()

    handler = NotingHandler(a=act)
    async with consuming(handler):
        await feed.publish("a")
        await handler.until(calls=1)
        await feed.publish("b")
        await handler.until("b")

    assert "reconnecting: a task of the stream was cancelled" in caplog.text


async def test_a_call_to_pubsub_that_is_cancelled_does_not_end_the_consumer(
    feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The library for gRPC raises CancelledError when the other side cancels, too."""
    acknowledge, calls = Subscriber.acknowledge, list[Sequence[str]]()

    async def cancelled(self: Subscriber, subscription: str, ack_ids: Sequence[str]) -> None:
        if ack_ids:
            calls.append(ack_ids)
            if len(calls) == 1:
                raise asyncio.CancelledError
        await acknowledge(self, subscription, ack_ids)

    monkeypatch.setattr(Subscriber, "acknowledge", cancelled)
    handler = NotingHandler()
    async with consuming(handler):
        await feed.publish("a")
        await handler.until("a")
        await feed.publish("b")
        await handler.until("b")

    assert calls[1] == calls[0]
    await feed.bus.silence(PATH)


async def test_a_consumer_whose_own_task_is_cancelled_ends(feed: Feed) -> None:
    """Cancellation is a way to stop it, in the middle of a handler too."""
    handler = NotingHandler(a=lambda _attempt: asyncio.Event().wait())
    task = asyncio.create_task(Consumer(PATH, handler).run())
    await feed.publish("a")
    await handler.until(calls=1)

    task.cancel()
    await asyncio.wait(
        (task,), timeout=PATIENCE_SECONDS
    )  # unlike a timeout around it, cancels no second time

    assert task.cancelled()


async def test_a_handler_that_never_returns_has_failed(feed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its event is refused, and comes again."""
    monkeypatch.setattr(streaming_pull, "LONGEST_SECONDS", 0.1)

    async def act(attempt: int) -> None:
        if attempt == 1:
            await asyncio.Event().wait()

    handler = NotingHandler(a=act)
    async with consuming(handler):
        await feed.publish("a")
        await handler.until("a")

    assert handler.calls == [("a", 1), ("a", 2)]


async def test_a_stream_that_gave_something_is_replaced_at_once(
    feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Google ends every stream in time: the wait for the next one does not grow with their number."""
    monkeypatch.setattr(consumer, "_FIRST_WAIT_SECONDS", 0.001)
    monkeypatch.setattr(consumer, "_LONGEST_WAIT_SECONDS", 1000.0)
    acknowledge = Subscriber.acknowledge

    async def ended(self: Subscriber, subscription: str, ack_ids: Sequence[str]) -> None:
        await acknowledge(self, subscription, ack_ids)
        if ack_ids:
            raise UnavailableError("the stream ended")

    monkeypatch.setattr(Subscriber, "acknowledge", ended)
    handler = NotingHandler()
    words = [f"word {number}" for number in range(20)]
    async with consuming(handler):
        for word in words:
            await feed.publish(word)
            await handler.until(word)

    assert handler.handled == words
