"""Publishing: what was acknowledged is delivered, whole, to every subscription."""

import asyncio
import time
from concurrent.futures import Future
from typing import Any

import pytest
from google.api_core.exceptions import NotFound
from google.cloud import pubsub_v1

from tests.pubsub_emulator.bus import PATIENCE_SECONDS, Bus, published, texts


async def test_a_published_message_reaches_every_subscription(bus: Bus) -> None:
    """Each subscription of the topic gets each message, and acknowledges for itself alone."""
    topic = await bus.topic()
    one, other = await bus.subscription(topic), await bus.subscription(topic)

    await bus.publish(topic, "a", "b")

    assert sorted(texts(await bus.consume(one, 2))) == ["a", "b"]
    assert sorted(texts(await bus.consume(other, 2))) == ["a", "b"]


async def test_a_message_arrives_as_it_was_published(bus: Bus) -> None:
    """Data, attributes and ordering key are the publisher's; id and time are the server's."""
    topic = await bus.topic()
    subscription = await bus.subscription(topic)
    before = time.time()

    (message_id,) = await bus.publish(topic, "Zürich", key="k", attributes={"a": "1", "b": "ž"})

    (received,) = await bus.consume(subscription, 1)
    message = received.message
    assert message.data.decode() == "Zürich"
    assert dict(message.attributes) == {"a": "1", "b": "ž"}
    assert (message.message_id, message.ordering_key) == (message_id, "k")
    assert before - 1 <= published(received) <= time.time() + 1


async def test_ids_are_unique_and_in_the_order_of_the_request(bus: Bus) -> None:
    """The n-th id is that of the n-th message."""
    topic = await bus.topic()
    subscription = await bus.subscription(topic)

    ids = await bus.publish(topic, *map(str, range(50))) + await bus.publish(topic, *map(str, range(50, 100)))

    received = await bus.consume(subscription, 100)
    assert len(set(ids)) == 100
    assert {m.message.message_id: m.message.data.decode() for m in received} == dict(
        zip(ids, map(str, range(100)), strict=True)
    )


async def test_a_message_of_attributes_alone_is_delivered(bus: Bus) -> None:
    """Data may be empty where there is an attribute."""
    topic = await bus.topic()
    subscription = await bus.subscription(topic)

    await bus.publish(topic, "", attributes={"only": "this"})

    (received,) = await bus.consume(subscription, 1)
    assert (received.message.data, dict(received.message.attributes)) == (b"", {"only": "this"})


async def test_a_subscription_gets_nothing_from_before_its_creation(bus: Bus) -> None:
    """What was published earlier is not in a new backlog."""
    topic = await bus.topic()
    await bus.publish(topic, "early")
    subscription = await bus.subscription(topic)

    await bus.publish(topic, "late")

    assert texts(await bus.consume(subscription, 1)) == ["late"]
    await bus.silence(subscription)


async def test_publishing_to_no_topic_is_not_found(bus: Bus) -> None:
    """An unknown topic is an error, not a loss."""
    with pytest.raises(NotFound):
        await bus.publish(bus.name("topics"), "x")


async def test_a_waiting_pull_and_stream_get_a_message_at_once(bus: Bus) -> None:
    """Delivery follows publication, it does not wait for a poll: 20 round trips take well below 10 s."""
    topic = await bus.topic()
    subscription = await bus.subscription(topic)
    async with bus.stream(subscription) as stream:
        async with asyncio.timeout(10):
            for number in range(20):
                await bus.publish(topic, str(number))
                messages = await stream.receive(1)
                await stream.acknowledge(messages)
                assert texts(messages) == [str(number)]


async def test_googles_own_client_publishes_and_receives(bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    """The high-level client works through PUBSUB_EMULATOR_HOST, unchanged: batching, callbacks, acks."""
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", bus.address)
    topic = await bus.topic()
    subscription = await bus.subscription(topic, enable_message_ordering=True)

    received = await asyncio.to_thread(_publish_and_receive, topic, subscription, 300)

    for key in ("a", "b", "c"):
        assert [data for k, data in received if k == key] == [str(n) for n in range(100)]
    await bus.silence(subscription)


def _publish_and_receive(topic: str, subscription: str, count: int) -> list[tuple[str, str]]:
    received: list[tuple[str, str]] = []
    complete: Future[None] = Future()

    def callback(message: Any) -> None:
        received.append((message.ordering_key, message.data.decode()))
        message.ack()
        if len(received) == count:
            complete.set_result(None)

    publisher = pubsub_v1.PublisherClient(
        publisher_options=pubsub_v1.types.PublisherOptions(enable_message_ordering=True)
    )
    with pubsub_v1.SubscriberClient() as subscriber:
        streaming = subscriber.subscribe(subscription, callback)
        futures = [
            publisher.publish(topic, str(n).encode(), ordering_key=key)
            for n in range(100)
            for key in ("a", "b", "c")
        ]
        for future in futures:
            future.result(timeout=PATIENCE_SECONDS)
        complete.result(timeout=PATIENCE_SECONDS)
        streaming.cancel()
        streaming.result(timeout=PATIENCE_SECONDS)
    publisher.stop()
    publisher.transport.close()
    return received
