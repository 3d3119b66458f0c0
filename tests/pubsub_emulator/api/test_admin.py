"""Topics, subscriptions and snapshots are created, read, changed, listed and deleted as Google does."""

from datetime import timedelta
from typing import Any

import pytest
from google.api_core.exceptions import (
    AlreadyExists,
    FailedPrecondition,
    InvalidArgument,
    MethodNotImplemented,
    NotFound,
)
from google.protobuf.field_mask_pb2 import FieldMask
from google.pubsub_v1.types import (
    ListTopicsRequest,
    ModifyPushConfigRequest,
    PushConfig,
    Snapshot,
    Subscription,
    Topic,
    UpdateSnapshotRequest,
    UpdateSubscriptionRequest,
    UpdateTopicRequest,
)

from tests.pubsub_emulator.bus import Bus, texts

DAY_SECONDS = 86_400


async def _update(bus: Bus, subscription: str, *paths: str, **fields: Any) -> Subscription:
    current = await bus.subscriber.get_subscription(subscription=subscription)
    change = Subscription({"name": subscription, "topic": current.topic, **fields})
    request = UpdateSubscriptionRequest(
        subscription=change, update_mask=FieldMask(paths=paths or list(fields))
    )
    return await bus.subscriber.update_subscription(request)


async def test_a_topic_is_what_it_was_created_as(bus: Bus) -> None:
    """Labels and retention come back from create and get."""
    name = await bus.topic(labels={"a": "b"}, message_retention_duration=timedelta(days=30))

    topic = await bus.publisher.get_topic(topic=name)

    assert (topic.name, dict(topic.labels)) == (name, {"a": "b"})
    assert _seconds(topic, "message_retention_duration") == 30 * DAY_SECONDS


async def test_a_subscription_is_what_it_was_created_as(bus: Bus) -> None:
    """Every setting comes back."""
    topic, dead_letter_topic = await bus.topic(), await bus.topic()
    fields: dict[str, Any] = {
        "ack_deadline_seconds": 60,
        "retain_acked_messages": True,
        "enable_message_ordering": True,
        "enable_exactly_once_delivery": True,
        "labels": {"a": "b"},
        "filter": "attributes:x",
        "message_retention_duration": timedelta(days=1),
        "expiration_policy": {"ttl": timedelta(days=2)},
        "retry_policy": {"minimum_backoff": timedelta(seconds=10), "maximum_backoff": timedelta(seconds=600)},
        "dead_letter_policy": {"dead_letter_topic": dead_letter_topic, "max_delivery_attempts": 7},
    }
    name = await bus.subscription(topic, **fields)

    subscription = await bus.subscriber.get_subscription(subscription=name)

    expected = Subscription({"name": name, "topic": topic, **fields})
    for field in ("name", "topic", *fields):
        assert getattr(subscription, field) == getattr(expected, field), field


async def test_a_subscription_gets_googles_defaults(bus: Bus) -> None:
    """10 s to acknowledge, 7 days of retention, 31 days until an unused subscription expires."""
    name = await bus.subscription(await bus.topic())

    subscription = await bus.subscriber.get_subscription(subscription=name)

    assert subscription.ack_deadline_seconds == 10
    assert _seconds(subscription, "message_retention_duration") == 7 * DAY_SECONDS
    assert _seconds(subscription.expiration_policy, "ttl") == 31 * DAY_SECONDS
    assert not subscription.enable_message_ordering


async def test_a_subscription_that_pulls_has_an_empty_push_configuration(bus: Bus) -> None:
    """An empty push_config, not an absent one, says that a subscription pulls."""
    name = await bus.subscription(await bus.topic())

    subscription = await bus.subscriber.get_subscription(subscription=name)

    assert "push_config" in subscription
    assert subscription.push_config == PushConfig()


async def test_defaults_of_policies_are_googles(bus: Bus) -> None:
    """Backoff from 10 s to 600 s, 5 attempts, and a policy without a ttl never expires."""
    topic = await bus.topic()
    fields: dict[str, Any] = {
        "retry_policy": {},
        "dead_letter_policy": {"dead_letter_topic": topic},
        "expiration_policy": {},
    }
    name = await bus.subscription(topic, **fields)

    subscription = await bus.subscriber.get_subscription(subscription=name)

    assert _seconds(subscription.retry_policy, "minimum_backoff") == 10
    assert _seconds(subscription.retry_policy, "maximum_backoff") == 600
    assert subscription.dead_letter_policy.max_delivery_attempts == 5
    assert "expiration_policy" in subscription
    assert "ttl" not in subscription.expiration_policy


async def test_a_name_is_taken_once(bus: Bus) -> None:
    """ALREADY_EXISTS for topics, subscriptions and snapshots, in one project and not in another."""
    topic = await bus.topic()
    subscription = await bus.subscription(topic)
    snapshot = bus.name("snapshots")
    await bus.subscriber.create_snapshot(name=snapshot, subscription=subscription)

    with pytest.raises(AlreadyExists):
        await bus.publisher.create_topic(name=topic)
    with pytest.raises(AlreadyExists):
        await bus.subscriber.create_subscription(name=subscription, topic=topic)
    with pytest.raises(AlreadyExists):
        await bus.subscriber.create_snapshot(name=snapshot, subscription=subscription)
    elsewhere = topic.replace("projects/test/", "projects/elsewhere/")
    assert (await bus.publisher.create_topic(name=elsewhere)).name == elsewhere


async def test_what_does_not_exist_is_not_found(bus: Bus) -> None:
    """NOT_FOUND from every call that names a resource."""
    topic, subscription, snapshot = bus.name("topics"), bus.name("subscriptions"), bus.name("snapshots")
    calls = (
        bus.publisher.get_topic(topic=topic),
        bus.publisher.delete_topic(topic=topic),
        bus.subscriber.get_subscription(subscription=subscription),
        bus.subscriber.create_subscription(name=subscription, topic=topic),
        bus.subscriber.delete_subscription(subscription=subscription),
        bus.subscriber.get_snapshot(snapshot=snapshot),
        bus.subscriber.delete_snapshot(snapshot=snapshot),
        bus.subscriber.create_snapshot(name=snapshot, subscription=subscription),
        bus.subscriber.pull(subscription=subscription, max_messages=1, timeout=5),
        bus.subscriber.acknowledge(subscription=subscription, ack_ids=["x"]),
    )
    for call in calls:
        with pytest.raises(NotFound):
            await call


async def test_lists_come_in_pages_and_complete(bus: Bus) -> None:
    """Pages of two give every topic of the project once, in the order of names."""
    project = f"projects/{bus.name('topics').rsplit('/', 1)[-1]}"
    names = [f"{project}/topics/topic-{n}" for n in range(5)]
    for name in names:
        await bus.publisher.create_topic(name=name)

    pages = await bus.publisher.list_topics(ListTopicsRequest(project=project, page_size=2))
    found = [[topic.name for topic in page.topics] async for page in pages.pages]

    assert [len(page) for page in found] == [2, 2, 1]
    assert sorted(name for page in found for name in page) == names


async def test_a_topic_lists_its_subscriptions_and_snapshots(bus: Bus) -> None:
    """And not those of another."""
    topic = await bus.topic()
    subscription = await bus.subscription(topic)
    await bus.subscription(await bus.topic())
    snapshot = bus.name("snapshots")
    await bus.subscriber.create_snapshot(name=snapshot, subscription=subscription)

    assert [n async for n in await bus.publisher.list_topic_subscriptions(topic=topic)] == [subscription]
    assert [n async for n in await bus.publisher.list_topic_snapshots(topic=topic)] == [snapshot]
    listed = [s.name async for s in await bus.subscriber.list_snapshots(project="projects/test")]
    assert snapshot in listed
    listed = [s.name async for s in await bus.subscriber.list_subscriptions(project="projects/test")]
    assert subscription in listed


async def test_a_deleted_topic_leaves_its_subscriptions_with_their_backlog(bus: Bus) -> None:
    """They name `_deleted-topic_`, still deliver what they have, and the topic's name is free again."""
    topic = await bus.topic()
    subscription = await bus.subscription(topic)
    await bus.publish(topic, "x")

    await bus.publisher.delete_topic(topic=topic)

    assert (await bus.subscriber.get_subscription(subscription=subscription)).topic == "_deleted-topic_"
    assert texts(await bus.consume(subscription, 1)) == ["x"]
    await bus.publisher.create_topic(name=topic)
    await bus.publish(topic, "y")
    await bus.silence(subscription)


async def test_a_deleted_subscription_ends_its_streams(bus: Bus) -> None:
    """NOT_FOUND tells a subscriber that waiting is in vain."""
    subscription = await bus.subscription(await bus.topic())
    async with bus.stream(subscription) as stream:
        await bus.subscriber.delete_subscription(subscription=subscription)

        with pytest.raises(NotFound):
            await stream.receive(1)


async def test_a_topic_changes_what_the_mask_names(bus: Bus) -> None:
    """Labels and retention change, and a field that is named and absent is cleared."""
    name = await bus.topic(labels={"a": "b"}, message_retention_duration=timedelta(days=1))

    topic = await bus.publisher.update_topic(
        UpdateTopicRequest(
            topic=Topic(name=name, labels={"c": "d"}),
            update_mask=FieldMask(paths=["labels", "message_retention_duration"]),
        )
    )

    assert dict(topic.labels) == {"c": "d"}
    assert "message_retention_duration" not in topic
    assert await bus.publisher.get_topic(topic=name) == topic


@pytest.mark.parametrize(
    "fields",
    [
        {"ack_deadline_seconds": 77},
        {"retain_acked_messages": True},
        {"enable_exactly_once_delivery": True},
        {"message_retention_duration": timedelta(days=3)},
        {"retry_policy": {"minimum_backoff": timedelta(seconds=1), "maximum_backoff": timedelta(seconds=2)}},
        {"push_config": {"push_endpoint": "http://127.0.0.1:1/", "attributes": {"x-goog-version": "v1"}}},
        {"labels": {"x": "y"}},
        {"expiration_policy": {"ttl": timedelta(days=8)}},
    ],
    ids=lambda fields: next(iter(fields)),
)
async def test_a_subscription_changes_what_the_mask_names(bus: Bus, fields: dict[str, Any]) -> None:
    """Every field that Google lets change does, and no other with it."""
    name = await bus.subscription(await bus.topic(), ack_deadline_seconds=60)
    before = await bus.subscriber.get_subscription(subscription=name)

    await _update(bus, name, **fields)

    after = await bus.subscriber.get_subscription(subscription=name)
    (field,) = fields
    assert getattr(after, field) == getattr(Subscription(fields), field)
    for subscription in (before, after):
        Subscription.pb(subscription).ClearField(field)
    assert after == before
    await bus.subscriber.delete_subscription(subscription=name)


@pytest.mark.parametrize(
    "fields",
    [{"enable_message_ordering": True}, {"filter": "attributes:x"}, {"topic": "projects/test/topics/other"}],
    ids=lambda fields: next(iter(fields)),
)
async def test_an_immutable_field_does_not_change(bus: Bus, fields: dict[str, Any]) -> None:
    """INVALID_ARGUMENT, and the subscription stays as it was."""
    name = await bus.subscription(await bus.topic())
    before = await bus.subscriber.get_subscription(subscription=name)

    with pytest.raises(InvalidArgument):
        await _update(bus, name, **fields)

    assert await bus.subscriber.get_subscription(subscription=name) == before


async def test_a_mask_names_known_fields(bus: Bus) -> None:
    """An empty mask, or one with a field that is none, is refused."""
    name = await bus.subscription(await bus.topic())

    for mask in (FieldMask(), FieldMask(paths=["no_such_field"])):
        request = UpdateSubscriptionRequest(subscription=Subscription(name=name), update_mask=mask)
        with pytest.raises(InvalidArgument):
            await bus.subscriber.update_subscription(request)


async def test_a_bad_value_in_an_update_changes_nothing(bus: Bus) -> None:
    """The limits of creation are those of updates."""
    name = await bus.subscription(await bus.topic())
    before = await bus.subscriber.get_subscription(subscription=name)

    with pytest.raises(InvalidArgument):
        await _update(bus, name, ack_deadline_seconds=601)

    assert await bus.subscriber.get_subscription(subscription=name) == before


async def test_a_detached_subscription_is_empty_and_serves_nobody(bus: Bus) -> None:
    """FAILED_PRECONDITION for pulls, the backlog is gone, and publishing goes past it."""
    topic = await bus.topic()
    name = await bus.subscription(topic)
    await bus.publish(topic, "x")

    await bus.publisher.detach_subscription({"subscription": name})

    assert (await bus.subscriber.get_subscription(subscription=name)).detached
    with pytest.raises(FailedPrecondition):
        await bus.subscriber.pull(subscription=name, max_messages=1, timeout=5, retry=None)
    assert [n async for n in await bus.publisher.list_topic_subscriptions(topic=topic)] == []


async def test_a_snapshot_changes_its_labels(bus: Bus) -> None:
    """UpdateSnapshot changes what its mask names."""
    name = bus.name("snapshots")
    subscription = await bus.subscription(await bus.topic())
    await bus.subscriber.create_snapshot(name=name, subscription=subscription)

    request = UpdateSnapshotRequest(
        snapshot=Snapshot(name=name, labels={"a": "b"}), update_mask=FieldMask(paths=["labels"])
    )
    assert dict((await bus.subscriber.update_snapshot(request)).labels) == {"a": "b"}


async def test_a_deleted_snapshot_is_gone(bus: Bus) -> None:
    """And its name is free again."""
    name = bus.name("snapshots")
    subscription = await bus.subscription(await bus.topic())
    for _ in range(2):
        await bus.subscriber.create_snapshot(name=name, subscription=subscription)
        await bus.subscriber.delete_snapshot(snapshot=name)
    with pytest.raises(NotFound):
        await bus.subscriber.get_snapshot(snapshot=name)


async def test_push_is_switched_on_and_off(bus: Bus) -> None:
    """ModifyPushConfig with an endpoint makes a push subscription, without one a pull subscription."""
    name = await bus.subscription(await bus.topic())
    for endpoint in ("http://127.0.0.1:1/", ""):
        request = ModifyPushConfigRequest({"subscription": name, "push_config": {"push_endpoint": endpoint}})
        await bus.subscriber.modify_push_config(request)
        subscription = await bus.subscriber.get_subscription(subscription=name)
        assert subscription.push_config.push_endpoint == endpoint


async def test_what_the_embedded_server_has_not_it_says(timed_bus: Bus) -> None:
    """Ingestion, and exports without a folder for them, are UNIMPLEMENTED, never stored and forgotten."""
    topic = await timed_bus.topic()
    with pytest.raises(MethodNotImplemented, match="bigquery_config"):
        await timed_bus.subscription(topic, bigquery_config={"table": "p.d.t"})
    with pytest.raises(MethodNotImplemented, match="ingestion_data_source_settings"):
        await timed_bus.topic(ingestion_data_source_settings={"aws_kinesis": {"stream_arn": "s"}})


def _seconds(message: Any, field: str) -> int:
    return int(getattr(type(message).pb(message), field).seconds)
