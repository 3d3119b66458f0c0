"""Flow control: nobody gets more than it can hold, and nobody starves while another is full."""

import asyncio
import contextlib

import pytest
from google.cloud import pubsub_v1

from tests.pubsub_emulator.bus import PATIENCE_SECONDS, Bus, Stream, texts


async def test_a_stream_gets_no_more_messages_than_it_can_hold(bus: Bus) -> None:
    """max_outstanding_messages stops delivery; an acknowledgement lets the next through."""
    topic = await bus.topic()
    subscription = await bus.subscription(topic)
    await bus.publish(topic, *map(str, range(5)))
    async with bus.stream(subscription, max_outstanding_messages=2) as stream:
        held = await stream.receive(2)
        await stream.silence()

        await stream.acknowledge(held[:1])
        await stream.receive(1)
        await stream.silence()

        await stream.modify(held[1:], 0)
        await stream.receive(1)


async def test_ours_a_stream_gets_no_more_bytes_than_it_can_hold(bus: Bus) -> None:
    """max_outstanding_bytes stops delivery once it is reached."""
    topic = await bus.topic()
    subscription = await bus.subscription(topic)
    await bus.publish(topic, *["x" * 1000] * 5)
    async with bus.stream(subscription, max_outstanding_bytes=1500) as stream:
        held = await stream.receive(2)
        await stream.silence()

        await stream.acknowledge(held)
        await stream.receive(2)


async def test_what_expires_is_no_longer_held(bus: Bus) -> None:
    """A deadline that passes makes room like an acknowledgement."""
    topic = await bus.topic()
    subscription = await bus.subscription(topic)
    await bus.publish(topic, "0", "1")
    async with bus.stream(subscription, max_outstanding_messages=1) as stream:
        await stream.modify(await stream.receive(1), 1)

        await stream.receive(1)


async def test_a_full_stream_leaves_the_rest_to_another(bus: Bus) -> None:
    """What one cannot hold, the other gets."""
    topic = await bus.topic()
    subscription = await bus.subscription(topic)
    async with (
        bus.stream(subscription, max_outstanding_messages=2) as one,
        bus.stream(subscription, max_outstanding_messages=100) as other,
    ):
        await bus.publish(topic, *map(str, range(20)))
        await other.receive(18)
        await one.receive(2)


async def test_streams_share_a_backlog(timed_bus: Bus) -> None:
    """Two streams that are open when a batch arrives both get a part of it."""
    batch = [str(n) for n in range(100)]
    topic = await timed_bus.topic()
    subscription = await timed_bus.subscription(topic)
    async with timed_bus.stream(subscription) as one, timed_bus.stream(subscription) as other:
        for stream in (one, other):
            while not stream.messages:  # until it is open
                await timed_bus.publish(topic, "open", "open")
                await asyncio.wait((stream.reader,), timeout=0.1)
        await timed_bus.publish(topic, *batch)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while sum(shares := [_share(stream, batch) for stream in (one, other)]) < len(batch):
                await asyncio.wait((one.reader, other.reader), timeout=0.05)

    assert min(shares) >= 20


def _share(stream: Stream, batch: list[str]) -> int:
    return sum(text in batch for text in texts(stream.messages))


async def test_a_pull_gets_no_more_than_it_asks_for(bus: Bus) -> None:
    """max_messages is a limit, and the rest waits."""
    topic = await bus.topic()
    subscription = await bus.subscription(topic)
    await bus.publish(topic, *map(str, range(5)))

    first = await bus.pull_once(subscription, 2)
    rest = await bus.pull(subscription, 3)

    assert len(first) == 2
    assert sorted(texts(first + rest)) == list("01234")


@pytest.mark.filterwarnings("ignore:The return_immediately flag is deprecated:DeprecationWarning")
async def test_a_pull_that_will_not_wait_does_not(bus: Bus) -> None:
    """`return_immediately` answers an empty backlog at once."""
    subscription = await bus.subscription(await bus.topic())
    request = pubsub_v1.types.PullRequest(subscription=subscription, max_messages=1, return_immediately=True)

    async with asyncio.timeout(5):
        assert not (await bus.subscriber.pull(request, timeout=30)).received_messages


async def test_googles_own_client_is_held_to_its_flow_control(
    bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With max_messages=1 the high-level client handles one message at a time, and all of them."""
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", bus.address)
    topic = await bus.topic()
    subscription = await bus.subscription(topic)
    await bus.publish(topic, *map(str, range(5)))

    assert sorted(await asyncio.to_thread(_receive_one_at_a_time, subscription, 5)) == list("01234")


def _receive_one_at_a_time(subscription: str, count: int) -> list[str]:
    received: list[str] = []
    complete = pubsub_v1.subscriber.futures.Future()

    def callback(message: pubsub_v1.subscriber.message.Message) -> None:
        received.append(message.data.decode())
        message.ack()
        if len(received) == count:
            complete.set_result(None)

    with pubsub_v1.SubscriberClient() as subscriber:
        flow_control = pubsub_v1.types.FlowControl(max_messages=1)
        streaming = subscriber.subscribe(subscription, callback, flow_control=flow_control)
        complete.result(timeout=15)
        streaming.cancel()
        streaming.result(timeout=15)
    return received


async def test_a_message_that_several_streams_wait_for_goes_to_one(timed_bus: Bus) -> None:
    """A share of one is one, and nobody waits for another message to come."""
    topic = await timed_bus.topic()
    subscription = await timed_bus.subscription(topic)
    async with (
        timed_bus.stream(subscription, protocol_version=1) as one,
        timed_bus.stream(subscription, protocol_version=1) as other,
    ):
        await one.responded(1)
        await other.responded(1)
        for n in range(1, 6):
            await timed_bus.publish(topic, str(n))
            while len(one.messages) + len(other.messages) < n:
                with contextlib.suppress(TimeoutError):
                    await one.until(lambda: False, 0.05)


async def test_every_waiting_pull_hears_of_messages(timed_bus: Bus) -> None:
    """Those that wait when a batch arrives each get a part of it."""
    topic = await timed_bus.topic()
    subscription = await timed_bus.subscription(topic)
    pulls = [asyncio.create_task(timed_bus.pull(subscription, 1)) for _ in range(3)]

    await timed_bus.publish(topic, "0", "1", "2")

    assert sorted(texts([message for pulled in await asyncio.gather(*pulls) for message in pulled])) == list(
        "012"
    )
