"""Each setting of Google's reference on both sides of its limit, at creation and in an update.

The limits are those of the comments in google/pubsub/v1/pubsub.proto and of the pages that these name.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

import pytest
from google.api_core.exceptions import InvalidArgument
from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask
from google.pubsub_v1.types import Subscription, Topic, UpdateSubscriptionRequest, UpdateTopicRequest

from tests.pubsub_emulator.bus import Bus

Fields = dict[str, Any]

DAY: Final = timedelta(days=1)
SHORT: Final = timedelta(seconds=5)
TINY: Final = timedelta(microseconds=1)
KEY: Final = "projects/p/locations/global/keyRings/r/cryptoKeys/k"
TOPIC: Final = "projects/test/topics/settings-dead-letters"

# By the name of a limit: what is just accepted, what is just refused.
LABELS: Final[dict[str, tuple[Fields, Fields]]] = {
    "64 labels": ({"labels": {f"k{n}": "" for n in range(64)}}, {"labels": {f"k{n}": "" for n in range(65)}}),
    "label key of 63": ({"labels": {"k" * 63: ""}}, {"labels": {"k" * 64: ""}}),
    "label value of 63": ({"labels": {"k": "v" * 63}}, {"labels": {"k": "v" * 64}}),
    "label key's first letter": ({"labels": {"é-1_x": "1"}}, {"labels": {"1k": ""}}),
    "label key's letters": ({"labels": {"a-b_c9": ""}}, {"labels": {"a.b": ""}}),
    "label key in lower case": ({"labels": {"a": "b"}}, {"labels": {"aB": "b"}}),
    "label value in lower case": ({"labels": {"a": "-_9"}}, {"labels": {"a": "B"}}),
    "label key that is there": ({"labels": {"a": ""}}, {"labels": {"": "a"}}),
}
TOPICS: Final[dict[str, tuple[Fields, Fields]]] = {
    **LABELS,
    "retention of 10 minutes": (
        {"message_retention_duration": timedelta(minutes=10)},
        {"message_retention_duration": timedelta(minutes=10) - TINY},
    ),
    "retention of 31 days": (
        {"message_retention_duration": 31 * DAY},
        {"message_retention_duration": 31 * DAY + TINY},
    ),
    "retention that is a duration": (
        {"message_retention_duration": Duration(seconds=600, nanos=999_999_999)},
        {"message_retention_duration": Duration(seconds=600, nanos=1_000_000_000)},
    ),
    "retention of one sign": (
        {"message_retention_duration": Duration(seconds=601, nanos=1)},
        {"message_retention_duration": Duration(seconds=601, nanos=-1)},
    ),
    "regions": (
        {"message_storage_policy": {"allowed_persistence_regions": ["europe-west1"]}},
        {"message_storage_policy": {"allowed_persistence_regions": []}},
    ),
    "regions to enforce": (
        {
            "message_storage_policy": {
                "allowed_persistence_regions": ["us-east5", "northamerica-northeast2"],
                "enforce_in_transit": True,
            }
        },
        {"message_storage_policy": {"enforce_in_transit": True}},
    ),
    "the name of a region": (
        {"message_storage_policy": {"allowed_persistence_regions": ["me-central2"]}},
        {"message_storage_policy": {"allowed_persistence_regions": ["me-central2", "eu"]}},
    ),
    "key": ({"kms_key_name": KEY}, {"kms_key_name": KEY.replace("/cryptoKeys", "")}),
    "key's version": ({"kms_key_name": KEY}, {"kms_key_name": f"{KEY}/cryptoKeyVersions/1"}),
}
SUBSCRIPTIONS: Final[dict[str, tuple[Fields, Fields]]] = {
    **LABELS,
    "ack deadline of 10 s": ({"ack_deadline_seconds": 10}, {"ack_deadline_seconds": 9}),
    "ack deadline of 600 s": ({"ack_deadline_seconds": 600}, {"ack_deadline_seconds": 601}),
    "ack deadline that is negative": ({"ack_deadline_seconds": 0}, {"ack_deadline_seconds": -1}),
    "retention of 10 minutes": (
        {"message_retention_duration": timedelta(minutes=10)},
        {"message_retention_duration": timedelta(minutes=10) - TINY},
    ),
    "retention of 31 days": (
        {"message_retention_duration": 31 * DAY, "retain_acked_messages": True},
        {"message_retention_duration": 31 * DAY + TINY, "retain_acked_messages": True},
    ),
    "expiration after a day": (
        {"message_retention_duration": DAY / 2, "expiration_policy": {"ttl": DAY}},
        {"message_retention_duration": DAY / 2, "expiration_policy": {"ttl": DAY - TINY}},
    ),
    "expiration after the retention": (
        {"message_retention_duration": 2 * DAY, "expiration_policy": {"ttl": 2 * DAY}},
        {"message_retention_duration": 2 * DAY, "expiration_policy": {"ttl": 2 * DAY - TINY}},
    ),
    "expiration after the retention by default": (
        {"expiration_policy": {"ttl": 7 * DAY}},
        {"expiration_policy": {"ttl": 7 * DAY - TINY}},
    ),
    "shortest backoff of 0 s": (
        {"retry_policy": {"minimum_backoff": Duration()}},
        {"retry_policy": {"minimum_backoff": Duration(nanos=-1)}},
    ),
    "longest backoff of 600 s": (
        {"retry_policy": {"maximum_backoff": timedelta(seconds=600)}},
        {"retry_policy": {"maximum_backoff": timedelta(seconds=600) + TINY}},
    ),
    "shortest backoff of 600 s": (
        {"retry_policy": {"minimum_backoff": timedelta(seconds=600)}},
        {"retry_policy": {"minimum_backoff": timedelta(seconds=600) + TINY}},
    ),
    "shortest backoff no longer than the longest": (
        {"retry_policy": {"minimum_backoff": SHORT, "maximum_backoff": SHORT}},
        {"retry_policy": {"minimum_backoff": SHORT + TINY, "maximum_backoff": SHORT}},
    ),
    "longest backoff no shorter than the default of the shortest": (
        {"retry_policy": {"maximum_backoff": timedelta(seconds=10)}},
        {"retry_policy": {"maximum_backoff": timedelta(seconds=10) - TINY}},
    ),
    "5 delivery attempts": (
        {"dead_letter_policy": {"dead_letter_topic": TOPIC, "max_delivery_attempts": 5}},
        {"dead_letter_policy": {"dead_letter_topic": TOPIC, "max_delivery_attempts": 4}},
    ),
    "100 delivery attempts": (
        {"dead_letter_policy": {"dead_letter_topic": TOPIC, "max_delivery_attempts": 100}},
        {"dead_letter_policy": {"dead_letter_topic": TOPIC, "max_delivery_attempts": 101}},
    ),
    "delivery attempts that are negative": (
        {"dead_letter_policy": {"dead_letter_topic": TOPIC, "max_delivery_attempts": 0}},
        {"dead_letter_policy": {"dead_letter_topic": TOPIC, "max_delivery_attempts": -1}},
    ),
    "dead-letter topic": (
        {"dead_letter_policy": {"dead_letter_topic": TOPIC}},
        {"dead_letter_policy": {"max_delivery_attempts": 5}},
    ),
    "dead-letter topic's name": (
        {"dead_letter_policy": {"dead_letter_topic": TOPIC}},
        {"dead_letter_policy": {"dead_letter_topic": TOPIC.rpartition("/")[2]}},
    ),
    "push to a URL": (
        {"push_config": {"push_endpoint": "https://a.example:8443/b?c=d"}},
        {"push_config": {"push_endpoint": "a.example/b"}},
    ),
    "push by HTTP": (
        {"push_config": {"push_endpoint": "http://127.0.0.1:1"}},
        {"push_config": {"push_endpoint": "ftp://127.0.0.1:1"}},
    ),
    "push to a host": (
        {"push_config": {"push_endpoint": "http://[::1]:1/"}},
        {"push_config": {"push_endpoint": "http:///a"}},
    ),
    "push to a port": (
        {"push_config": {"push_endpoint": "http://127.0.0.1:65535"}},
        {"push_config": {"push_endpoint": "http://127.0.0.1:65536"}},
    ),
    "push's version": (
        {"push_config": {"push_endpoint": "http://127.0.0.1:1", "attributes": {"x-goog-version": "v1beta2"}}},
        {"push_config": {"push_endpoint": "http://127.0.0.1:1", "attributes": {"x-goog-version": "v2"}}},
    ),
    "push's attributes": (
        {"push_config": {"push_endpoint": "http://127.0.0.1:1", "attributes": {"x-goog-version": "v1"}}},
        {"push_config": {"push_endpoint": "http://127.0.0.1:1", "attributes": {"x-goog-other": "v1"}}},
    ),
    "a table's three parts": (
        {"bigquery_config": {"table": "p-1.d_1.t-1"}},
        {"bigquery_config": {"table": "d_1.t-1"}},
    ),
    "a table's parts that are not empty": (
        {"bigquery_config": {"table": "example.com:p-1.d.t"}},
        {"bigquery_config": {"table": "p-1..t"}},
    ),
    "one schema of a table": (
        {"bigquery_config": {"table": "p.d.t", "use_table_schema": True, "drop_unknown_fields": True}},
        {"bigquery_config": {"table": "p.d.t", "use_table_schema": True, "use_topic_schema": True}},
    ),
}


def _objects(**fields: object) -> Fields:
    return {"ack_deadline_seconds": 600, "cloud_storage_config": {"bucket": "archive", **fields}}


OBJECTS: Final[dict[str, tuple[Fields, Fields]]] = {
    "bucket": (_objects(bucket="a.b-c_d"), _objects(bucket="")),
    "bucket of 3": (_objects(bucket="abc"), _objects(bucket="ab")),
    "bucket of 63": (_objects(bucket="a" * 63), _objects(bucket="a" * 64)),
    "bucket of 222 with dots": (
        _objects(bucket=f"{'a' * 63}.{'b' * 63}.{'c' * 63}.{'d' * 30}"),
        _objects(bucket=f"{'a' * 63}.{'b' * 63}.{'c' * 63}.{'d' * 31}"),
    ),
    "bucket without a scheme": (_objects(bucket="archive"), _objects(bucket="gs://archive")),
    "bucket not of Google's": (_objects(bucket="good"), _objects(bucket="goog-archive")),
    "bucket without Google's name": (_objects(bucket="a-goo-gle"), _objects(bucket="my-google-archive")),
    "bucket's letters": (_objects(bucket="archive1"), _objects(bucket="Archive")),
    "bucket's end": (_objects(bucket="archive"), _objects(bucket="archive-")),
    "suffix": (_objects(filename_suffix="/a.txt"), _objects(filename_suffix=".txt/")),
    "names by time": (
        _objects(filename_datetime_format="YYYY-MM-DD/hh_mm_ssZ"),
        _objects(filename_datetime_format="YYYY-MM-DD/hh_mmZ"),
    ),
    "names by time with each part once": (
        _objects(filename_datetime_format="YY:MM:DD hh.mm.ss"),
        _objects(filename_datetime_format="YYYY/YY/MM/DD/hh/mm/ss"),
    ),
    "names by time and nothing else": (
        _objects(filename_datetime_format="YYYYMMDDThhmmss"),
        _objects(filename_datetime_format="YYYYMMDDxhhmmss"),
    ),
    "objects of a minute": (
        _objects(max_duration=timedelta(minutes=1)),
        _objects(max_duration=timedelta(minutes=1) - TINY),
    ),
    "objects of 10 minutes": (
        _objects(max_duration=timedelta(minutes=10)),
        _objects(max_duration=timedelta(minutes=10) + TINY),
    ),
    "objects within the ack deadline": (
        {**_objects(max_duration=timedelta(seconds=90)), "ack_deadline_seconds": 90},
        {**_objects(max_duration=timedelta(seconds=90)), "ack_deadline_seconds": 89},
    ),
    "objects of 5 minutes by default, within the ack deadline": (
        {**_objects(), "ack_deadline_seconds": 300},
        {**_objects(), "ack_deadline_seconds": 299},
    ),
    "objects of 1 KB": (_objects(max_bytes=1000), _objects(max_bytes=999)),
    "objects of 10 GiB": (_objects(max_bytes=10 * 2**30), _objects(max_bytes=10 * 2**30 + 1)),
    "objects of negative bytes": (_objects(max_bytes=0), _objects(max_bytes=-1)),
    "objects of 1000 messages": (_objects(max_messages=1000), _objects(max_messages=999)),
    "objects of negative messages": (_objects(max_messages=0), _objects(max_messages=-1)),
}
# By the name of what excludes what: what goes together, what does not.
PUSH: Final[Fields] = {"push_config": {"push_endpoint": "http://127.0.0.1:1"}}
TABLE: Final[Fields] = {"bigquery_config": {"table": "p.d.t"}}
EXACTLY_ONCE: Final[Fields] = {"enable_exactly_once_delivery": True}
PAIRS: Final[dict[str, tuple[Fields, Fields]]] = {
    "exactly-once and push": (EXACTLY_ONCE | {"push_config": {}}, EXACTLY_ONCE | PUSH),
    "exactly-once and BigQuery": (EXACTLY_ONCE, EXACTLY_ONCE | TABLE),
    "exactly-once and Cloud Storage": (EXACTLY_ONCE, EXACTLY_ONCE | _objects()),
    "push and BigQuery": (PUSH, PUSH | TABLE),
    "push and Cloud Storage": (_objects(), PUSH | _objects()),
    "BigQuery and Cloud Storage": (TABLE, TABLE | _objects()),
    "push and Bigtable": (PUSH, PUSH | {"bigtable_config": {}}),
}
SETTINGS: Final = {**SUBSCRIPTIONS, **OBJECTS, **PAIRS}
IMMUTABLE: Final[dict[str, tuple[Fields, Fields]]] = {
    "filter of 256 bytes": (
        {"filter": f'attributes.x = "{"é" * 119}x"'},
        {"filter": f'attributes.x = "{"é" * 120}"'},
    ),
    "filter": ({"filter": "attributes:x"}, {"filter": "attributes.x ~ 1"}),
}


def _cases(table: Mapping[str, tuple[Fields, Fields]]) -> list[Any]:
    return [
        pytest.param(fields, accepted, id=f"{name}-{'accepted' if accepted else 'refused'}")
        for name, sides in table.items()
        for fields, accepted in zip(sides, (True, False), strict=True)
    ]


@pytest.fixture
async def dead_letters(bus: Bus) -> None:
    """The topic that the tables name."""
    if TOPIC not in [topic.name async for topic in await bus.publisher.list_topics(project="projects/test")]:
        await bus.publisher.create_topic(name=TOPIC)


@pytest.mark.parametrize(("fields", "accepted"), _cases(TOPICS))
async def test_a_topic_is_created_within_googles_limits(bus: Bus, fields: Fields, *, accepted: bool) -> None:
    """What Google takes is created, and what it refuses is INVALID_ARGUMENT and not there."""
    request = Topic({"name": bus.name("topics"), **fields})
    if accepted:
        assert (await bus.publisher.create_topic(request)).name == request.name
        return

    with pytest.raises(InvalidArgument):
        await bus.publisher.create_topic(request)

    names = [topic.name async for topic in await bus.publisher.list_topics(project="projects/test")]
    assert request.name not in names


@pytest.mark.parametrize(("fields", "accepted"), _cases(TOPICS))
async def test_a_topic_is_updated_within_googles_limits(bus: Bus, fields: Fields, *, accepted: bool) -> None:
    """The limits of creation are those of an update, and a refused update changes nothing."""
    name = await bus.topic()
    before = await bus.publisher.get_topic(topic=name)
    request = UpdateTopicRequest(
        topic=Topic({"name": name, **fields}), update_mask=FieldMask(paths=list(fields))
    )
    if accepted:
        await bus.publisher.update_topic(request)
        assert await bus.publisher.get_topic(topic=name) == Topic({"name": name, "state": 1, **fields})
        return

    with pytest.raises(InvalidArgument):
        await bus.publisher.update_topic(request)

    assert await bus.publisher.get_topic(topic=name) == before


@pytest.mark.usefixtures("dead_letters")
@pytest.mark.parametrize(("fields", "accepted"), _cases({**SETTINGS, **IMMUTABLE}))
async def test_a_subscription_is_created_within_googles_limits(
    bus: Bus, fields: Fields, *, accepted: bool
) -> None:
    """What Google takes is created, and what it refuses is INVALID_ARGUMENT and not there."""
    topic = await bus.topic()
    if accepted:
        await bus.subscriber.delete_subscription(subscription=await bus.subscription(topic, **fields))
        return

    with pytest.raises(InvalidArgument):
        await bus.subscription(topic, **fields)

    assert [name async for name in await bus.publisher.list_topic_subscriptions(topic=topic)] == []


@pytest.mark.usefixtures("dead_letters")
@pytest.mark.parametrize(("fields", "accepted"), _cases(SETTINGS))
async def test_a_subscription_is_updated_within_googles_limits(
    bus: Bus, fields: Fields, *, accepted: bool
) -> None:
    """The limits of creation are those of an update, and a refused update changes nothing."""
    name = await bus.subscription(await bus.topic())
    before = await bus.subscriber.get_subscription(subscription=name)
    request = UpdateSubscriptionRequest(
        subscription=Subscription({"name": name, **fields}), update_mask=FieldMask(paths=list(fields))
    )
    if accepted:
        await bus.subscriber.update_subscription(request)
        await bus.subscriber.delete_subscription(subscription=name)
        return

    with pytest.raises(InvalidArgument):
        await bus.subscriber.update_subscription(request)

    assert await bus.subscriber.get_subscription(subscription=name) == before
