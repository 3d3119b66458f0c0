"""A stream lives as long as its client wants, and leaves nothing behind."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from google.api_core.exceptions import InvalidArgument
from google.pubsub_v1.types import SeekRequest, StreamingPullRequest, StreamingPullResponse

from pubsub_emulator import ManualClock
from pubsub_emulator.api import streaming_pull
from tests.pubsub_emulator.bus import Bus, Stream, bus_at, texts

LONGEST_SECONDS = 600  # an ack deadline that no test waits for
AT_ONCE_SECONDS = 6  # without the close it took 10 s until the messages came back
ENDS = ("half-close", "cancel", "lost connection")


@contextlib.asynccontextmanager
async def _stream(bus: Bus, subscription: str, end: str) -> AsyncIterator[Stream]:
    """Open a stream on a connection of its own, and end it in one of the ways of `ENDS`."""
    async with contextlib.AsyncExitStack() as stack:
        own = await stack.enter_async_context(bus_at(bus.address))
        fields = {"stream_ack_deadline_seconds": LONGEST_SECONDS}
        stream = await stack.enter_async_context(own.stream(subscription, **fields))
        yield stream
        if end == "half-close":
            await stream.half_close()
        elif end == "lost connection":
            await own.channel.close()
        else:
            stream.cancel()


async def test_a_stream_that_waits_is_alive(bus: Bus) -> None:
    """A client of protocol version 1 gets an answer as its stream opens, and to each sign of life."""
    subscription = await bus.subscription(await bus.topic(), enable_message_ordering=True)
    async with bus.stream(subscription, protocol_version=1) as stream:
        for answers in range(1, 4):
            await stream.responded(answers)
            await stream.send(StreamingPullRequest())

    for response in stream.responses:  # a client takes the properties of any response for the truth
        assert response.subscription_properties.message_ordering_enabled
        assert not response.received_messages


async def test_a_stream_sets_its_protocol_only_at_its_beginning(bus: Bus) -> None:
    """A later change is INVALID_ARGUMENT, as the contract says."""
    subscription = await bus.subscription(await bus.topic())
    async with bus.stream(subscription) as stream:
        await stream.send(StreamingPullRequest(protocol_version=1))
        with pytest.raises(InvalidArgument):
            await stream.receive(1)


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("ordered", [False, True], ids=["plain", "ordered"])
async def test_ours_what_a_stream_held_goes_back_when_it_ends(bus: Bus, end: str, *, ordered: bool) -> None:
    """Its leases end with it, whatever ends it, so that nobody waits for their deadlines."""
    topic = await bus.topic()
    subscription = await bus.subscription(topic, enable_message_ordering=ordered)
    await bus.publish(topic, *map(str, range(50)), key="k")
    async with _stream(bus, subscription, end) as stream:
        await stream.receive(50)

    again = texts(await bus.consume(subscription, 50))

    assert (again if ordered else sorted(again, key=int)) == list(map(str, range(50)))


@pytest.mark.parametrize("end", ENDS)
async def test_ours_a_stream_that_ended_leaves_its_messages_to_another(bus: Bus, end: str) -> None:
    """A stream that is open already gets them, and the one that ended nothing more."""
    topic = await bus.topic()
    subscription = await bus.subscription(topic)
    async with bus.stream(subscription, max_outstanding_messages=1) as other:
        await bus.publish(topic, "first")
        held = await other.receive(1)
        async with _stream(bus, subscription, end) as ended:
            await bus.publish(topic, "second")
            await ended.receive(1)

        await other.acknowledge(held)

        assert texts(await other.receive(1)) == ["second"]
    assert texts(ended.messages) == ["second"]


async def test_ours_what_a_stream_refuses_as_it_closes_does_not_come_to_it_again(
    timed_bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Refused by a call or through the stream: it goes to the next subscriber."""
    monkeypatch.setattr(
        streaming_pull, "REST_SECONDS", LONGEST_SECONDS
    )  # of any real pause the machine may make more
    topic = await timed_bus.topic()
    subscription = await timed_bus.subscription(topic)
    await timed_bus.publish(topic, "0", "1")
    async with timed_bus.stream(subscription) as stream:
        by_call, by_stream = await stream.receive(2)
        await timed_bus.refuse(subscription, [by_call])
        await stream.modify([by_stream], 0)
        await stream.half_close()

    assert len(stream.messages) == 2
    assert sorted(texts(await timed_bus.consume(subscription, 2))) == ["0", "1"]


async def test_a_stream_that_lives_gets_what_it_refused_again(
    timed_bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At once when it says something else, and else after a moment."""
    topic = await timed_bus.topic()
    subscription = await timed_bus.subscription(topic)
    await timed_bus.publish(topic, "x")
    async with timed_bus.stream(subscription) as stream:
        await stream.modify(await stream.receive(1), 0)
        held = await stream.receive(1)

        monkeypatch.setattr(streaming_pull, "REST_SECONDS", LONGEST_SECONDS)
        await timed_bus.refuse(subscription, held)
        await stream.send(StreamingPullRequest())
        await stream.receive(1)


async def test_acknowledgements_before_a_half_close_count(bus: Bus) -> None:
    """The last requests of a stream are read to their end."""
    topic = await bus.topic()
    subscription = await bus.subscription(topic)
    await bus.publish(topic, *map(str, range(20)))
    async with bus.stream(subscription) as stream:
        for message in await stream.receive(20):
            await stream.acknowledge([message])
        await stream.half_close()

    await bus.silence(subscription)


@pytest.mark.parametrize("exactly_once", [False, True], ids=["at-least-once", "exactly-once"])
@pytest.mark.parametrize("key", ["", "k"])
async def test_an_acknowledgement_after_the_streams_end_counts(
    bus: Bus, key: str, *, exactly_once: bool
) -> None:
    """A client that stops closes its stream, finishes what it has in hand, and acknowledges that by calls."""
    topic = await bus.topic()
    subscription = await bus.subscription(
        topic, enable_message_ordering=bool(key), enable_exactly_once_delivery=exactly_once
    )
    await bus.publish(topic, "0", "1", "2", key=key)
    async with bus.stream(subscription) as stream:
        held = await stream.receive(3)
        await stream.half_close()

    for message in held[:2]:
        await bus.acknowledge(subscription, [message])

    assert texts(await bus.consume(subscription, 1)) == texts(held[2:])
    await bus.silence(subscription)


async def test_an_acknowledgement_after_the_streams_end_does_not_break_the_order(bus: Bus) -> None:
    """What comes again takes everything behind it along, acknowledged or not."""
    topic = await bus.topic()
    subscription = await bus.subscription(topic, enable_message_ordering=True)
    await bus.publish(topic, "0", "1", "2", key="k")
    async with bus.stream(subscription) as stream:
        held = await stream.receive(3)
        await stream.half_close()

    await bus.acknowledge(subscription, held[1:2])

    assert texts(await bus.drain(subscription)) == ["0", "1", "2"]


async def test_an_acknowledgement_after_the_streams_end_waits_for_what_is_out(bus: Bus) -> None:
    """While an earlier message of the key is with somebody else, it has no effect."""
    topic = await bus.topic()
    subscription = await bus.subscription(topic, enable_message_ordering=True)
    await bus.publish(topic, "0", "1", key="k")
    async with bus.stream(subscription) as stream:
        held = await stream.receive(2)
        await stream.half_close()
    first = await bus.pull(subscription, 1)

    await bus.acknowledge(subscription, held[1:])
    await bus.refuse(subscription, first)

    assert texts(await bus.drain(subscription)) == ["0", "1"]


async def test_an_acknowledgement_after_the_next_delivery_does_not_count(bus: Bus) -> None:
    """Whoever has a message now decides what becomes of it."""
    topic = await bus.topic()
    subscription = await bus.subscription(topic)
    await bus.publish(topic, "x")
    async with bus.stream(subscription) as stream:
        held = await stream.receive(1)
        await stream.half_close()
    again = await bus.pull(subscription, 1)

    await bus.acknowledge(subscription, held)
    await bus.refuse(subscription, again)

    assert texts(await bus.consume(subscription, 1)) == ["x"]


async def test_an_acknowledgement_counts_by_the_latest_id_alone(bus: Bus) -> None:
    """Of two streams that had a message and ended, the later one's counts."""
    topic = await bus.topic()
    subscription = await bus.subscription(topic)
    await bus.publish(topic, "x")
    ids: list[str] = []
    for _ in range(2):
        async with bus.stream(subscription) as stream:
            (held,) = await stream.receive(1)
            ids.append(held.ack_id)
            await stream.half_close()

    await bus.subscriber.acknowledge(subscription=subscription, ack_ids=ids[:1], retry=None)

    assert texts(await bus.consume(subscription, 1)) == ["x"]


async def test_ours_a_stream_that_nobody_reads_holds_nothing_once_it_is_closed(bus: Bus) -> None:
    """Its leases end though the server cannot write the rest of its responses."""
    topic = await bus.topic()
    subscription = await bus.subscription(topic)
    requests: asyncio.Queue[StreamingPullRequest | None] = asyncio.Queue()

    async def outgoing() -> AsyncIterator[StreamingPullRequest]:
        while (request := await requests.get()) is not None:
            yield request

    first = {"subscription": subscription, "stream_ack_deadline_seconds": LONGEST_SECONDS}
    await requests.put(StreamingPullRequest(first))
    call: Any = await bus.subscriber.streaming_pull(outgoing(), timeout=60)
    await bus.publish(topic, "read")
    await call.read()
    for text in ("a", "b", "c"):
        await bus.publish(topic, text * 5_000_000)

    await requests.put(None)

    async with asyncio.timeout(AT_ONCE_SECONDS):
        assert len(await bus.pull(subscription, 4)) == 4
    call.cancel()


async def test_a_stream_acknowledges_what_another_received(bus: Bus) -> None:
    """Its first request may say so already."""
    topic = await bus.topic()
    subscription = await bus.subscription(topic)
    await bus.publish(topic, "x")
    async with bus.stream(subscription) as one:
        (held,) = await one.receive(1)
        async with bus.stream(subscription, ack_ids=[held.ack_id]) as other:
            await other.half_close()
        await one.half_close()

    await bus.silence(subscription)


async def test_a_stream_that_begins_wrongly_fails_though_it_is_answered(bus: Bus) -> None:
    """An answer under way does not hide the error."""
    subscription = await bus.subscription(await bus.topic())
    async with bus.stream(subscription, protocol_version=1, modify_deadline_ack_ids=["a"]) as stream:
        with pytest.raises(InvalidArgument):
            await stream.receive(1)


async def test_what_a_stream_held_waits_for_its_backoff(timed_bus: Bus, clock: ManualClock) -> None:
    """The end of a stream is a failed delivery; the key of what is acknowledged after it goes on at once."""
    topic = await timed_bus.topic()
    policy = {"minimum_backoff": timedelta(seconds=10), "maximum_backoff": timedelta(seconds=60)}
    subscription = await timed_bus.subscription(topic, retry_policy=policy, enable_message_ordering=True)
    await timed_bus.publish(topic, "a0", "a1", key="a")
    await timed_bus.publish(topic, "b0", "b1", key="b")
    async with timed_bus.stream(subscription) as stream:
        held = await stream.receive(4)
        await stream.half_close()
    await timed_bus.silence(subscription)

    await timed_bus.acknowledge(subscription, [each for each in held if texts([each]) == ["a0"]])

    assert texts(await timed_bus.consume(subscription, 1)) == ["a1"]
    await timed_bus.silence(subscription)
    clock.advance(10.1)
    assert texts(await timed_bus.consume(subscription, 2)) == ["b0", "b1"]


async def test_ours_a_response_is_bounded_in_bytes(timed_bus: Bus) -> None:
    """However much waits, a response and a pull hold 4 MB and one message more at the most."""
    topic = await timed_bus.topic()
    streamed, pulled = [await timed_bus.subscription(topic) for _ in range(2)]
    for _ in range(4):
        await timed_bus.publish(topic, *["x" * 1_000_000] * 4)

    async with timed_bus.stream(streamed) as stream:
        await stream.receive(16)
    first = await timed_bus.pull_once(pulled)

    assert max(StreamingPullResponse.pb(each).ByteSize() for each in stream.responses) <= 5_100_000
    assert len(first) <= 5


async def test_a_snapshot_lacks_what_was_acknowledged_after_the_streams_end(bus: Bus) -> None:
    """It is acknowledged, though its place in the queue is still to come."""
    topic = await bus.topic()
    subscription = await bus.subscription(topic)
    await bus.publish(topic, "0", "1")
    async with bus.stream(subscription) as stream:
        held = await stream.receive(2)
        await stream.half_close()
    await bus.acknowledge(subscription, held[:1])

    name = bus.name("snapshots")
    await bus.subscriber.create_snapshot(name=name, subscription=subscription)
    await bus.subscriber.seek(SeekRequest(subscription=subscription, snapshot=name))

    assert texts(await bus.consume(subscription, 1)) == texts(held[1:])
    await bus.silence(subscription)
