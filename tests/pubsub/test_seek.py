"""Replay: back to a time or a snapshot, and forward past what nobody wants."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

import pytest
from google.api_core.exceptions import FailedPrecondition, InvalidArgument, NotFound
from google.pubsub_v1.types import SeekRequest

from tests.pubsub.bus import Bus, published, texts

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
