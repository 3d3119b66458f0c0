"""Push: each message is a POST to the endpoint, until the endpoint says that it has it."""

import asyncio
import base64
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from google.pubsub_v1.types import PushConfig

from tests.pubsub_emulator.bus import PATIENCE_SECONDS, SILENCE_SECONDS, Bus, texts


class Endpoint:
    """An HTTP server that keeps what it is sent and answers with the next of `statuses`, then with 204."""

    def __init__(self) -> None:
        self.url = ""
        self.statuses: list[int] = []
        self.headers: list[dict[str, str]] = []
        self.bodies: list[bytes] = []
        self._arrived = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
        except asyncio.IncompleteReadError:  # a connection that was kept open and never used again
            writer.close()
            return
        lines = [line.split(": ", 1) for line in head.split("\r\n")[1:] if line]
        headers = {name.lower(): value for name, value in lines}
        body = await reader.readexactly(int(headers["content-length"]))
        self.headers.append(headers)
        self.bodies.append(body)
        status = self.statuses.pop(0) if self.statuses else 204
        writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()
        writer.close()
        self._arrived.set()

    async def receive(self, count: int) -> list[dict[str, Any]]:
        """The first `count` bodies, once they are there."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(self.bodies) < count:
                self._arrived.clear()
                await self._arrived.wait()
        return [json.loads(body) for body in self.bodies[:count]]

    async def silence(self) -> None:
        """Make sure that nothing more comes for a while."""
        self._arrived.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SILENCE_SECONDS):
                await self._arrived.wait()
        assert not self._arrived.is_set()

    def data(self) -> list[str]:
        """The texts that arrived."""
        return [base64.b64decode(json.loads(body)["message"]["data"]).decode() for body in self.bodies]


@pytest.fixture
async def endpoint() -> AsyncIterator[Endpoint]:
    """An endpoint on a free port."""
    endpoint = Endpoint()
    server = await asyncio.start_server(endpoint.serve, "127.0.0.1", 0)
    endpoint.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/push?token=1"
    async with server:
        yield endpoint


@pytest.fixture
async def push(bus: Bus, endpoint: Endpoint) -> AsyncIterator[Any]:
    """Makes push subscriptions to the endpoint, and ends them before it does."""
    names: list[str] = []

    async def subscribe(topic: str, **fields: Any) -> str:
        config = {"push_endpoint": endpoint.url, **fields.pop("push_config", {})}
        names.append(await bus.subscription(topic, push_config=config, **fields))
        return names[-1]

    yield subscribe
    for name in names:
        await bus.subscriber.delete_subscription(subscription=name)


async def test_a_message_is_pushed_in_googles_wrapper(bus: Bus, endpoint: Endpoint, push: Any) -> None:
    """JSON with the message, base64 data, ids in both spellings, and the subscription's name."""
    topic = await bus.topic()
    subscription = await push(topic)

    (message_id,) = await bus.publish(topic, "Zürich", attributes={"a": "1"})

    (body,) = await endpoint.receive(1)
    message = body["message"]
    assert body["subscription"] == subscription
    assert base64.b64decode(message["data"]).decode() == "Zürich"
    assert message["attributes"] == {"a": "1"}
    assert message["messageId"] == message["message_id"] == message_id
    assert message["publishTime"] == message["publish_time"]
    assert endpoint.headers[0]["content-type"] == "application/json"
    await endpoint.silence()


async def test_a_refused_push_is_repeated(bus: Bus, endpoint: Endpoint, push: Any) -> None:
    """Any status but 102, 200, 201, 202 and 204 brings the message again."""
    topic = await bus.topic()
    endpoint.statuses = [500, 301]
    await push(topic)

    await bus.publish(topic, "x")

    await endpoint.receive(3)
    assert endpoint.data() == ["x"] * 3
    await endpoint.silence()


async def test_a_push_tells_its_attempt_where_there_is_a_dead_letter_policy(
    bus: Bus, endpoint: Endpoint, push: Any
) -> None:
    """`deliveryAttempt` counts from 1."""
    topic, dead_letter_topic = await bus.topic(), await bus.topic()
    endpoint.statuses = [500]
    await push(topic, dead_letter_policy={"dead_letter_topic": dead_letter_topic})

    await bus.publish(topic, "x")

    assert [body.get("deliveryAttempt") for body in await endpoint.receive(2)] == [1, 2]


async def test_a_push_that_is_refused_too_often_becomes_a_dead_letter(
    bus: Bus, endpoint: Endpoint, push: Any
) -> None:
    """The same policy as for pull."""
    topic, dead_letter_topic = await bus.topic(), await bus.topic()
    dead_letters = await bus.subscription(dead_letter_topic)
    endpoint.statuses = [500] * 50
    await push(topic, dead_letter_policy={"dead_letter_topic": dead_letter_topic})

    await bus.publish(topic, "x")

    assert texts(await bus.consume(dead_letters, 1)) == ["x"]


async def test_an_ordered_push_keeps_its_keys_order_though_refused(
    bus: Bus, endpoint: Endpoint, push: Any
) -> None:
    """One message of a key at a time, and the refused one again before the next."""
    topic = await bus.topic()
    endpoint.statuses = [204, 500, 204]
    await push(topic, enable_message_ordering=True)

    await bus.publish(topic, *map(str, range(4)), key="k")

    await endpoint.receive(5)
    assert endpoint.data() == ["0", "1", "1", "2", "3"]


async def test_a_push_tells_its_ordering_key(bus: Bus, endpoint: Endpoint, push: Any) -> None:
    """`orderingKey` is part of the message."""
    topic = await bus.topic()
    await push(topic, enable_message_ordering=True)

    await bus.publish(topic, "x", key="k")

    assert [body["message"].get("orderingKey") for body in await endpoint.receive(1)] == ["k"]


async def test_an_unwrapped_push_is_the_message_alone(bus: Bus, endpoint: Endpoint, push: Any) -> None:
    """no_wrapper sends the data as the body, and metadata as headers where it is told to."""
    topic = await bus.topic()
    subscription = await push(topic, push_config={"no_wrapper": {"write_metadata": True}})

    (message_id,) = await bus.publish(topic, '{"plain": 1}', attributes={"color": "blue"})

    assert await endpoint.receive(1) == [{"plain": 1}]
    (headers,) = endpoint.headers
    assert headers["color"] == "blue"
    assert headers["x-goog-pubsub-message-id"] == message_id
    assert headers["x-goog-pubsub-subscription-name"] == subscription


async def test_a_push_subscription_becomes_a_pull_subscription(
    bus: Bus, endpoint: Endpoint, push: Any
) -> None:
    """Without an endpoint, what is published waits to be pulled."""
    topic = await bus.topic()
    subscription = await push(topic)
    await bus.subscriber.modify_push_config(subscription=subscription, push_config=PushConfig())

    await bus.publish(topic, "x")

    assert texts(await bus.consume(subscription, 1)) == ["x"]
    assert endpoint.bodies == []


async def test_an_endpoint_that_is_away_loses_nothing(bus: Bus) -> None:
    """What nobody answers for is pushed again, and can be pulled once push is switched off."""
    topic = await bus.topic()
    subscription = await bus.subscription(topic, push_config={"push_endpoint": "http://127.0.0.1:1/"})
    await bus.publish(topic, "x")
    await bus.subscriber.modify_push_config(subscription=subscription, push_config=PushConfig())

    assert texts(await bus.consume(subscription, 1)) == ["x"]
