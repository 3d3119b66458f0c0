"""A project of a running Pub/Sub, as the tests of the relay see it."""

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Final

import grpc
from google.api_core.exceptions import DeadlineExceeded
from google.pubsub_v1 import PublisherAsyncClient, SubscriberAsyncClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcAsyncIOTransport
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcAsyncIOTransport
from google.pubsub_v1.types import PubsubMessage, SeekRequest, Subscription, Topic

from event_store.topology import Ordering, Route, RoutedTopic, Routing

PATIENCE_SECONDS: Final = 20.0
_RETENTION: Final = timedelta(minutes=10)
_projects = count(1)


class Bus:
    """One project of a running Pub/Sub: topics `first` and `second`, each with an ordered subscription."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self.project = f"project-{next(_projects)}"
        self._publisher = PublisherAsyncClient(transport=PublisherGrpcAsyncIOTransport(channel=channel))
        self._subscriber = SubscriberAsyncClient(transport=SubscriberGrpcAsyncIOTransport(channel=channel))

    async def create(self, *topics: str) -> None:
        """Create topics, each with a subscription of its name."""
        for topic in topics:
            path = f"projects/{self.project}/topics/{topic}"
            await self._publisher.create_topic(Topic(name=path, message_retention_duration=_RETENTION))
            subscription = Subscription(
                name=self._subscription(topic),
                topic=path,
                enable_message_ordering=True,
                ack_deadline_seconds=60,
            )
            await self._subscriber.create_subscription(subscription)

    async def seek_to_the_beginning(self, topic: str) -> None:
        """Give its subscription what was published between the topic's creation and its own, too."""
        await self._subscriber.seek(
            SeekRequest(subscription=self._subscription(topic), time=datetime(2000, 1, 1, tzinfo=UTC))
        )

    async def delete(self, topic: str) -> None:
        """Delete a topic and its subscription."""
        await self._publisher.delete_topic(topic=f"projects/{self.project}/topics/{topic}")
        await self._subscriber.delete_subscription(subscription=self._subscription(topic))

    def routing(self, ordering: Ordering | None = None, unpublishable: str = "park") -> Routing:
        """Type `Both` goes to both topics, `First` and `Second` to one, everything else nowhere."""
        topics = {
            name: RoutedTopic(
                name, f"projects/{self.project}/topics/{name}", ordering or Ordering(), unpublishable
            )
            for name in ("first", "second")
        }
        routes = (
            Route("Both", "*", ("first", "second")),
            Route("First", "*", ("first",)),
            Route("Second", "*", ("second",)),
        )
        return Routing(topics, routes, "store-only")

    async def receive(self, topic: str, until: Callable[[list[PubsubMessage]], bool]) -> list[PubsubMessage]:
        """Receive and acknowledge the messages of a topic until there are enough."""
        messages: list[PubsubMessage] = []
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not until(messages):
                messages += await self._pull(topic)
        return messages

    async def receive_events(self, topic: str, positions: set[int]) -> list[PubsubMessage]:
        """Receive the messages of a topic until each of these positions has come at least once."""
        return await self.receive(topic, lambda messages: positions <= set(positions_of(messages)))

    async def rest(self, topic: str) -> list[PubsubMessage]:
        """Receive what is there now, to see that nothing is."""
        return await self._pull(topic)

    async def _pull(self, topic: str) -> list[PubsubMessage]:
        subscription = self._subscription(topic)
        try:
            response = await self._subscriber.pull(
                subscription=subscription, max_messages=1000, timeout=0.5, retry=None
            )
        except DeadlineExceeded:
            return []
        if response.received_messages:
            ack_ids = [received.ack_id for received in response.received_messages]
            await self._subscriber.acknowledge(subscription=subscription, ack_ids=ack_ids)
        return [received.message for received in response.received_messages]

    def _subscription(self, topic: str) -> str:
        return f"projects/{self.project}/subscriptions/{topic}"


@asynccontextmanager
async def bus_at(address: str, like: Bus | None = None) -> AsyncIterator[Bus]:
    """A new project, or one like another of a server that forgot it, with topics and subscriptions."""
    async with grpc.aio.insecure_channel(address) as channel:
        bus = Bus(channel)
        bus.project = like.project if like is not None else bus.project
        await bus.create("first", "second")
        yield bus


def positions_of(messages: list[PubsubMessage]) -> list[int]:
    """Return the global positions of messages, in their order."""
    return [int(message.attributes["global_position"]) for message in messages]


def assert_in_order(messages: list[PubsubMessage]) -> None:
    """Each event first comes after the one before it of its ordering key."""
    versions: dict[str, int] = defaultdict(int)
    for message in messages:
        data = json.loads(message.data)
        aggregate_id, version = data["aggregate_id"], data["event_version"]
        assert version <= versions[aggregate_id] + 1, "an event came before the one before it"
        versions[aggregate_id] = max(versions[aggregate_id], version)
