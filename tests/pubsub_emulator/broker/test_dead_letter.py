"""A message that fails too often leaves its subscription for the dead-letter topic, and is not lost."""

import asyncio
from datetime import datetime
from typing import NamedTuple

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from google.pubsub_v1.types import ReceivedMessage, Subscription, UpdateSubscriptionRequest

from tests.pubsub_emulator.bus import PATIENCE_SECONDS, Bus, published, texts

ATTEMPTS = 5


class Letters(NamedTuple):
    """A subscription with a dead-letter topic, and the subscription that holds its dead letters."""

    topic: str
    subscription: str
    dead_letter_topic: str
    dead_letters: str


async def _letters(bus: Bus, **fields: object) -> Letters:
    topic, dead_letter_topic = await bus.topic(), await bus.topic()
    policy = {"dead_letter_topic": dead_letter_topic, "max_delivery_attempts": ATTEMPTS}
    subscription = await bus.subscription(topic, dead_letter_policy=policy, **fields)
    return Letters(topic, subscription, dead_letter_topic, await bus.subscription(dead_letter_topic))


async def _refuse_to_the_end(bus: Bus, subscription: str) -> list[ReceivedMessage]:
    """Refuse what comes, one message at a time, as often as the policy allows."""
    refused: list[ReceivedMessage] = []
    for _ in range(ATTEMPTS):
        received = await bus.pull(subscription, 1)
        await bus.refuse(subscription, received)
        refused += received
    return refused


async def _refuse_until_it_is_dead(bus: Bus, letters: Letters) -> tuple[list[str], list[str]]:
    """Refuse the first message until another or its dead letter comes: Google counts approximately.

    Returns:
        The data of what came after it, and of its dead letter if that was seen first; both acknowledged.
    """
    first = await bus.pull(letters.subscription, 1)
    await bus.refuse(letters.subscription, first)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            received = await bus.pull_once(letters.subscription, 1)
            if received and received[0].message.message_id == first[0].message.message_id:
                await bus.refuse(letters.subscription, received)
            elif received:
                await bus.acknowledge(letters.subscription, received)
                return texts(received), []
            elif dead := await bus.pull_once(letters.dead_letters, 1):
                await bus.acknowledge(letters.dead_letters, dead)
                return [], texts(dead)


async def test_a_message_refused_too_often_becomes_a_dead_letter(bus: Bus) -> None:
    """In the end it is on the dead-letter topic, and on its subscription no more."""
    letters = await _letters(bus)
    await bus.publish(letters.topic, "x")

    assert await _refuse_until_it_is_dead(bus, letters) == ([], ["x"])

    await bus.silence(letters.subscription)


async def test_a_nacked_message_of_an_ordered_subscription_is_dead_lettered_and_its_next_follows(
    bus: Bus,
) -> None:
    """A message nacked on an ordered subscription reaches its dead-letter subscription after the configured
    attempts, and the next message of its key follows.
    """  # noqa: D205  one sentence, and the one that this suite has to prove
    letters = await _letters(bus, enable_message_ordering=True)
    await bus.publish(letters.topic, "poison", "next", "last", key="k")

    assert await _refuse_until_it_is_dead(bus, letters) == (["next"], [])

    assert texts(await bus.drain(letters.subscription)) == ["last"]
    (dead,) = await bus.drain(letters.dead_letters)
    assert (texts([dead]), dead.message.ordering_key) == (["poison"], "k")


async def test_ours_a_message_is_delivered_exactly_as_often_as_its_policy_says(bus: Bus) -> None:
    """With order and without, each delivery tells its number, and there is none after the last."""
    for ordered in (False, True):
        letters = await _letters(bus, enable_message_ordering=ordered)
        await bus.publish(letters.topic, "poison", key="k")

        refused = await _refuse_to_the_end(bus, letters.subscription)

        assert [message.delivery_attempt for message in refused] == [1, 2, 3, 4, 5]
        await bus.silence(letters.subscription)
        assert texts(await bus.consume(letters.dead_letters, 1)) == ["poison"]


async def test_ours_a_stream_that_refuses_one_message_goes_on_with_its_key(bus: Bus) -> None:
    """The same through a stream that got the whole key at once: only the poison dies."""
    letters = await _letters(bus, enable_message_ordering=True)
    await bus.publish(letters.topic, "poison", "next", "last", key="k")
    settled: list[str] = []
    async with bus.stream(letters.subscription) as stream:
        while settled.count("poison") < ATTEMPTS or settled[-2:] != ["next", "last"]:
            (message,) = await stream.receive(1)
            settled += texts([message])
            if settled[-1] == "poison":
                await stream.modify([message], 0)
            else:
                await stream.acknowledge([message])

    assert settled.count("poison") == ATTEMPTS
    assert texts(await bus.drain(letters.dead_letters)) == ["poison"]


async def test_ours_attempts_are_counted_and_told(bus: Bus) -> None:
    """`delivery_attempt` counts refusals and missed deadlines alike, from 1."""
    letters = await _letters(bus)
    await bus.publish(letters.topic, "x")
    first = await bus.pull(letters.subscription, 1)
    await bus.modify(letters.subscription, first, 1)
    second = await bus.pull(letters.subscription, 1)
    await bus.refuse(letters.subscription, second)
    third = await bus.pull(letters.subscription, 1)

    assert [message.delivery_attempt for message in first + second + third] == [1, 2, 3]


async def test_ours_a_dead_letter_tells_where_it_comes_from(bus: Bus) -> None:
    """Its own attributes, Google's four, the same key and data, and an id of its own."""
    letters = await _letters(bus)
    (message_id,) = await bus.publish(letters.topic, "x", key="k", attributes={"own": "1"})

    refused = await _refuse_to_the_end(bus, letters.subscription)
    await bus.silence(letters.subscription)

    (dead,) = await bus.consume(letters.dead_letters, 1)
    attributes = dict(dead.message.attributes)
    publish_time = datetime.fromisoformat(attributes.pop("CloudPubSubDeadLetterSourceTopicPublishTime"))
    assert publish_time.timestamp() == pytest.approx(published(refused[0]), abs=0.01)
    assert attributes == {
        "own": "1",
        "CloudPubSubDeadLetterSourceDeliveryCount": str(ATTEMPTS),
        "CloudPubSubDeadLetterSourceSubscription": letters.subscription.split("/")[-1],
        "CloudPubSubDeadLetterSourceSubscriptionProject": "test",
    }
    assert dead.message.ordering_key == "k"
    assert dead.message.message_id != message_id


async def test_a_message_stays_while_its_dead_letter_topic_is_gone(bus: Bus) -> None:
    """Nothing is lost for want of a place to put it."""
    letters = await _letters(bus)
    await bus.publisher.delete_topic(topic=letters.dead_letter_topic)
    await bus.publish(letters.topic, "x")

    await _refuse_to_the_end(bus, letters.subscription)

    assert texts(await bus.consume(letters.subscription, 1)) == ["x"]


async def test_a_subscription_without_its_policy_keeps_its_messages(bus: Bus) -> None:
    """Removing the policy ends dead-lettering."""
    letters = await _letters(bus)
    await bus.publish(letters.topic, "x")
    await bus.subscriber.update_subscription(
        UpdateSubscriptionRequest(
            subscription=Subscription(name=letters.subscription, topic=letters.topic),
            update_mask=FieldMask(paths=["dead_letter_policy"]),
        )
    )

    await _refuse_to_the_end(bus, letters.subscription)

    assert texts(await bus.consume(letters.subscription, 1)) == ["x"]
    await bus.silence(letters.dead_letters)
