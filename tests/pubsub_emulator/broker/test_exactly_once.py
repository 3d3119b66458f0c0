"""Exactly-once delivery: an acknowledgement says whether it counted, and what counted is final."""

import asyncio
from concurrent.futures import Future
from typing import Any

import pytest
from google.api_core.exceptions import BadRequest
from google.cloud import pubsub_v1
from google.cloud.pubsub_v1.subscriber.exceptions import AcknowledgeError, AcknowledgeStatus

from tests.pubsub_emulator.bus import PATIENCE_SECONDS, Bus, texts


async def _exactly_once(bus: Bus) -> tuple[str, str]:
    topic = await bus.topic()
    return topic, await bus.subscription(topic, enable_exactly_once_delivery=True, ack_deadline_seconds=10)


async def test_an_expired_ack_id_is_an_error(bus: Bus) -> None:
    """Whoever acknowledges too late learns it, and the message comes again."""
    topic, subscription = await _exactly_once(bus)
    await bus.publish(topic, "x")
    first = await bus.pull(subscription, 1)
    await bus.modify(subscription, first, 1)
    second = await bus.pull(subscription, 1)

    with pytest.raises(BadRequest) as refused:
        await bus.acknowledge(subscription, first)

    (info,) = refused.value.details
    assert info.reason == "EXACTLY_ONCE_ACKID_FAILURE"
    assert dict(info.metadata) == {first[0].ack_id: "PERMANENT_FAILURE_INVALID_ACK_ID"}
    await bus.acknowledge(subscription, second)
    await bus.silence(subscription)


async def test_an_expired_ack_id_moves_no_deadline(bus: Bus) -> None:
    """The same for ModifyAckDeadline."""
    topic, subscription = await _exactly_once(bus)
    await bus.publish(topic, "x")
    first = await bus.pull(subscription, 1)
    await bus.modify(subscription, first, 1)
    await bus.pull(subscription, 1)

    with pytest.raises(BadRequest):
        await bus.modify(subscription, first, 30)


async def test_a_stale_ack_id_is_forgiven_without_exactly_once(bus: Bus) -> None:
    """At-least-once has no confirmations: a late acknowledgement is no error."""
    topic = await bus.topic()
    subscription = await bus.subscription(topic)
    await bus.publish(topic, "x")
    received = await bus.pull(subscription, 1)
    await bus.refuse(subscription, received)

    await bus.acknowledge(subscription, received)


async def test_a_stream_tells_what_is_exactly_once_and_ordered(bus: Bus) -> None:
    """Clients follow `subscription_properties` of the responses."""
    topic, subscription = await _exactly_once(bus)
    await bus.publish(topic, "x")
    async with bus.stream(subscription) as stream:
        await stream.receive(1)
        properties = stream.responses[-1].subscription_properties

    assert properties.exactly_once_delivery_enabled
    assert not properties.message_ordering_enabled


async def test_a_stream_confirms_each_acknowledgement(bus: Bus) -> None:
    """Those that count and those that do not, by their ids."""
    topic, subscription = await _exactly_once(bus)
    await bus.publish(topic, "x")
    async with bus.stream(subscription) as stream:
        first = await stream.receive(1)
        await stream.modify(first, 0)
        second = await stream.receive(1)
        await stream.acknowledge(first + second)
        await stream.until(lambda: any(r.acknowledge_confirmation.ack_ids for r in stream.responses))
        confirmation = stream.responses[-1].acknowledge_confirmation

    assert list(confirmation.ack_ids) == [second[0].ack_id]
    assert list(confirmation.invalid_ack_ids) == [first[0].ack_id]


async def test_googles_own_client_learns_whether_its_acknowledgement_counted(
    bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`ack_with_response` succeeds once; a second acknowledgement of the same delivery fails for good."""
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", bus.address)
    topic, subscription = await _exactly_once(bus)
    await bus.publish(topic, "x")

    first, second = await asyncio.to_thread(_acknowledge_twice, subscription)

    assert first is AcknowledgeStatus.SUCCESS
    assert second is AcknowledgeStatus.INVALID_ACK_ID
    await bus.silence(subscription)


def _acknowledge_twice(subscription: str) -> tuple[AcknowledgeStatus, AcknowledgeStatus]:
    received: Future[Any] = Future()
    with pubsub_v1.SubscriberClient() as subscriber:
        streaming = subscriber.subscribe(subscription, received.set_result)
        message = received.result(timeout=PATIENCE_SECONDS)
        first = message.ack_with_response().result(timeout=PATIENCE_SECONDS)
        with pytest.raises(AcknowledgeError) as refused:
            message.ack_with_response().result(timeout=PATIENCE_SECONDS)
        streaming.cancel()
        streaming.result(timeout=PATIENCE_SECONDS)
    return first, refused.value.error_code


async def test_an_acknowledgement_out_of_order_has_to_be_repeated(bus: Bus) -> None:
    """With ordering, a message counts once its predecessors do; what counted does not come again."""
    topic = await bus.topic()
    fields = {"enable_exactly_once_delivery": True, "enable_message_ordering": True}
    subscription = await bus.subscription(topic, **fields)
    await bus.publish(topic, "0", "1", "2", key="k")
    first, second, third = await bus.pull(subscription, 3)

    with pytest.raises(BadRequest) as refused:
        await bus.acknowledge(subscription, [second])

    (info,) = refused.value.details
    assert dict(info.metadata) == {second.ack_id: "TRANSIENT_FAILURE_UNORDERED_ACK_ID"}
    await bus.acknowledge(subscription, [first, second])
    await bus.refuse(subscription, [third])
    assert texts(await bus.drain(subscription)) == ["2"]
