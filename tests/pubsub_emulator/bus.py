"""What the tests of Pub/Sub do with a server: short names for Google's calls, each bounded in time."""

import asyncio
import contextlib
import itertools
import secrets
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from typing import Any, Final

import grpc.aio
from google.api_core.exceptions import DeadlineExceeded
from google.pubsub_v1 import PublisherAsyncClient, SchemaServiceAsyncClient, SubscriberAsyncClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcAsyncIOTransport
from google.pubsub_v1.services.schema_service.transports import SchemaServiceGrpcAsyncIOTransport
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcAsyncIOTransport
from google.pubsub_v1.types import (
    PubsubMessage,
    ReceivedMessage,
    StreamingPullRequest,
    StreamingPullResponse,
    Subscription,
    Topic,
)

PROJECT: Final = "projects/test"
PATIENCE_SECONDS: Final = 15.0  # for what must come
SILENCE_SECONDS: Final = 0.5  # for what must not come


class Stream:
    """One raw StreamingPull, read as it comes into `responses` and `messages`."""

    def __init__(self, calls: Any, requests: "asyncio.Queue[StreamingPullRequest | None]") -> None:
        self._calls = calls
        self._requests = requests
        self._arrived = asyncio.Event()
        self._taken = 0
        self.responses: list[StreamingPullResponse] = []
        self.messages: list[ReceivedMessage] = []
        self.reader = asyncio.create_task(self._read())

    async def receive(self, count: int) -> list[ReceivedMessage]:
        """The next `count` messages."""
        await self.until(lambda: len(self.messages) >= self._taken + count)
        self._taken += count
        return self.messages[self._taken - count : self._taken]

    async def responded(self, count: int) -> None:
        """Wait for `count` responses from the stream's beginning on, with messages or without."""
        await self.until(lambda: len(self.responses) >= count)

    async def silence(self) -> None:
        """Make sure that nothing but what was received comes for a while."""
        with contextlib.suppress(TimeoutError):
            await self.until(lambda: len(self.messages) > self._taken, SILENCE_SECONDS)
        assert texts(self.messages[self._taken :]) == []

    async def until(self, reached: Callable[[], bool], timeout_seconds: float = PATIENCE_SECONDS) -> None:
        """Read on until something is so."""
        async with asyncio.timeout(timeout_seconds):
            while not reached():
                if self.reader.done():
                    await self.reader
                    raise EOFError
                self._arrived.clear()
                await self._arrived.wait()

    async def send(self, request: StreamingPullRequest) -> None:
        """Send a request as it is."""
        await self._requests.put(request)

    async def half_close(self) -> None:
        """Send nothing more, and read what comes until the server ends the stream."""
        await self._requests.put(None)
        async with asyncio.timeout(PATIENCE_SECONDS):
            await self.reader

    def cancel(self) -> None:
        """End the stream at once."""
        self._calls.cancel()

    async def _read(self) -> None:
        try:
            async for response in self._calls:
                self.responses.append(response)
                self.messages += response.received_messages
                self._arrived.set()
        finally:
            self._arrived.set()

    async def acknowledge(self, messages: Iterable[ReceivedMessage]) -> None:
        """Acknowledge through the stream."""
        await self.send(StreamingPullRequest(ack_ids=[message.ack_id for message in messages]))

    async def modify(self, messages: Sequence[ReceivedMessage], seconds: int) -> None:
        """Move deadlines through the stream; 0 refuses the messages."""
        await self.send(
            StreamingPullRequest(
                modify_deadline_ack_ids=[message.ack_id for message in messages],
                modify_deadline_seconds=[seconds] * len(messages),
            )
        )


class Bus:
    """A running Pub/Sub, with names that no other test uses."""

    _numbers = itertools.count()
    _run = secrets.token_hex(4)  # a server that outlives its tests knows the names of earlier runs

    def __init__(self, address: str, channel: grpc.aio.Channel) -> None:
        self.address = address
        self.channel = channel
        self.publisher = PublisherAsyncClient(transport=PublisherGrpcAsyncIOTransport(channel=channel))
        self.subscriber = SubscriberAsyncClient(transport=SubscriberGrpcAsyncIOTransport(channel=channel))
        self.schemas = SchemaServiceAsyncClient(transport=SchemaServiceGrpcAsyncIOTransport(channel=channel))

    def name(self, kind: str) -> str:
        """A name for a new resource; `kind` is its plural, as in "topics"."""
        return f"{PROJECT}/{kind}/{kind}-{self._run}-{next(self._numbers)}"

    async def topic(self, **fields: Any) -> str:
        """Create a topic."""
        topic = await self.publisher.create_topic(Topic({"name": self.name("topics"), **fields}))
        return topic.name

    async def subscription(self, topic: str, **fields: Any) -> str:
        """Create a subscription."""
        request = Subscription({"name": self.name("subscriptions"), "topic": topic, **fields})
        subscription = await self.subscriber.create_subscription(request)
        return subscription.name

    async def publish(
        self, topic: str, *data: str, key: str = "", attributes: dict[str, str] | None = None
    ) -> list[str]:
        """Publish texts in one request; gives their ids."""
        messages = [
            PubsubMessage(data=text.encode(), ordering_key=key, attributes=attributes or {}) for text in data
        ]
        response = await self.publisher.publish(topic=topic, messages=messages, retry=None)
        return list(response.message_ids)

    async def pull_once(self, subscription: str, limit: int = 100) -> list[ReceivedMessage]:
        """What one short pull gives, perhaps nothing."""
        try:
            response = await self.subscriber.pull(
                subscription=subscription, max_messages=limit, timeout=SILENCE_SECONDS, retry=None
            )
        except DeadlineExceeded:
            return []
        return list(response.received_messages)

    async def pull(self, subscription: str, count: int) -> list[ReceivedMessage]:
        """The next `count` messages, by as many pulls as it takes, none acknowledged."""
        messages: list[ReceivedMessage] = []
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(messages) < count:
                messages += await self.pull_once(subscription, count - len(messages))
        return messages

    async def consume(self, subscription: str, count: int) -> list[ReceivedMessage]:
        """The next `count` messages, each pull acknowledged before the next."""
        messages: list[ReceivedMessage] = []
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(messages) < count:
                pulled = await self.pull_once(subscription, count - len(messages))
                if pulled:
                    await self.acknowledge(subscription, pulled)
                messages += pulled
        return messages

    async def silence(self, subscription: str) -> None:
        """Make sure that a subscription has nothing to give."""
        assert texts(await self.pull_once(subscription)) == []

    async def drain(self, subscription: str) -> list[ReceivedMessage]:
        """Everything there is, each pull acknowledged before the next, until a pull gives nothing."""
        messages: list[ReceivedMessage] = []
        while pulled := await self.pull_once(subscription):
            await self.acknowledge(subscription, pulled)
            messages += pulled
        return messages

    async def acknowledge(self, subscription: str, messages: Iterable[ReceivedMessage]) -> None:
        """Acknowledge messages."""
        ack_ids = [message.ack_id for message in messages]
        await self.subscriber.acknowledge(subscription=subscription, ack_ids=ack_ids, retry=None)

    async def modify(self, subscription: str, messages: Iterable[ReceivedMessage], seconds: int) -> None:
        """Move deadlines to `seconds` from now."""
        ack_ids = [message.ack_id for message in messages]
        await self.subscriber.modify_ack_deadline(
            subscription=subscription, ack_ids=ack_ids, ack_deadline_seconds=seconds, retry=None
        )

    async def refuse(self, subscription: str, messages: Iterable[ReceivedMessage]) -> None:
        """Nack messages."""
        await self.modify(subscription, messages, 0)

    @contextlib.asynccontextmanager
    async def stream(self, subscription: str, **fields: Any) -> AsyncIterator[Stream]:
        """Open a raw StreamingPull; `fields` are of its first request."""
        requests: asyncio.Queue[StreamingPullRequest | None] = asyncio.Queue()
        first = {"subscription": subscription, "stream_ack_deadline_seconds": 10, **fields}
        await requests.put(StreamingPullRequest(first))

        async def outgoing() -> AsyncIterator[StreamingPullRequest]:
            while (request := await requests.get()) is not None:
                yield request

        call: Any = await self.subscriber.streaming_pull(outgoing(), timeout=60)
        stream = Stream(call, requests)
        try:
            yield stream
        finally:
            await requests.put(None)
            call.cancel()
            await asyncio.gather(stream.reader, return_exceptions=True)


def texts(messages: Iterable[ReceivedMessage]) -> list[str]:
    """The data of messages."""
    return [message.message.data.decode() for message in messages]


def published(message: ReceivedMessage) -> float:
    """When a message was published, in seconds since 1970."""
    return float(PubsubMessage.pb(message.message).publish_time.ToMicroseconds() / 1e6)


@contextlib.asynccontextmanager
async def bus_at(address: str) -> AsyncIterator[Bus]:
    """A bus on a running server."""
    options = (("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1))
    async with grpc.aio.insecure_channel(address, options=options) as channel:
        yield Bus(address, channel)
