"""Messages on their way to Pub/Sub: in order within a lane, lanes beside each other.

Invariants:

- A lane is the messages of one topic and ordering key, in the order of the log. It is in the queue of ready
  lanes, or held by one worker, or waiting to try again, or new and kept back to fill up: never two of these,
  so it has one request in flight.
- A message leaves its lane when it is published or parked, never before. After a failure the lane therefore
  goes on with the first message that failed, and no other lane waits for it.
- What can never be published is found by halving the request until it is alone, and parked; its lane goes on,
  or is blocked: then all that follows is parked too, until it is unblocked.
- However many lanes there are, no more requests are in flight than there are workers.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final, NoReturn

from event_store.backoff import Backoff
from event_store.errors import EventStoreError, InvalidArgumentError, UnavailableError
from event_store.outbox.watermark import Delivery
from event_store.pubsub.publisher import REQUEST_BYTES, REQUEST_MESSAGES

WORKERS: Final = 100  # as many as one connection to Google carries at once
# Without an ordering key nothing has to wait: messages spread over this many lanes.
UNORDERED_LANES: Final = 8
_FIRST_WAIT_SECONDS: Final = 0.1
_LONGEST_WAIT_SECONDS: Final = 3.0
_REQUEST_OVERHEAD_BYTES: Final = 1024  # the topic's name, and each message's own length
_MESSAGE_OVERHEAD_BYTES: Final = 8

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Pending:
    """A message that is neither published nor parked.

    Attributes:
        message: The `PubsubMessage`.
        size_bytes: Its size in a request.
        event_id: The event's id.
        delivery: The event's way to its topic.
        attempts: How many requests for it could not be taken.
    """

    message: Any
    size_bytes: int
    event_id: str
    delivery: Delivery
    attempts: int = 0


@dataclass(slots=True)
class Lane:
    """The pending messages of one topic and ordering key, in order.

    Attributes:
        name: The topic, and the ordering key or the number of an unordered lane.
        pending: The messages.
        most_messages: How many the next request may carry; fewer after a refusal, to find the one.
        backoff: How long the lane waits after a failure.
    """

    name: tuple[str, str | int]
    pending: deque[Pending] = field(default_factory=deque)
    most_messages: int = REQUEST_MESSAGES
    backoff: Backoff = field(default_factory=lambda: Backoff(_FIRST_WAIT_SECONDS, _LONGEST_WAIT_SECONDS))

    @property
    def topic(self) -> str:
        """`projects/PROJECT/topics/NAME`."""
        return self.name[0]

    def next_request(self) -> list[Pending]:
        """Return the first messages, as many as a request may carry, at least one."""
        room_bytes = REQUEST_BYTES - _REQUEST_OVERHEAD_BYTES
        request: list[Pending] = []
        for pending in islice(self.pending, self.most_messages):
            room_bytes -= pending.size_bytes
            if request and room_bytes < 0:
                break
            request.append(pending)
        return request


class Lanes:
    """All lanes, and the workers that empty them.

    Args:
        publish: Publishes messages of one ordering key to a topic, all or none. Raises InvalidArgumentError
            for those that can never be published and UnavailableError for those that may be later.
        park: Sets a message of a topic aside, for a reason.
        settled: Is told of each message that was published or parked.
        park_behind: Sets the next messages of a lane aside if it is blocked, and says whether it is.

    Attributes:
        trouble: Of each topic that takes no messages now, why.
        pending_messages: How many are neither published nor parked.
        pending_bytes: What they take in requests.
    """

    def __init__(
        self,
        publish: Callable[[str, Sequence[Any]], Awaitable[None]],
        park: Callable[[str, Pending, EventStoreError], Awaitable[None]],
        settled: Callable[[Pending], None],
        park_behind: Callable[[str, Sequence[Pending]], Awaitable[bool]],
    ) -> None:
        self._publish = publish
        self._park = park
        self._settled = settled
        self._park_behind = park_behind
        self._lanes: dict[tuple[str, str | int], Lane] = {}
        self._ready: asyncio.Queue[Lane] = asyncio.Queue()
        self._kept_back: list[Lane] | None = None
        self.trouble: dict[str, str] = {}
        self.pending_messages = 0
        self.pending_bytes = 0

    def add(self, message: Any, event_id: str, delivery: Delivery) -> None:
        """Add a message behind those of its topic and ordering key."""
        name = (delivery.topic, message.ordering_key or delivery.position % UNORDERED_LANES)
        pending = Pending(message, message.ByteSize() + _MESSAGE_OVERHEAD_BYTES, event_id, delivery)
        self.pending_messages += 1
        self.pending_bytes += pending.size_bytes
        lane = self._lanes.get(name)
        if lane is not None:
            lane.pending.append(pending)
            return
        lane = self._lanes[name] = Lane(name, deque([pending]))
        if self._kept_back is not None:
            self._kept_back.append(lane)
        else:
            self._ready.put_nowait(lane)

    def keep_back(self) -> None:
        """Keep new lanes back until `release`, so that their first requests fill up."""
        if self._kept_back is None:
            self._kept_back = []

    def release(self) -> None:
        """Publish the lanes that were kept back, and new ones at once. Releasing twice is harmless."""
        kept_back, self._kept_back = self._kept_back, None
        for lane in kept_back or ():
            self._ready.put_nowait(lane)

    async def work(self) -> NoReturn:
        """Publish the messages of one ready lane after another, for ever."""
        while True:
            lane = await self._ready.get()
            request = lane.next_request()
            if await self._park_behind(lane.topic, request):
                self._settle(lane, request)
                lane.most_messages = REQUEST_MESSAGES
                self._go_on(lane)
                continue
            try:
                await self._publish(lane.topic, [pending.message for pending in request])
            except UnavailableError as error:
                self._wait(lane, request, error)
                continue
            except InvalidArgumentError as error:
                if len(request) > 1:
                    lane.most_messages = len(request) // 2
                else:
                    await self._park(lane.topic, request[0], error)
                    self._settle(lane, request)
            else:
                self._settle(lane, request)
                lane.most_messages = min(2 * lane.most_messages, REQUEST_MESSAGES)
                lane.backoff.reset()
                if self.trouble.pop(lane.topic, None):
                    logger.info("publishing again", extra={"topic": lane.topic})
            self._go_on(lane)

    def _wait(self, lane: Lane, request: list[Pending], error: UnavailableError) -> None:
        for pending in request:
            pending.attempts += 1
        if lane.topic not in self.trouble:
            logger.warning("cannot publish, trying again: %s", error, extra={"topic": lane.topic})
        self.trouble[lane.topic] = str(error)
        loop = asyncio.get_running_loop()
        loop.call_later(lane.backoff.next_seconds(), self._ready.put_nowait, lane)

    def _settle(self, lane: Lane, request: list[Pending]) -> None:
        for pending in request:
            lane.pending.popleft()
            self.pending_messages -= 1
            self.pending_bytes -= pending.size_bytes
            self._settled(pending)

    def _go_on(self, lane: Lane) -> None:
        if lane.pending:
            self._ready.put_nowait(lane)
        else:
            del self._lanes[lane.name]
