"""A publish request: bounded in time, and each answer of Pub/Sub is for good or for now."""

import asyncio
from collections.abc import AsyncIterator

import grpc
import pytest

from event_store.errors import ConfigurationError, InvalidArgumentError, UnavailableError
from event_store.pubsub.messages_pb2 import PubsubMessage
from event_store.pubsub.publisher import Publisher
from event_store.pubsub.subscriber import Subscriber
from tests.event_store.outbox.bus import PATIENCE_SECONDS, Bus
from tests.event_store.outbox.gate import Gate
from tests.metadata import Metadata

FOR_GOOD = {grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.OUT_OF_RANGE}


@pytest.fixture
async def publisher(gate: Gate) -> AsyncIterator[Publisher]:  # noqa: ARG001 # what it connects to
    """A publisher before a gate."""
    publisher = Publisher()
    await publisher.open()
    yield publisher
    await publisher.close()


@pytest.mark.parametrize("code", sorted(set(grpc.StatusCode) - {grpc.StatusCode.OK}, key=str), ids=str)
async def test_only_what_pubsub_never_takes_is_refused_for_good(
    bus: Bus, gate: Gate, publisher: Publisher, code: grpc.StatusCode
) -> None:
    """A missing topic, role or key can be mended by an operator, so messages wait for it."""
    await gate.close(code, "said")

    async with asyncio.timeout(PATIENCE_SECONDS):
        with pytest.raises(InvalidArgumentError if code in FOR_GOOD else UnavailableError, match="said"):
            await publisher.publish(bus.routing().topics["first"].path, [PubsubMessage(data=b"1")], 10)


async def test_a_pubsub_that_does_not_answer_is_given_up_in_time(
    bus: Bus, gate: Gate, publisher: Publisher
) -> None:
    """The messages may be published later."""
    await gate.close()

    async with asyncio.timeout(PATIENCE_SECONDS):
        with pytest.raises(UnavailableError, match="DEADLINE_EXCEEDED"):
            await publisher.publish(bus.routing().topics["first"].path, [PubsubMessage(data=b"1")], 0.3)


async def test_a_request_says_in_its_metadata_which_topic_it_is_for(
    bus: Bus, gate: Gate, publisher: Publisher
) -> None:
    """Google routes requests by it."""
    topic = bus.routing().topics["first"].path

    await publisher.publish(topic, [PubsubMessage(data=b"1")], 10)

    assert gate.metadata[0]["x-goog-request-params"] == f"topic={topic}"


async def test_opening_or_closing_a_publisher_twice_is_harmless(publisher: Publisher) -> None:
    """It keeps its one connection, and drops it."""
    channel = publisher._channel

    await publisher.open()
    assert publisher._channel is channel
    await publisher.close()
    await publisher.close()

    assert channel is not None
    assert channel.get_state() is grpc.ChannelConnectivity.SHUTDOWN


@pytest.mark.usefixtures("metadata")
@pytest.mark.parametrize("kind", [Publisher, Subscriber])
async def test_openings_at_once_make_one_connection(kind: type[Publisher | Subscriber]) -> None:
    """Each fetches a token first, and a connection beside the kept one would never be closed."""
    made = kind()
    try:
        await asyncio.gather(*(made.open() for _ in range(5)))
    finally:
        await made.close()

    assert len(Metadata.asked) == 1


@pytest.mark.usefixtures("metadata")
@pytest.mark.parametrize(("statuses", "error"), [([503] * 3, UnavailableError), ([404], ConfigurationError)])
async def test_only_without_credentials_an_operator_is_called(
    statuses: list[int], error: type[Exception]
) -> None:
    """The relay retries both, and says of one alone that an operator has to act."""
    Metadata.statuses += statuses

    with pytest.raises(error, match="access token for Pub/Sub"):
        await Publisher().open()


@pytest.mark.usefixtures("metadata")
async def test_the_wait_for_a_token_is_part_of_a_requests_time_limit(bus: Bus, gate: Gate) -> None:
    """A publish must not outlive its lease."""
    topic = bus.routing().topics["first"].path
    publisher = Publisher()
    await publisher.open()
    Metadata.hold.clear()
    try:
        with pytest.raises(UnavailableError, match=r"no access token for the local Pub/Sub within 0\.2 s"):
            await publisher.publish(topic, [PubsubMessage(data=b"1")], 0.2)
        assert gate.limits_seconds == []

        publishing = asyncio.create_task(publisher.publish(topic, [PubsubMessage(data=b"1")], 9))
        await asyncio.wait({publishing}, timeout=0.5)
        Metadata.hold.set()
        await publishing
    finally:
        await publisher.close()

    assert gate.limits_seconds[0] < 8.6
