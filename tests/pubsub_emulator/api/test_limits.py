"""Google's limits: what it refuses is refused, with the same status, before anything is done."""

from datetime import timedelta
from typing import Any

import pytest
from google.api_core.exceptions import InvalidArgument, NotFound, OutOfRange
from google.pubsub_v1.types import AcknowledgeRequest, PubsubMessage, StreamingPullRequest

from tests.pubsub_emulator.bus import PROJECT, Bus, texts

MEGABYTE = 1_000_000


async def _refused_whole(bus: Bus, messages: list[Any]) -> None:
    topic = await bus.topic()
    subscription = await bus.subscription(topic)

    with pytest.raises(InvalidArgument):
        await bus.publisher.publish(topic=topic, messages=[PubsubMessage(m) for m in messages], retry=None)

    await bus.publish(topic, "next")
    assert texts(await bus.pull_once(subscription)) == ["next"]


@pytest.mark.parametrize(
    "messages",
    [
        pytest.param([], id="nothing"),
        pytest.param([{"data": b"x"}] * 1001, id="1001 messages"),
        pytest.param([{"data": b""}], id="an empty message"),
        pytest.param([{"data": b"x"}, {"data": b""}], id="an empty message among others"),
    ],
)
async def test_a_publish_request_of_too_few_or_too_many_is_refused_whole(
    bus: Bus, messages: list[Any]
) -> None:
    """INVALID_ARGUMENT, and none of its messages is published."""
    await _refused_whole(bus, messages)


@pytest.mark.parametrize(
    "messages",
    [
        pytest.param([{"data": b"x" * 6 * MEGABYTE}] * 2, id="12 MB"),
        pytest.param([{"attributes": {str(n): "" for n in range(101)}}], id="101 attributes"),
        pytest.param([{"attributes": {"k" * 257: ""}}], id="an attribute key of 257 bytes"),
        pytest.param([{"attributes": {"k": "v" * 1025}}], id="an attribute value of 1025 bytes"),
        pytest.param(
            [{"attributes": {"k": "ž" * 513}}], id="an attribute value of 1026 bytes in 513 letters"
        ),
        pytest.param([{"attributes": {"google": "x"}}], id="an attribute that begins with goog"),
        pytest.param([{"attributes": {"googclient": "x"}}], id="an attribute that is nearly a client's"),
        pytest.param([{"attributes": {"": "x"}}], id="an attribute without a key"),
        pytest.param([{"data": b"x", "ordering_key": "k" * 1025}], id="an ordering key of 1025 bytes"),
        pytest.param(
            [{"data": b"x", "ordering_key": "a"}, {"data": b"x", "ordering_key": "b"}], id="two ordering keys"
        ),
        pytest.param([{"data": b"x", "ordering_key": "a"}, {"data": b"x"}], id="with and without a key"),
    ],
)
async def test_a_publish_request_beyond_a_limit_of_size_is_refused_whole(
    bus: Bus, messages: list[Any]
) -> None:
    """INVALID_ARGUMENT, and none of its messages is published."""
    await _refused_whole(bus, messages)


async def test_the_attributes_of_googles_clients_are_delivered(bus: Bus) -> None:
    """With OpenTelemetry on, Google's own clients publish the trace context under a reserved name."""
    topic = await bus.topic()
    subscription = await bus.subscription(topic)
    attributes = {"googclient_traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}

    await bus.publish(topic, "x", attributes=attributes)

    (received,) = await bus.consume(subscription, 1)
    assert dict(received.message.attributes) == attributes


async def test_a_publish_request_at_the_limits_is_accepted(bus: Bus) -> None:
    """1000 messages; 100 attributes, keys of 256, values and ordering keys of 1024 bytes; 9.9 MB."""
    topic = await bus.topic()
    attributes = {f"{n:03}" + "k" * 253: "v" * 1024 for n in range(100)}
    for messages in (
        [PubsubMessage(data=b"x")] * 1000,
        [PubsubMessage(attributes=attributes, ordering_key="k" * 1024)],
        [PubsubMessage(data=b"x" * 9_900_000)],
    ):
        response = await bus.publisher.publish(topic=topic, messages=messages, retry=None)
        assert len(response.message_ids) == len(messages)


@pytest.mark.parametrize("name", ["ab", "1abc", "googabc", "a" * 256, "a b c", "a/b", "añb", ""])
async def test_a_bad_name_is_refused(bus: Bus, name: str) -> None:
    """3 to 255 letters, digits and -_.~+%, a letter first, and not goog."""
    with pytest.raises(InvalidArgument):
        await bus.publisher.create_topic(name=f"{PROJECT}/topics/{name}")


async def test_the_longest_and_oddest_name_is_accepted(bus: Bus) -> None:
    """255 characters, and every special one."""
    begin = f"{PROJECT}/topics/a-_.~+%25"
    name = begin + bus.name("topics").rpartition("/")[2].ljust(246, "a")
    assert (await bus.publisher.create_topic(name=name)).name == name


@pytest.mark.parametrize("seconds", [599, 31 * 86400 + 1])
async def test_a_topic_retains_between_ten_minutes_and_31_days(bus: Bus, seconds: int) -> None:
    """Anything else is refused."""
    with pytest.raises(InvalidArgument):
        await bus.topic(message_retention_duration=timedelta(seconds=seconds))


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"ack_deadline_seconds": 9}, id="ack deadline of 9 s"),
        pytest.param({"ack_deadline_seconds": 601}, id="ack deadline of 601 s"),
        pytest.param({"message_retention_duration": timedelta(seconds=599)}, id="retention of 599 s"),
        pytest.param(
            {"message_retention_duration": timedelta(days=31, seconds=1)}, id="retention over 31 days"
        ),
        pytest.param({"retry_policy": {"maximum_backoff": timedelta(seconds=601)}}, id="backoff of 601 s"),
        pytest.param(
            {"retry_policy": {"minimum_backoff": timedelta(20), "maximum_backoff": timedelta(10)}},
            id="backoff that shrinks",
        ),
        pytest.param({"expiration_policy": {"ttl": timedelta(hours=23)}}, id="expiration within a day"),
        pytest.param(
            {"enable_exactly_once_delivery": True, "push_config": {"push_endpoint": "http://127.0.0.1:1"}},
            id="exactly-once push",
        ),
        pytest.param({"push_config": {"push_endpoint": "127.0.0.1"}}, id="push to no URL"),
        pytest.param({"labels": {"Key": "x"}}, id="a label in capitals"),
    ],
)
async def test_a_subscription_setting_out_of_its_range_is_refused(bus: Bus, fields: dict[str, Any]) -> None:
    """INVALID_ARGUMENT, and no subscription."""
    topic = await bus.topic()

    with pytest.raises(InvalidArgument):
        await bus.subscription(topic, **fields)

    assert [name async for name in await bus.publisher.list_topic_subscriptions(topic=topic)] == []


@pytest.mark.parametrize("attempts", [4, 101])
async def test_delivery_attempts_are_5_to_100(bus: Bus, attempts: int) -> None:
    """Anything else is refused."""
    topic = await bus.topic()
    policy = {"dead_letter_topic": topic, "max_delivery_attempts": attempts}

    with pytest.raises((InvalidArgument, OutOfRange)):
        await bus.subscription(topic, dead_letter_policy=policy)


async def test_a_dead_letter_topic_must_exist(bus: Bus) -> None:
    """A name that is nobody's would be a loss in waiting."""
    topic = await bus.topic()

    with pytest.raises((NotFound, InvalidArgument)):
        await bus.subscription(topic, dead_letter_policy={"dead_letter_topic": bus.name("topics")})


@pytest.mark.parametrize(
    "first",
    [
        pytest.param({"stream_ack_deadline_seconds": 9}, id="deadline of 9 s"),
        pytest.param({"stream_ack_deadline_seconds": 601}, id="deadline of 601 s"),
        pytest.param({"modify_deadline_ack_ids": ["a"]}, id="a deadline that is missing"),
    ],
)
async def test_a_bad_streaming_request_ends_the_stream(bus: Bus, first: dict[str, Any]) -> None:
    """INVALID_ARGUMENT, at once."""
    subscription = await bus.subscription(await bus.topic())
    async with bus.stream(subscription, **first) as stream:
        with pytest.raises(InvalidArgument):
            await stream.receive(1)


async def test_an_acknowledgement_of_something_else_is_refused(bus: Bus) -> None:
    """An id that this server cannot have given is an error, an old one is not."""
    subscription = await bus.subscription(await bus.topic())

    with pytest.raises(InvalidArgument):
        await bus.subscriber.acknowledge(subscription=subscription, ack_ids=["no ack id"], retry=None)
    with pytest.raises(InvalidArgument):
        await bus.subscriber.acknowledge(subscription=subscription, ack_ids=[], retry=None)


async def test_an_acknowledgement_has_at_most_512_kib(bus: Bus) -> None:
    """Of the whole request; clients divide what is more. Moved deadlines have the same limit."""
    topic = await bus.topic()
    subscription = await bus.subscription(topic)
    await bus.publish(topic, "x")
    (message,) = await bus.pull(subscription, 1)

    def request(size_bytes: int) -> AcknowledgeRequest:
        """The largest request of at most a size that acknowledges the message, again and again."""
        empty = AcknowledgeRequest.pb(AcknowledgeRequest(subscription=subscription)).ByteSize()
        each = AcknowledgeRequest.pb(AcknowledgeRequest(ack_ids=[message.ack_id])).ByteSize()
        ack_ids = [message.ack_id] * ((size_bytes - empty) // each)
        return AcknowledgeRequest(subscription=subscription, ack_ids=ack_ids)

    with pytest.raises(InvalidArgument):
        await bus.subscriber.acknowledge(request(524_288 + 1024), retry=None)
    with pytest.raises(InvalidArgument):
        await bus.subscriber.modify_ack_deadline(
            subscription=subscription,
            ack_ids=list(request(524_288 + 1024).ack_ids),
            ack_deadline_seconds=10,
            retry=None,
        )
    await bus.subscriber.acknowledge(request(524_288), retry=None)


@pytest.mark.parametrize("seconds", [-1, 601])
async def test_a_deadline_moves_by_0_to_600_seconds(bus: Bus, seconds: int) -> None:
    """Anything else is refused."""
    topic = await bus.topic()
    subscription = await bus.subscription(topic)
    await bus.publish(topic, "x")

    with pytest.raises(InvalidArgument):
        await bus.modify(subscription, await bus.pull(subscription, 1), seconds)


async def test_a_pull_asks_for_one_message_or_more(bus: Bus) -> None:
    """0 is an error, not an empty answer."""
    subscription = await bus.subscription(await bus.topic())

    with pytest.raises(InvalidArgument):
        await bus.subscriber.pull(subscription=subscription, max_messages=0, retry=None, timeout=5)


async def test_a_stream_sets_flow_control_only_at_its_beginning(bus: Bus) -> None:
    """A later change is INVALID_ARGUMENT, as the contract says."""
    subscription = await bus.subscription(await bus.topic())
    async with bus.stream(subscription) as stream:
        await stream.send(StreamingPullRequest(max_outstanding_messages=5))
        with pytest.raises(InvalidArgument):
            await stream.receive(1)
