"""What is not acknowledged comes again, when it should and not before."""

import time
from datetime import timedelta

import pytest

from pubsub_emulator import ManualClock
from tests.pubsub_emulator.bus import Bus, texts


async def test_an_acknowledged_message_does_not_come_again(bus: Bus) -> None:
    """Not after its deadline either."""
    topic = await bus.topic()
    subscription = await bus.subscription(topic)
    await bus.publish(topic, "x")
    received = await bus.pull(subscription, 1)
    await bus.modify(subscription, received, 1)

    await bus.acknowledge(subscription, received)

    await bus.silence(subscription)
    await bus.silence(subscription)


async def test_a_message_comes_again_when_its_deadline_has_passed(bus: Bus) -> None:
    """A subscriber that dies loses nothing, and nobody else gets its message earlier."""
    topic = await bus.topic()
    subscription = await bus.subscription(topic)
    (message_id,) = await bus.publish(topic, "x")
    await bus.modify(subscription, await bus.pull(subscription, 1), 1)

    await bus.silence(subscription)
    (again,) = await bus.consume(subscription, 1)

    assert again.message.message_id == message_id


async def test_a_deadline_can_be_extended(bus: Bus) -> None:
    """Whoever works longer says so, and keeps the message."""
    topic = await bus.topic()
    subscription = await bus.subscription(topic)
    await bus.publish(topic, "x")
    received = await bus.pull(subscription, 1)
    await bus.modify(subscription, received, 1)

    await bus.modify(subscription, received, 30)

    for _ in range(3):
        await bus.silence(subscription)


async def test_a_refused_message_comes_again_at_once(bus: Bus) -> None:
    """A nack without a retry policy has no delay, and another ack id."""
    topic = await bus.topic()
    subscription = await bus.subscription(topic)
    await bus.publish(topic, "x")
    first = await bus.pull(subscription, 1)

    await bus.refuse(subscription, first)

    (again,) = await bus.pull(subscription, 1)
    assert texts([again]) == ["x"]
    assert again.ack_id != first[0].ack_id


async def test_a_stream_refuses_and_receives_again(bus: Bus) -> None:
    """Nacks and acknowledgements through the stream count like those by calls."""
    topic = await bus.topic()
    subscription = await bus.subscription(topic)
    await bus.publish(topic, "x")
    async with bus.stream(subscription) as stream:
        await stream.modify(await stream.receive(1), 0)
        await stream.acknowledge(await stream.receive(1))
        await stream.silence()

    assert texts(stream.messages) == ["x", "x"]
    await bus.silence(subscription)


async def test_no_attempts_are_told_without_a_dead_letter_policy(bus: Bus) -> None:
    """`delivery_attempt` stays 0, as Google's does."""
    topic = await bus.topic()
    subscription = await bus.subscription(topic)
    await bus.publish(topic, "x")
    first = await bus.pull(subscription, 1)
    await bus.refuse(subscription, first)

    assert [m.delivery_attempt for m in first + await bus.pull(subscription, 1)] == [0, 0]


async def test_a_retry_policy_delays_the_first_redelivery(bus: Bus) -> None:
    """A refused message does not come again before the minimum backoff."""
    topic = await bus.topic()
    subscription = await bus.subscription(
        topic,
        retry_policy={"minimum_backoff": timedelta(seconds=1), "maximum_backoff": timedelta(seconds=2)},
    )
    await bus.publish(topic, "x")
    await bus.refuse(subscription, await bus.pull(subscription, 1))
    started = time.monotonic()

    await bus.pull(subscription, 1)

    assert 0.9 <= time.monotonic() - started < 3


async def test_backoff_doubles_up_to_its_maximum(timed_bus: Bus, clock: ManualClock) -> None:
    """10 s, 20 s, 40 s, 60 s, 60 s for a policy from 10 s to 60 s."""
    topic = await timed_bus.topic()
    policy = {"minimum_backoff": timedelta(seconds=10), "maximum_backoff": timedelta(seconds=60)}
    subscription = await timed_bus.subscription(topic, retry_policy=policy)
    await timed_bus.publish(topic, "x")
    async with timed_bus.stream(subscription) as stream:
        held = await stream.receive(1)
        for delay_seconds in (10, 20, 40, 60, 60):
            await timed_bus.refuse(subscription, held)
            clock.advance(delay_seconds - 1)
            await stream.silence()
            clock.advance(1.1)
            held = await stream.receive(1)


@pytest.mark.parametrize("deadline_seconds", [0, 10, 600])
async def test_the_subscriptions_deadline_counts(
    timed_bus: Bus, clock: ManualClock, deadline_seconds: int
) -> None:
    """A pulled message is held for ack_deadline_seconds, 10 by default, to the second."""
    topic = await timed_bus.topic()
    subscription = await timed_bus.subscription(topic, ack_deadline_seconds=deadline_seconds)
    await timed_bus.publish(topic, "x")
    await timed_bus.pull(subscription, 1)

    clock.advance((deadline_seconds or 10) - 1)
    await timed_bus.silence(subscription)
    clock.advance(1.1)

    assert texts(await timed_bus.pull(subscription, 1)) == ["x"]


async def test_a_streams_own_deadline_counts(timed_bus: Bus, clock: ManualClock) -> None:
    """`stream_ack_deadline_seconds` overrides the subscription's deadline."""
    topic = await timed_bus.topic()
    subscription = await timed_bus.subscription(topic, ack_deadline_seconds=10)
    async with timed_bus.stream(subscription, stream_ack_deadline_seconds=60) as stream:
        await timed_bus.publish(topic, "x")
        await stream.receive(1)
        clock.advance(59)
        await stream.silence()
        clock.advance(1.1)
        await stream.receive(1)


async def test_each_deadline_counts_whatever_others_there_are(timed_bus: Bus, clock: ManualClock) -> None:
    """A shorter one that is set after a longer one, and the longer ones after that."""
    topic = await timed_bus.topic()
    subscription = await timed_bus.subscription(topic, ack_deadline_seconds=600)
    deadlines = {"long": 300, "short": 10, "middle": 60}
    await timed_bus.publish(topic, *deadlines)
    held = {texts([each])[0]: each for each in await timed_bus.pull(subscription, 3)}
    for text, seconds in deadlines.items():
        await timed_bus.modify(subscription, [held[text]], seconds)

    for text, advance_seconds in (("short", 10), ("middle", 50), ("long", 240)):
        clock.advance(advance_seconds - 1)
        await timed_bus.silence(subscription)
        clock.advance(1.1)
        assert texts(await timed_bus.consume(subscription, 1)) == [text]


async def test_deadlines_fall_due_one_after_the_other(timed_bus: Bus, clock: ManualClock) -> None:
    """Also while nobody does anything."""
    topic = await timed_bus.topic()
    subscription = await timed_bus.subscription(topic, ack_deadline_seconds=10)
    await timed_bus.publish(topic, "0", "1")
    first, second = await timed_bus.pull(subscription, 2)
    await timed_bus.modify(subscription, [second], 60)

    clock.advance(10.1)
    clock.advance(50)

    again = await timed_bus.pull(subscription, 2)
    assert texts(again) == texts([first, second])
