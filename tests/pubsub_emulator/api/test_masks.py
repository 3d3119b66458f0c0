"""What an update may name, what only the server says, and what this server says that it does not have."""

from datetime import timedelta
from typing import Any

import pytest
from google.api_core.exceptions import InvalidArgument, MethodNotImplemented, NotFound
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp
from google.pubsub_v1.types import (
    ModifyPushConfigRequest,
    Snapshot,
    Subscription,
    Topic,
    UpdateSnapshotRequest,
    UpdateSubscriptionRequest,
    UpdateTopicRequest,
)

from pubsub_emulator import ManualClock
from tests.pubsub_emulator.bus import Bus

WEEK_SECONDS = 7 * 86_400
TRANSFORM = {
    "javascript_udf": {"function_name": "f", "code": "function f(message, metadata) { return null; }"}
}


async def _update_topic(bus: Bus, name: str, *paths: str, **fields: Any) -> Topic:
    change = Topic({"name": name, **fields})
    return await bus.publisher.update_topic(
        UpdateTopicRequest(topic=change, update_mask=FieldMask(paths=paths or fields))
    )


async def _update_subscription(bus: Bus, name: str, *paths: str, **fields: Any) -> Subscription:
    change = Subscription({"name": name, **fields})
    return await bus.subscriber.update_subscription(
        UpdateSubscriptionRequest(subscription=change, update_mask=FieldMask(paths=paths or fields))
    )


@pytest.mark.parametrize(
    "path",
    [
        "",
        "*",
        "name",
        "state",
        "satisfies_pzs",
        "tags",
        "no_such_field",
        "labels.key",
        "message_storage_policy.no_such_field",
        "message_retention_duration.seconds.more",
    ],
)
async def test_a_topics_mask_names_what_may_change(bus: Bus, path: str) -> None:
    """Anything else is INVALID_ARGUMENT, beside a right path too, and nothing changes."""
    name = await bus.topic(labels={"a": "b"})
    before = await bus.publisher.get_topic(topic=name)
    change: dict[str, Any] = {"labels": {"c": "d"}}

    for paths in ([path], ["labels", path]):
        with pytest.raises(InvalidArgument):
            await _update_topic(bus, name, *paths, **change)
    with pytest.raises(InvalidArgument):
        await bus.publisher.update_topic(UpdateTopicRequest(topic=Topic(name=name)))

    assert await bus.publisher.get_topic(topic=name) == before


@pytest.mark.parametrize(
    "path",
    [
        "",
        "*",
        "name",
        "topic",
        "filter",
        "enable_message_ordering",
        "detached",
        "state",
        "tags",
        "topic_message_retention_duration",
        "analytics_hub_subscription_info",
        "no_such_field",
        "retry_policy.no_such_field",
        "labels.key",
    ],
)
async def test_a_subscriptions_mask_names_what_may_change(bus: Bus, path: str) -> None:
    """Anything else is INVALID_ARGUMENT, beside a right path too, and nothing changes."""
    name = await bus.subscription(await bus.topic(), labels={"a": "b"})
    before = await bus.subscriber.get_subscription(subscription=name)
    change: dict[str, Any] = {"labels": {"c": "d"}}

    for paths in ([path], ["labels", path]):
        with pytest.raises(InvalidArgument):
            await _update_subscription(bus, name, *paths, **change)
    with pytest.raises(InvalidArgument):
        await bus.subscriber.update_subscription(
            UpdateSubscriptionRequest(subscription=Subscription(name=name))
        )

    assert await bus.subscriber.get_subscription(subscription=name) == before


async def test_a_mask_names_a_field_of_a_field(bus: Bus) -> None:
    """Then the others of that field stay."""
    topic = await bus.topic(message_storage_policy={"allowed_persistence_regions": ["us-east1"]})
    name = await bus.subscription(
        topic,
        retry_policy={"minimum_backoff": timedelta(seconds=1), "maximum_backoff": timedelta(seconds=9)},
    )

    policy = (
        await _update_topic(
            bus,
            topic,
            "message_storage_policy.enforce_in_transit",
            message_storage_policy={"enforce_in_transit": True},
        )
    ).message_storage_policy
    retry = (
        await _update_subscription(
            bus,
            name,
            "retry_policy.minimum_backoff",
            retry_policy={"minimum_backoff": timedelta(seconds=2), "maximum_backoff": timedelta(seconds=3)},
        )
    ).retry_policy

    assert (list(policy.allowed_persistence_regions), policy.enforce_in_transit) == (["us-east1"], True)
    bounds: list[Any] = [retry.minimum_backoff, retry.maximum_backoff]
    assert bounds == [timedelta(seconds=2), timedelta(seconds=9)]
    cleared = await _update_subscription(bus, name, "retry_policy.maximum_backoff")
    bounds = [cleared.retry_policy.minimum_backoff, cleared.retry_policy.maximum_backoff]
    assert bounds == [timedelta(seconds=2), timedelta(seconds=600)]  # Google's default
    with pytest.raises(InvalidArgument):
        await _update_topic(bus, topic, "message_storage_policy.allowed_persistence_regions")
    assert "message_storage_policy" not in await _update_topic(bus, topic, "message_storage_policy")


async def test_what_only_the_server_says_is_not_heard(timed_bus: Bus) -> None:
    """Output-only fields of a request are ignored, and tags are not told again."""
    topic = Topic(name=timed_bus.name("topics"), satisfies_pzs=True, state=2, tags={"123/team": "words"})
    subscription = Subscription(
        name=timed_bus.name("subscriptions"),
        topic=topic.name,
        state=2,
        detached=True,
        tags={"123/team": "words"},
        topic_message_retention_duration=timedelta(days=1),
        analytics_hub_subscription_info={"listing": "projects/p/locations/l/dataExchanges/d/listings/l"},
    )

    created = await timed_bus.publisher.create_topic(topic)
    subscribed = await timed_bus.subscriber.create_subscription(subscription)

    assert created == Topic(name=topic.name, state=Topic.State.ACTIVE)
    assert subscribed.state == Subscription.State.ACTIVE
    assert not subscribed.detached
    for field in ("tags", "topic_message_retention_duration", "analytics_hub_subscription_info"):
        assert field not in subscribed


async def test_a_push_subscription_tells_the_version_of_what_it_pushes(bus: Bus) -> None:
    """Google's default is v1; a pull subscription has none."""
    name = await bus.subscription(await bus.topic(), push_config={"push_endpoint": "http://127.0.0.1:1/"})
    got = await bus.subscriber.get_subscription(subscription=name)
    assert got.push_config.attributes == {"x-goog-version": "v1"}

    await bus.subscriber.modify_push_config(ModifyPushConfigRequest(subscription=name))

    assert not (await bus.subscriber.get_subscription(subscription=name)).push_config.attributes


@pytest.mark.parametrize(
    "fields",
    [
        {"ingestion_data_source_settings": {"aws_kinesis": {"stream_arn": "s"}}},
        {"message_transforms": [TRANSFORM]},
    ],
    ids=lambda fields: next(iter(fields)),
)
async def test_what_a_topic_would_not_do_it_does_not_promise(timed_bus: Bus, fields: dict[str, Any]) -> None:
    """UNIMPLEMENTED with the field's name, at creation and in an update; to do without it is no error."""
    name = await timed_bus.topic()
    (field,) = fields

    with pytest.raises(MethodNotImplemented, match=field):
        await timed_bus.topic(**fields)
    with pytest.raises(MethodNotImplemented, match=field):
        await _update_topic(timed_bus, name, **fields)

    assert await _update_topic(timed_bus, name, field) == Topic(name=name, state=Topic.State.ACTIVE)


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"message_transforms": [TRANSFORM]}, "message_transforms"),
        ({"bigtable_config": {"table": "projects/p/instances/i/tables/t"}}, "bigtable_config"),
        (
            {"push_config": {"push_endpoint": "http://a", "attributes": {"x-goog-version": "v1beta1"}}},
            "v1beta1",
        ),
    ],
)
async def test_what_a_subscription_would_not_do_it_does_not_promise(
    timed_bus: Bus, fields: dict[str, Any], named: str
) -> None:
    """UNIMPLEMENTED with the field's name, at creation and in an update; to do without it is no error."""
    name = await timed_bus.subscription(await timed_bus.topic(), ack_deadline_seconds=300)
    before = await timed_bus.subscriber.get_subscription(subscription=name)

    with pytest.raises(MethodNotImplemented, match=named):
        await timed_bus.subscription(await timed_bus.topic(), **fields)
    with pytest.raises(MethodNotImplemented, match=named):
        await _update_subscription(timed_bus, name, **fields)

    await _update_subscription(timed_bus, name, *fields)
    assert await timed_bus.subscriber.get_subscription(subscription=name) == before


async def test_a_snapshot_ends_no_later_than_its_backlog_allows(timed_bus: Bus, clock: ManualClock) -> None:
    """Its end moves between now and a week after its oldest message, and other fields do not move."""
    topic, name = await timed_bus.topic(), timed_bus.name("snapshots")
    subscription = await timed_bus.subscription(topic)
    await timed_bus.publish(topic, "x")
    published = int(clock.now())
    clock.advance(3600)
    await timed_bus.subscriber.create_snapshot(name=name, subscription=subscription)

    async def update(path: str, **fields: Any) -> Snapshot:
        change = Snapshot({"name": name, **fields})
        return await timed_bus.subscriber.update_snapshot(
            UpdateSnapshotRequest(snapshot=change, update_mask=FieldMask(paths=[path]))
        )

    for wrong in (int(clock.now()), published + WEEK_SECONDS + 1, 0):
        with pytest.raises(InvalidArgument):
            await update("expire_time", expire_time=Timestamp(seconds=wrong))
    for path in ("name", "topic", "no_such_field", "labels.a"):
        with pytest.raises(InvalidArgument):
            await update(path, topic="projects/test/topics/other")
    with pytest.raises(InvalidArgument):
        await update("labels", labels={"A": "b"})
    for right in (int(clock.now()) + 1, published + WEEK_SECONDS, int(clock.now()) + 1):
        got = await update("expire_time", expire_time=Timestamp(seconds=right))
        assert Snapshot.pb(got).expire_time.seconds == right
    assert (await update("labels", labels={"a": "b"})).labels == {"a": "b"}

    clock.advance(1)

    with pytest.raises(NotFound):
        await timed_bus.subscriber.get_snapshot(snapshot=name)
