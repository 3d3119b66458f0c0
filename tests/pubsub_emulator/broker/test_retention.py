"""Retention: messages live as long as they are promised to, and then cost nothing."""

from datetime import UTC, datetime, timedelta

import pytest
from google.api_core.exceptions import FailedPrecondition, NotFound
from google.pubsub_v1.types import SeekRequest

from pubsub_emulator import ManualClock
from tests.pubsub_emulator.bus import Bus, texts

HOUR, DAY = 3600, 86400


async def _replay(bus: Bus, subscription: str) -> list[str]:
    start = datetime.fromtimestamp(0, UTC) + timedelta(days=1)
    await bus.subscriber.seek(SeekRequest(subscription=subscription, time=start))
    return texts(await bus.drain(subscription))


@pytest.mark.parametrize("ordered", [False, True])
async def test_an_unacknowledged_message_lives_for_the_retention(
    timed_bus: Bus, clock: ManualClock, ordered: bool
) -> None:
    """It waits until message_retention_duration has passed since its publication, and is then dropped."""
    topic = await timed_bus.topic()
    fields = {"message_retention_duration": timedelta(hours=1), "enable_message_ordering": ordered}
    subscription = await timed_bus.subscription(topic, **fields)
    await timed_bus.publish(topic, "old", key="k")
    clock.advance(HOUR - 10)
    await timed_bus.publish(topic, "new", key="k")
    (held,) = await timed_bus.pull(subscription, 1)
    assert texts([held]) == ["old"]
    await timed_bus.refuse(subscription, [held])

    clock.advance(20)

    assert texts(await timed_bus.drain(subscription)) == ["new"]


async def test_the_default_retention_is_seven_days(timed_bus: Bus, clock: ManualClock) -> None:
    """Google's default."""
    topic = await timed_bus.topic()
    subscription = await timed_bus.subscription(topic)
    await timed_bus.publish(topic, "x")

    clock.advance(7 * DAY - 1)
    received = await timed_bus.pull(subscription, 1)
    await timed_bus.refuse(subscription, received)
    clock.advance(2)

    assert texts(received) == ["x"]
    await timed_bus.silence(subscription)


async def test_acknowledged_messages_are_retained_for_the_retention(
    timed_bus: Bus, clock: ManualClock
) -> None:
    """With retain_acked_messages a replay reaches back just as far."""
    topic = await timed_bus.topic()
    fields = {"message_retention_duration": timedelta(hours=1), "retain_acked_messages": True}
    subscription = await timed_bus.subscription(topic, **fields)
    await timed_bus.publish(topic, "old")
    clock.advance(HOUR / 2)
    await timed_bus.publish(topic, "new")
    await timed_bus.consume(subscription, 2)

    assert sorted(await _replay(timed_bus, subscription)) == ["new", "old"]
    clock.advance(HOUR / 2 + 1)
    assert await _replay(timed_bus, subscription) == ["new"]


async def test_a_topic_retains_for_its_own_duration(timed_bus: Bus, clock: ManualClock) -> None:
    """A topic's retention serves every subscription, whatever that retains itself."""
    topic = await timed_bus.topic(message_retention_duration=timedelta(hours=1))
    await timed_bus.publish(topic, "old")
    clock.advance(HOUR / 2)
    await timed_bus.publish(topic, "new")
    subscription = await timed_bus.subscription(topic)

    assert sorted(await _replay(timed_bus, subscription)) == ["new", "old"]
    clock.advance(HOUR / 2 + 1)
    assert await _replay(timed_bus, subscription) == ["new"]


async def test_a_snapshot_lives_for_a_week_less_the_age_of_its_oldest_message(
    timed_bus: Bus, clock: ManualClock
) -> None:
    """Its expire_time says so, it is gone then, and one that could not live for an hour is refused."""
    topic = await timed_bus.topic()
    subscription = await timed_bus.subscription(topic, message_retention_duration=timedelta(days=31))
    await timed_bus.publish(topic, "x")
    clock.advance(DAY)
    name = timed_bus.name("snapshots")
    await timed_bus.subscriber.create_snapshot(name=name, subscription=subscription)

    clock.advance(6 * DAY - 1)
    await timed_bus.subscriber.get_snapshot(snapshot=name)
    with pytest.raises(FailedPrecondition):
        await timed_bus.subscriber.create_snapshot(
            name=timed_bus.name("snapshots"), subscription=subscription
        )
    clock.advance(1.1)
    with pytest.raises(NotFound):
        await timed_bus.subscriber.get_snapshot(snapshot=name)
