"""Every rpc refuses a name of the wrong form, and the server names what comes without a name."""

from collections.abc import Callable
from typing import Any, Final

import pytest
from google.api_core.exceptions import InvalidArgument
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp
from google.pubsub_v1.types import (
    DetachSubscriptionRequest,
    Encoding,
    ListTopicSnapshotsRequest,
    ModifyPushConfigRequest,
    PubsubMessage,
    Schema,
    SeekRequest,
    Snapshot,
    StreamingPullRequest,
    Subscription,
    Topic,
    UpdateSnapshotRequest,
    UpdateSubscriptionRequest,
    UpdateTopicRequest,
    ValidateMessageRequest,
)

from pubsub_emulator import ManualClock
from pubsub_emulator.api.publisher import Publisher
from pubsub_emulator.api.schema_service import Schemas
from pubsub_emulator.api.subscriber import Subscriber
from pubsub_emulator.broker.catalog import Catalog
from pubsub_emulator.delivery.loops import DeliveryLoops
from tests.pubsub_emulator.bus import PROJECT, Bus, texts

MASK: Final = FieldMask(paths=["labels"])
IDS: Final = ("", "ab", "1abc", "googabc", "a" * 256, "a b c", "a/b", "añb")
SCHEMA: Final = Schema(type_=Schema.Type.AVRO, definition='{"type": "string"}')
TOPIC, SUBSCRIPTION = f"{PROJECT}/topics/topic", f"{PROJECT}/subscriptions/subscription"
BAD: Final = {
    "projects": ("", "test", "projects/", "projects/test/topics", "project/test", "projects/Test"),
    **{
        kind: (
            "",
            "name",
            f"{kind}/name",
            f"projects//{kind}/name",
            f"{PROJECT}/{kind}",
            f"{PROJECT}/things/name",
            f"{PROJECT}/{'snapshots' if kind == 'topics' else 'topics'}/name",
            *(f"{PROJECT}/{kind}/{each}" for each in IDS),
        )
        for kind in ("topics", "subscriptions", "snapshots", "schemas")
    },
}

Call = Callable[[Bus, str], Any]


def _publish(bus: Bus, name: str) -> Any:
    return bus.publisher.publish(topic=name, messages=[PubsubMessage(data=b"x")], retry=None)


def _pull(bus: Bus, name: str) -> Any:
    return bus.subscriber.pull(subscription=name, max_messages=1, timeout=5, retry=None)


async def _streaming_pull(bus: Bus, name: str) -> None:
    async def outgoing() -> Any:
        yield StreamingPullRequest(subscription=name, stream_ack_deadline_seconds=10)

    call = await bus.subscriber.streaming_pull(outgoing(), timeout=5)
    async for _ in call:
        pass


def _snapshot(bus: Bus, name: str, subscription: str = SUBSCRIPTION) -> Any:
    return bus.subscriber.create_snapshot(name=name, subscription=subscription)


async def _seek(bus: Bus, name: str) -> None:
    subscription = await bus.subscription(await bus.topic())
    await bus.subscriber.seek(SeekRequest(subscription=subscription, snapshot=name))


def _dead_letters(bus: Bus, name: str) -> Any:
    policy = {"dead_letter_topic": name}
    return bus.subscriber.create_subscription(
        Subscription(name=SUBSCRIPTION, topic=TOPIC, dead_letter_policy=policy)
    )


CALLS: Final[dict[str, tuple[tuple[str, Call], ...]]] = {
    "projects": (
        ("ListTopics", lambda bus, name: bus.publisher.list_topics(project=name)),
        ("ListSubscriptions", lambda bus, name: bus.subscriber.list_subscriptions(project=name)),
        ("ListSnapshots", lambda bus, name: bus.subscriber.list_snapshots(project=name)),
        ("ListSchemas", lambda bus, name: bus.schemas.list_schemas(parent=name)),
        (
            "CreateSchema",
            lambda bus, name: bus.schemas.create_schema(parent=name, schema=SCHEMA, schema_id="schema"),
        ),
        ("ValidateSchema", lambda bus, name: bus.schemas.validate_schema(parent=name, schema=SCHEMA)),
        (
            "ValidateMessage",
            lambda bus, name: bus.schemas.validate_message(
                ValidateMessageRequest(parent=name, schema=SCHEMA, message=b'"x"', encoding=Encoding.JSON)
            ),
        ),
    ),
    "topics": (
        ("CreateTopic", lambda bus, name: bus.publisher.create_topic(name=name)),
        (
            "UpdateTopic",
            lambda bus, name: bus.publisher.update_topic(
                UpdateTopicRequest(topic=Topic(name=name), update_mask=MASK)
            ),
        ),
        ("Publish", _publish),
        ("GetTopic", lambda bus, name: bus.publisher.get_topic(topic=name)),
        ("ListTopicSubscriptions", lambda bus, name: bus.publisher.list_topic_subscriptions(topic=name)),
        (
            "ListTopicSnapshots",
            lambda bus, name: bus.publisher.list_topic_snapshots(ListTopicSnapshotsRequest(topic=name)),
        ),
        ("DeleteTopic", lambda bus, name: bus.publisher.delete_topic(topic=name)),
        (
            "CreateSubscription",
            lambda bus, name: bus.subscriber.create_subscription(name=SUBSCRIPTION, topic=name),
        ),
        ("CreateSubscription with dead letters", _dead_letters),
    ),
    "subscriptions": (
        ("CreateSubscription", lambda bus, name: bus.subscriber.create_subscription(name=name, topic=TOPIC)),
        ("GetSubscription", lambda bus, name: bus.subscriber.get_subscription(subscription=name)),
        (
            "UpdateSubscription",
            lambda bus, name: bus.subscriber.update_subscription(
                UpdateSubscriptionRequest(subscription=Subscription(name=name), update_mask=MASK)
            ),
        ),
        ("DeleteSubscription", lambda bus, name: bus.subscriber.delete_subscription(subscription=name)),
        (
            "ModifyPushConfig",
            lambda bus, name: bus.subscriber.modify_push_config(ModifyPushConfigRequest(subscription=name)),
        ),
        (
            "Acknowledge",
            lambda bus, name: bus.subscriber.acknowledge(subscription=name, ack_ids=["x"], retry=None),
        ),
        (
            "ModifyAckDeadline",
            lambda bus, name: bus.subscriber.modify_ack_deadline(
                subscription=name, ack_ids=["x"], ack_deadline_seconds=10, retry=None
            ),
        ),
        ("Pull", _pull),
        ("StreamingPull", _streaming_pull),
        (
            "Seek",
            lambda bus, name: bus.subscriber.seek(SeekRequest(subscription=name, time=Timestamp(seconds=1))),
        ),
        ("CreateSnapshot", lambda bus, name: _snapshot(bus, f"{PROJECT}/snapshots/snapshot", name)),
        (
            "DetachSubscription",
            lambda bus, name: bus.publisher.detach_subscription(DetachSubscriptionRequest(subscription=name)),
        ),
    ),
    "snapshots": (
        ("CreateSnapshot", _snapshot),
        ("Seek", _seek),
        ("GetSnapshot", lambda bus, name: bus.subscriber.get_snapshot(snapshot=name)),
        (
            "UpdateSnapshot",
            lambda bus, name: bus.subscriber.update_snapshot(
                UpdateSnapshotRequest(snapshot=Snapshot(name=name), update_mask=MASK)
            ),
        ),
        ("DeleteSnapshot", lambda bus, name: bus.subscriber.delete_snapshot(snapshot=name)),
    ),
    "schemas": (
        (
            "CreateSchema",
            lambda bus, name: bus.schemas.create_schema(
                parent=PROJECT, schema=SCHEMA, schema_id=name.rpartition("/")[2][:2]
            ),
        ),
        ("GetSchema", lambda bus, name: bus.schemas.get_schema(name=name)),
        ("ListSchemaRevisions", lambda bus, name: bus.schemas.list_schema_revisions(name=name)),
        ("CommitSchema", lambda bus, name: bus.schemas.commit_schema(name=name, schema=SCHEMA)),
        ("RollbackSchema", lambda bus, name: bus.schemas.rollback_schema(name=name, revision_id="12345678")),
        (
            "DeleteSchemaRevision",
            lambda bus, name: bus.schemas.delete_schema_revision(name=f"{name}@12345678"),
        ),
        ("DeleteSchema", lambda bus, name: bus.schemas.delete_schema(name=name)),
    ),
}
NAMED_BY_THE_SERVER: Final = (("subscriptions", "CreateSubscription"), ("snapshots", "CreateSnapshot"))


async def _refuses(bus: Bus, call: Call, name: str) -> bool:
    try:
        await call(bus, name)
    except InvalidArgument:
        return True
    return False


@pytest.mark.parametrize(
    ("kind", "rpc", "call"), [(kind, rpc, call) for kind, calls in CALLS.items() for rpc, call in calls]
)
async def test_a_name_of_the_wrong_form_is_refused(bus: Bus, kind: str, rpc: str, call: Call) -> None:
    """INVALID_ARGUMENT from every rpc that takes a name, whatever it would do with it."""
    for name in BAD[kind]:
        if name or (kind, rpc) not in NAMED_BY_THE_SERVER:
            assert await _refuses(bus, call, name), f"{rpc} takes {name!r}"


def test_every_rpc_is_tried() -> None:
    """A method that is new on the server is held to the forms of names, too."""
    catalog = Catalog(ManualClock())
    services = (Publisher(catalog), Subscriber(catalog, DeliveryLoops(catalog.clock)), Schemas(catalog))
    known = {"Pull", "StreamingPull"}.union(*(service.methods() for service in services))

    assert {rpc.split()[0] for calls in CALLS.values() for rpc, _ in calls} == known


async def test_a_snapshot_without_a_name_is_named_by_the_server(bus: Bus) -> None:
    """Each differently, in the subscription's project, and it is a snapshot like any other."""
    topic = await bus.topic()
    subscription = await bus.subscription(topic)
    await bus.publish(topic, "x")

    names = [(await _snapshot(bus, "", subscription)).name for _ in range(2)]

    assert len(set(names)) == 2
    assert all(name.startswith(f"{PROJECT}/snapshots/") for name in names)
    await bus.consume(subscription, 1)
    await bus.subscriber.seek(SeekRequest(subscription=subscription, snapshot=names[0]))
    assert texts(await bus.consume(subscription, 1)) == ["x"]


async def test_a_subscription_without_a_name_is_named_by_the_server(bus: Bus) -> None:
    """In the topic's project, and it delivers."""
    topic = await bus.topic()

    name = (await bus.subscriber.create_subscription(name="", topic=topic)).name
    await bus.publish(topic, "x")

    assert name.startswith(f"{PROJECT}/subscriptions/")
    assert texts(await bus.consume(name, 1)) == ["x"]
