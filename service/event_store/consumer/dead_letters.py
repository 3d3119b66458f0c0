"""Dead letters: look at them, send them again, or throw them away.

Invariants:

- Looking consumes nothing: what was pulled is given back before a call ends, whatever happens. A process that
  dies in between keeps its letters from others for HOLD_SECONDS, no longer.
- A letter is acknowledged only after its event was published again, so it is redriven at least once: a crash
  between the two leaves the letter, and a consumer that counts versions drops what comes twice.
- Letters are redriven in the order of the log, one after the other; the first that cannot be published ends
  it, and it and all after it stay.
- A call ends: a pull waits for `quiet_seconds` and all of them take LONGEST_SECONDS at the most.
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
_LAST_SECONDS: Final = 0.2  # a pull for less is not worth its way
# Attributes that Google adds, of which it refuses some from a publisher.
_GOOGLES: Final = ("CloudPubSubDeadLetter", "googclient_")
_COUNT: Final = "CloudPubSubDeadLetterSourceDeliveryCount"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A message that its subscription gave up.

    Attributes:
        data: The event as JSON.
        attributes: The event's own attributes, as `event_type`, without those that Google adds.
        ordering_key: The message's ordering key; empty for none.
        delivery_attempts: How often it was delivered in vain; 0 if Pub/Sub does not say.
        dead_since: When it became a dead letter; in UTC.
        ack_id: Under which it is held, while it is.
    """

    data: bytes
    attributes: Mapping[str, str]
    ordering_key: str
    delivery_attempts: int
    dead_since: datetime
    ack_id: str = field(repr=False)

    @property
    def event_id(self) -> str:
        """The event's id; empty if it is no event of ours."""
        return self.attributes.get("event_id", "")

    @classmethod
    def of(cls, received: Any) -> "DeadLetter":
        """Return the letter in a `ReceivedMessage`."""
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
        """What letters are sorted by: the event's place in the log."""
        position = self.attributes.get("global_position", "")
        return int(position) if position.isdecimal() else 0, self.dead_since


class DeadLetters:
    """The dead letters of a subscription, to be used as `async with DeadLetters(...) as letters`.

    Each call looks at all letters that Pub/Sub gives, at least once each; `is_complete` tells afterwards
    whether there may be more.
    """

    def __init__(self, subscription: Subscription, project: str, *, quiet_seconds: float = 3) -> None:
        """Describe where the letters are.

        Args:
            subscription: A subscription of the topology, the one that gave them up.
            project: The Google Cloud project's id.
            quiet_seconds: How long no further letter must come until all are taken to be there; above 0, at
                most a week.

        Raises:
            InvalidArgumentError: The time is out of its range.
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
        """Return letters in the order of the log, and leave them where they are.

        Args:
            event_ids: Only those of these events; none is all.
            limit: How many at the most, 1 to 1,000.

        Raises:
            ConfigurationError: There is no such subscription, or no right to it.
            UnavailableError: Pub/Sub is away.
        """
        async with self._held(event_ids, limit) as held:
            return tuple(held.values())

    async def redrive(
        self, event_ids: Collection[str] = (), limit: int = 100
    ) -> AsyncGenerator[DeadLetter, None]:
        """Publish letters to the subscription's topic again; yield each that is done.

        They keep data, ordering key and attributes, and get the attribute `redriven_from` with the
        subscription's name, by which other subscriptions of the topic can tell that it is not for them.

        Args:
            event_ids: Only those of these events; none is all.
            limit: How many at the most, 1 to 1,000.

        Raises:
            InvalidArgumentError: Pub/Sub can never take a letter; it and those after it are where they were.
            ConfigurationError: As for `peek`.
            UnavailableError: Pub/Sub is away; what was not yielded is where it was.
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
        """Throw letters away for good and return them. Their events stay in the log.

        Args:
            event_ids: Only those of these events; none is all.
            limit: How many at the most, 1 to 1,000.

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
        """Hold letters by their ack ids, in order; in the end give back what is left of them."""
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
            with suppress(EventStoreError):  # they come back by themselves, only later
                await self._subscriber.hold(self._source, [*wanted, *others], 0)

    async def _pull(self, most: int) -> Sequence[Any]:
        """Return the next letters, none if none come for a while. Pub/Sub may say so before: ask again."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._quiet_seconds
        while True:
            received = await self._subscriber.pull(
                self._source, most, max(deadline - loop.time(), _LAST_SECONDS)
            )
            if received or deadline - loop.time() < _LAST_SECONDS:
                return received
