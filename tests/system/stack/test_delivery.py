"""The whole way of an event: gRPC, log, relay, topic, subscription, dead letter."""

import asyncio
import json
import uuid
from collections import defaultdict
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message_factory import GetMessageClass
from google.pubsub_v1.types import ReceivedMessage, RetryPolicy, Subscription
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from event_store import Client, ExpectedVersion, NewEvent
from tests.pubsub_emulator.bus import Bus, bus_at
from tests.system.stack.conftest import RunningStack

PROJECTION = "projects/event-store-local/subscriptions/vocabulary-projection"
DEAD_LETTERS = f"{PROJECTION}-dead-letter"
ATTEMPTS = 5
DELIVERY_TIMEOUT_SECONDS = 60


@pytest.fixture
async def client(stack: RunningStack) -> AsyncIterator[Client]:
    """A client of the deployed service."""
    async with Client(stack.status["service"]) as client:
        yield client


@pytest.fixture
async def bus(stack: RunningStack) -> AsyncIterator[Bus]:
    """The stack's Pub/Sub, whose projection has nothing left over from other tests."""
    async with bus_at(stack.status["pubsub_emulator_host"]) as bus:
        await bus.drain(PROJECTION)
        yield bus


def test_any_grpc_client_finds_and_calls_the_service(stack: RunningStack) -> None:
    """Reflection is enough to list the service, to learn its messages and to call it."""
    with grpc.insecure_channel(stack.status["service"]) as channel:
        database = ProtoReflectionDescriptorDatabase(channel)
        assert "event_store.v1.EventStore" in database.get_services()
        service = DescriptorPool(database).FindServiceByName("event_store.v1.EventStore")
        method = service.FindMethodByName("GetStatus")
        call: Any = channel.unary_unary(
            "/event_store.v1.EventStore/GetStatus",
            request_serializer=GetMessageClass(method.input_type).SerializeToString,
            response_deserializer=GetMessageClass(method.output_type).FromString,
        )

        status = call(GetMessageClass(method.input_type)(), timeout=10)

    assert status.schema_revision


async def test_a_nacked_message_is_dead_lettered_and_the_next_of_its_key_follows(
    client: Client, bus: Bus
) -> None:
    """After the configured attempts a poisoned event is a dead letter, and its aggregate goes on."""
    await _set_retry(bus, minimum_seconds=0, maximum_seconds=0)
    try:
        aggregate_id = str(uuid.uuid4())
        poison, next_one = NewEvent("WordAdded", {"word": "bad"}), NewEvent("WordAdded", {"word": "good"})
        await client.append(
            aggregate_id, "Vocabulary", [poison, next_one], expected_version=ExpectedVersion.NO_STREAM
        )

        attempts = []
        async with asyncio.timeout(DELIVERY_TIMEOUT_SECONDS):
            while True:
                for message in await bus.pull(PROJECTION, 1):
                    event_id = message.message.attributes["event_id"]
                    if event_id == poison.event_id:
                        attempts.append(message.delivery_attempt)
                        await bus.refuse(PROJECTION, [message])
                    else:
                        await bus.acknowledge(PROJECTION, [message])
                if event_id == next_one.event_id:
                    break
        (dead,) = await bus.consume(DEAD_LETTERS, 1)
    finally:
        await _set_retry(bus, minimum_seconds=10, maximum_seconds=600)

    assert attempts == list(range(1, ATTEMPTS + 1))
    assert dead.message.attributes["event_id"] == poison.event_id
    assert dead.message.attributes["CloudPubSubDeadLetterSourceSubscription"] == "vocabulary-projection"


async def test_concurrent_appends_arrive_once_and_in_order(client: Client, bus: Bus) -> None:
    """2,000 appends of 64 clients to 100 aggregates: gapless, none lost or doubled, all in order."""
    aggregates = [str(uuid.uuid4()) for _ in range(100)]
    events = [NewEvent("WordAdded", {"number": number}) for number in range(2_000)]
    before = (await client.status()).head_position
    work = iter(enumerate(events))

    async def append_from_work() -> None:
        for number, event in work:
            await client.append(
                aggregates[number % 100], "Vocabulary", [event], expected_version=ExpectedVersion.ANY
            )

    async with asyncio.TaskGroup() as group:
        for _ in range(64):
            group.create_task(append_from_work())
        received = await _consume(bus, {event.event_id for event in events})

    recorded = [event async for event in client.read_all(from_position=before + 1)]
    assert [event.global_position for event in recorded] == list(range(before + 1, before + 2_001))
    assert sorted(event.event_id for event in recorded) == sorted(event.event_id for event in events)
    versions = defaultdict(list)
    for event in received:
        versions[event["aggregate_id"]].append(event["event_version"])
    assert {aggregate: list(range(1, 21)) for aggregate in aggregates} == versions


async def _consume(bus: Bus, event_ids: set[str]) -> list[dict[str, Any]]:
    """Acknowledge messages until each of these events has come; give the events in the order of arrival."""
    events: list[dict[str, Any]] = []
    missing = set(event_ids)
    async with asyncio.timeout(DELIVERY_TIMEOUT_SECONDS):
        while missing:
            messages: list[ReceivedMessage] = await bus.pull_once(PROJECTION, 1_000)
            if messages:
                await bus.acknowledge(PROJECTION, messages)
            events += [json.loads(message.message.data) for message in messages]
            missing -= {message.message.attributes["event_id"] for message in messages}
    return events


async def _set_retry(bus: Bus, *, minimum_seconds: int, maximum_seconds: int) -> None:
    """Change how soon a refused message of the projection comes again."""
    policy = RetryPolicy({"minimum_backoff": f"{minimum_seconds}s", "maximum_backoff": f"{maximum_seconds}s"})
    await bus.subscriber.update_subscription(
        subscription=Subscription(name=PROJECTION, retry_policy=policy),
        update_mask=FieldMask(paths=["retry_policy"]),
    )
