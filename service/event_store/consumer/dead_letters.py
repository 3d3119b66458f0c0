"""Peek at, redrive or purge the dead letters of a subscription.

Invariants:

- Peeking consumes nothing: pulled letters are returned before a call ends, even with an error. If the process
  dies, its letters are hidden from others for at most HOLD_SECONDS.
- A letter is acknowledged only after its event was published again, so it is redriven at least once. A crash
  between the two leaves the letter, and a projection skips the duplicate.
- Letters are redriven one at a time, in the order of the log. The first one that cannot be published ends the
  call; this letter and all later ones stay.
- A call ends: a pull waits for `quiet_seconds`, and all pulls take at most LONGEST_SECONDS.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Final, Self

from event_store.errors import EventStoreError
from event_store.model import arguments
from event_store.pubsub.messages_pb2 import PubsubMessage
from event_store.pubsub.publisher import Publisher
from event_store.pubsub.subscriber import Subscriber
from event_store.topology import Subscription

HOLD_SECONDS: Final = 120
LONGEST_SECONDS: Final = 60.0
MOST_LETTERS: Final = 1000
REDRIVEN_FROM: Final = "redriven_from"
_LIMITS: Final = (1, MOST_LETTERS)
_PUBLISH_SECONDS: Final = 10.0
_LAST_SECONDS: Final = 0.2  # the shortest useful pull
# Attributes that Google adds; it rejects some of them from a publisher.
_GOOGLES: Final = ("CloudPubSubDeadLetter", "googclient_")
_COUNT: Final = "CloudPubSubDeadLetterSourceDeliveryCount"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A message whose delivery attempts were used up.

    Attributes:
        data: The event as JSON.
        attributes: The event's own attributes, such as `event_type`, without those that Google adds.
        ordering_key: The message's ordering key; empty for none.
        delivery_attempts: The number of failed delivery attempts; 0 if Pub/Sub does not tell.
        dead_since: When the message became a dead letter, in UTC.
        ack_id: The ack id, valid while the message is held.
    """

    data: bytes
    attributes: Mapping[str, str]
    ordering_key: str
    delivery_attempts: int
    dead_since: datetime
    ack_id: str = field(repr=False)

    @property
    def event_id(self) -> str:
        """The UUID of the event; empty if the message is not an event of the store."""
        return self.attributes.get("event_id", "")

    @classmethod
    def of(cls, received: Any) -> "DeadLetter":
        """Convert a `ReceivedMessage`."""
        message = received.message
        return cls(
            data=message.data,
            attributes={
                name: value for name, value in message.attributes.items() if not name.startswith(_GOOGLES)
            },
            ordering_key=message.ordering_key,
            delivery_attempts=int(message.attributes.get(_COUNT) or 0),
            dead_since=message.publish_time.ToDatetime(UTC),
            ack_id=received.ack_id,
        )

    @property
    def place(self) -> tuple[int, datetime]:
        """The sort key of letters: the event's position in the log, then the time."""
        position = self.attributes.get("global_position", "")
        return int(position) if position.isdecimal() else 0, self.dead_since


class DeadLetters:
    """The dead letters of a subscription: `async with DeadLetters(...) as letters`.

    Each call pulls letters until Pub/Sub has no more or the limit is reached.

    Attributes:
        is_complete: Whether the last call has pulled all letters; False if there may be more.
    """

    def __init__(self, subscription: Subscription, project: str, *, quiet_seconds: float = 3) -> None:
        """Configure the access to the dead letters of a subscription.

        Args:
            subscription: The subscription of the topology whose attempts were used up.
            project: The id of the Google Cloud project.
            quiet_seconds: The time without a further letter after which a pull is complete; above 0, at most
                604,800.

        Raises:
            InvalidArgumentError: `quiet_seconds` is out of its range.
        """
        self.is_complete = True
        self._name = subscription.name
        self._source = f"projects/{project}/subscriptions/{subscription.dead_letter_name}"
        self._topic = f"projects/{project}/topics/{subscription.topic}"
        self._quiet_seconds = arguments.seconds(quiet_seconds, "quiet_seconds")
        self._subscriber = Subscriber()
        self._publisher = Publisher()

    async def __aenter__(self) -> Self:
        await self._subscriber.open()
        await self._publisher.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._subscriber.close()
        await self._publisher.close()

    async def peek(self, event_ids: Collection[str] = (), limit: int = 100) -> tuple[DeadLetter, ...]:
        """Return letters in the order of the log, and leave them in place.

        Args:
            event_ids: The events whose letters to return; empty for all.
            limit: The highest number of letters, 1 to 1,000.

        Raises:
            ConfigurationError: The subscription does not exist, or this identity may not pull from it.
            UnavailableError: Pub/Sub is unreachable.
        """
        async with self._held(event_ids, limit) as held:
            return tuple(held.values())

    async def redrive(
        self, event_ids: Collection[str] = (), limit: int = 100
    ) -> AsyncGenerator[DeadLetter, None]:
        """Publish letters to the subscription's topic again; yield each published letter.

        A message keeps its data, ordering key and attributes. Its attribute `redriven_from` has the name of
        the subscription, so that other subscriptions of the topic can filter it out.

        Args:
            event_ids: The events whose letters to publish; empty for all.
            limit: The highest number of letters, 1 to 1,000.

        Raises:
            InvalidArgumentError: Pub/Sub rejects a letter for good; this letter and all later ones stay.
            ConfigurationError: As for `peek`.
            UnavailableError: Pub/Sub is unreachable; letters that were not yielded stay.
        """
        deadline = asyncio.get_running_loop().time() + LONGEST_SECONDS
        async with self._held(event_ids, limit) as held:
            for ack_id, letter in list(held.items()):
                if asyncio.get_running_loop().time() >= deadline:
                    self.is_complete = False
                    return
                message = PubsubMessage(
                    data=letter.data,
                    attributes={**letter.attributes, REDRIVEN_FROM: self._name},
                    ordering_key=letter.ordering_key,
                )
                await self._publisher.publish(self._topic, [message], _PUBLISH_SECONDS)
                await self._subscriber.acknowledge(self._source, [ack_id])
                del held[ack_id]
                yield letter

    async def purge(self, event_ids: Collection[str] = (), limit: int = 100) -> tuple[DeadLetter, ...]:
        """Delete letters for good and return them. Their events stay in the log.

        Args:
            event_ids: The events whose letters to delete; empty for all.
            limit: The highest number of letters, 1 to 1,000.

        Raises:
            EventStoreError: As for `peek`.
        """
        async with self._held(event_ids, limit) as held:
            letters = tuple(held.values())
            await self._subscriber.acknowledge(self._source, list(held))
            held.clear()
            return letters

    @asynccontextmanager
    async def _held(self, event_ids: Collection[str], limit: int) -> AsyncIterator[dict[str, DeadLetter]]:
        """Pull and hold letters, in order by ack id; return the remaining ones to Pub/Sub in the end."""
        event_ids = frozenset(arguments.texts(event_ids, "event_ids"))
        arguments.whole(limit, "limit", *_LIMITS)
        wanted: dict[str, DeadLetter] = {}
        others: list[str] = []
        deadline = asyncio.get_running_loop().time() + LONGEST_SECONDS / 2
        self.is_complete = True
        try:
            while received := await self._pull(MOST_LETTERS if event_ids else limit - len(wanted)):
                await self._subscriber.hold(self._source, [each.ack_id for each in received], HOLD_SECONDS)
                for letter in map(DeadLetter.of, received):
                    if len(wanted) < limit and (not event_ids or letter.event_id in event_ids):
                        wanted[letter.ack_id] = letter
                    else:
                        others.append(letter.ack_id)
                if len(wanted) == limit or asyncio.get_running_loop().time() >= deadline:
                    self.is_complete = False
                    break
            wanted = dict(sorted(wanted.items(), key=lambda each: each[1].place))
            yield wanted
        finally:
            with suppress(EventStoreError):  # their deadline returns them later
                await self._subscriber.hold(self._source, [*wanted, *others], 0)

    async def _pull(self, most: int) -> Sequence[Any]:
        """Pull the next letters; return none only after `quiet_seconds`, as Pub/Sub may answer earlier."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._quiet_seconds
        while True:
            received = await self._subscriber.pull(
                self._source, most, max(deadline - loop.time(), _LAST_SECONDS)
            )
            if received or deadline - loop.time() < _LAST_SECONDS:
                return received
