"""Replay: back to a time or a snapshot, and forward past what nobody wants."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

import pytest
from google.api_core.exceptions import FailedPrecondition, InvalidArgument, NotFound
from google.pubsub_v1.types import SeekRequest

from pubsub_emulator import ManualClock
from tests.pubsub_emulator.bus import Bus, published, texts

DAY = timedelta(days=1)


async def _seek(bus: Bus, subscription: str, moment: float) -> None:
    target = datetime.fromtimestamp(moment, UTC)
    await bus.subscriber.seek(SeekRequest(subscription=subscription, time=target))


@pytest.mark.parametrize("ordered", [False, True])
async def test_retained_messages_come_again_after_a_seek_back(bus: Bus, ordered: bool) -> None:
    """With retain_acked_messages, acknowledged messages from a time on are delivered again, in order."""
    topic = await bus.topic()
    subscription = await bus.subscription(topic, retain_acked_messages=True, enable_message_ordering=ordered)
    for n in range(3):
        await bus.publish(topic, str(n), key="k")
        await asyncio.sleep(0.002)  # the emulator tells time in whole milliseconds: each gets one of its own
    received = await bus.consume(subscription, 3)
    received.sort(key=published)

    await _seek(bus, subscription, published(received[1]))

    assert sorted(texts(await bus.drain(subscription))) == ["1", "2"]
    await _seek(bus, subscription, published(received[0]) - 60)
    again = texts(await bus.drain(subscription))
    assert (again if ordered else sorted(again)) == ["0", "1", "2"]


async def test_acknowledged_messages_are_gone_without_retention(bus: Bus) -> None:
    """A seek brings back only what is retained."""
    topic = await bus.topic()
    subscription = await bus.subscription(topic)
    await bus.publish(topic, "x")
    await bus.consume(subscription, 1)

    await _seek(bus, subscription, time.time() - 60)

    await bus.silence(subscription)


async def test_a_seek_forward_purges_the_backlog(bus: Bus) -> None:
    """What was published before the time counts as acknowledged, be it waiting or outstanding."""
    topic = await bus.topic()
    subscription = await bus.subscription(topic)
    await bus.publish(topic, "0", "1")
    outstanding = await bus.pull(subscription, 1)

    await _seek(bus, subscription, time.time() + 1)

    await bus.refuse(subscription, outstanding)
    await bus.silence(subscription)


async def test_an_ordered_subscription_seeks_forward_and_goes_on(bus: Bus) -> None:
    """A purge while a key's message is outstanding does not block the key."""
    topic = await bus.topic()
    subscription = await bus.subscription(topic, enable_message_ordering=True)
    await bus.publish(topic, "0", "1", key="k")
    outstanding = await bus.pull(subscription, 1)

    await _seek(bus, subscription, published(outstanding[0]) + 0.001)
    await bus.publish(topic, "2", key="k")

    assert texts(await bus.drain(subscription)) == ["2"]


async def test_a_new_subscription_can_seek_into_its_topics_past(bus: Bus) -> None:
    """What a topic retains is there for subscriptions that came later."""
    topic = await bus.topic(message_retention_duration=DAY)
    await bus.publish(topic, "early")
    subscription = await bus.subscription(topic)
    await bus.silence(subscription)

    await _seek(bus, subscription, time.time() - 60)

    assert texts(await bus.drain(subscription)) == ["early"]


async def test_a_seek_back_keeps_to_the_filter(bus: Bus) -> None:
    """The topic's log is not the subscription's: its filter still stands before it."""
    topic = await bus.topic(message_retention_duration=DAY)
    subscription = await bus.subscription(topic, filter="attributes:yes")
    await bus.publish(topic, "yes", attributes={"yes": ""})
    await bus.publish(topic, "no", attributes={"no": ""})

    await _seek(bus, subscription, time.time() - 60)

    assert texts(await bus.drain(subscription)) == ["yes"]


async def test_an_open_stream_gets_what_a_seek_brings_back(bus: Bus) -> None:
    """Nobody has to reconnect."""
    topic = await bus.topic()
    subscription = await bus.subscription(topic, retain_acked_messages=True)
    async with bus.stream(subscription) as stream:
        await bus.publish(topic, "x")
        received = await stream.receive(1)
        await bus.acknowledge(subscription, received)
        await _seek(bus, subscription, published(received[0]) - 1)

        assert texts(await stream.receive(1)) == ["x"]


@pytest.mark.parametrize("ordered", [False, True])
async def test_a_seek_to_a_snapshot_restores_its_backlog_and_what_came_since(bus: Bus, ordered: bool) -> None:
    """Unacknowledged at the snapshot, or published after it: delivered again, though acknowledged since."""
    topic = await bus.topic()
    subscription = await bus.subscription(topic, enable_message_ordering=ordered)
    await bus.publish(topic, "before", key="k")
    await bus.consume(subscription, 1)
    await bus.publish(topic, "backlog", key="k")
    name = bus.name("snapshots")
    await bus.subscriber.create_snapshot(name=name, subscription=subscription)
    await bus.publish(topic, "since", key="k")
    await bus.consume(subscription, 2)

    await bus.subscriber.seek(SeekRequest(subscription=subscription, snapshot=name))

    again = texts(await bus.drain(subscription))
    assert (again if ordered else sorted(again)) == ["backlog", "since"]


async def test_another_subscription_of_the_topic_can_seek_to_a_snapshot(bus: Bus) -> None:
    """A snapshot belongs to the topic, not to the subscription of which it was taken."""
    topic = await bus.topic()
    one, other = await bus.subscription(topic), await bus.subscription(topic)
    await bus.publish(topic, "x")
    name = bus.name("snapshots")
    await bus.subscriber.create_snapshot(name=name, subscription=one)
    await bus.consume(other, 1)

    await bus.subscriber.seek(SeekRequest(subscription=other, snapshot=name))

    assert texts(await bus.drain(other)) == ["x"]


async def test_a_seek_to_another_topics_snapshot_is_refused(bus: Bus) -> None:
    """Its messages would not be the subscription's."""
    one = await bus.subscription(await bus.topic())
    other = await bus.subscription(await bus.topic())
    name = bus.name("snapshots")
    await bus.subscriber.create_snapshot(name=name, subscription=one)

    with pytest.raises((FailedPrecondition, InvalidArgument)):
        await bus.subscriber.seek(SeekRequest(subscription=other, snapshot=name))
    with pytest.raises(NotFound):
        await bus.subscriber.seek(SeekRequest(subscription=other, snapshot=bus.name("snapshots")))


async def test_a_seek_needs_a_target(bus: Bus) -> None:
    """Neither time nor snapshot is an error."""
    subscription = await bus.subscription(await bus.topic())

    with pytest.raises(InvalidArgument):
        await bus.subscriber.seek(SeekRequest(subscription=subscription))


async def test_a_seek_takes_what_was_published_at_its_very_time(timed_bus: Bus, clock: ManualClock) -> None:
    """Published from that time on is unacknowledged, before it acknowledged."""
    topic = await timed_bus.topic()
    subscription = await timed_bus.subscription(topic, retain_acked_messages=True)
    await timed_bus.publish(topic, "before")
    clock.advance(10)
    await timed_bus.publish(topic, "at")
    time = datetime.fromtimestamp(clock.now(), UTC)
    clock.advance(10)
    await timed_bus.publish(topic, "after")

    await timed_bus.subscriber.seek(SeekRequest(subscription=subscription, time=time))

    assert sorted(texts(await timed_bus.drain(subscription))) == ["after", "at"]


@pytest.mark.parametrize("ordered", [False, True])
async def test_a_seek_forgets_what_waits_for_its_backoff_or_in_a_stream(
    timed_bus: Bus, clock: ManualClock, *, ordered: bool
) -> None:
    """Whatever state a message is in: delayed, outstanding, or queued for a stream that has no room."""
    topic = await timed_bus.topic()
    policy = {"minimum_backoff": timedelta(seconds=10)}
    fields = {"retry_policy": policy, "enable_message_ordering": ordered}
    subscription = await timed_bus.subscription(topic, **fields)
    for key in "abcd":
        await timed_bus.publish(topic, key, key=key)
    async with timed_bus.stream(subscription, max_outstanding_messages=2) as stream:
        held = await stream.receive(2)
        await timed_bus.refuse(subscription, held[:1])
        await stream.receive(1)  # so that one is delayed, two are outstanding and one is queued
        clock.advance(1)
        now = datetime.fromtimestamp(clock.now(), UTC)
        await timed_bus.subscriber.seek(SeekRequest(subscription=subscription, time=now))
        clock.advance(60)
        await stream.silence()
        await timed_bus.publish(topic, "next", key="d")
        assert texts(await stream.receive(1)) == ["next"]


async def test_a_seek_forgets_what_nobody_has_taken_yet(timed_bus: Bus, clock: ManualClock) -> None:
    """The keys that wait for whoever comes first are empty after it."""
    topic = await timed_bus.topic()
    subscription = await timed_bus.subscription(topic, enable_message_ordering=True)
    for key in "ab":
        await timed_bus.publish(topic, "old", key=key)
    clock.advance(1)

    now = datetime.fromtimestamp(clock.now(), UTC)
    await timed_bus.subscriber.seek(SeekRequest(subscription=subscription, time=now))

    await timed_bus.silence(subscription)
    await timed_bus.publish(topic, "new", key="a")
    assert texts(await timed_bus.consume(subscription, 1)) == ["new"]


async def test_a_snapshot_has_what_waits_for_its_backoff_and_what_is_outstanding(timed_bus: Bus) -> None:
    """All that was not acknowledged when it was taken."""
    topic = await timed_bus.topic()
    policy = {"minimum_backoff": timedelta(seconds=10)}
    subscription = await timed_bus.subscription(topic, retry_policy=policy)
    await timed_bus.publish(topic, "delayed", "outstanding", "acknowledged", "waiting")
    held = {texts([each])[0]: each for each in await timed_bus.pull(subscription, 3)}
    rest = {"delayed", "outstanding", "acknowledged", "waiting"} - set(held)
    await timed_bus.refuse(subscription, [held["delayed"]])
    await timed_bus.acknowledge(subscription, [held["acknowledged"]])
    assert rest == {"waiting"}

    snapshot = await timed_bus.subscriber.create_snapshot(name="", subscription=subscription)
    await timed_bus.subscriber.seek(SeekRequest(subscription=subscription, snapshot=snapshot.name))

    assert texts(await timed_bus.drain(subscription)) == ["delayed", "outstanding", "waiting"]
