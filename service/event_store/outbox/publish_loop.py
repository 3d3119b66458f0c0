"""Publish messages to Pub/Sub with a lease, for the relay and for replays.

A term adds messages; the loop publishes them and reports each one to the term's `Settlement`.

Invariants:

- A lane holds the messages of one topic and ordering key, in the order of the log. A lane is either in the
  queue of ready lanes, held by one worker, waiting for a retry, or new and held back to fill up. So it has at
  most one request in flight.
- A message leaves its lane when it is published or parked, never before. After a failure a lane therefore
  continues with the first failed message, and no other lane waits for it.
- A rejected message is found by halving the request until it is alone, and is parked. Then its lane continues
  or is blocked; the later messages of a blocked lane are parked, too, until it is unblocked.
- The number of workers bounds the requests in flight, for any number of lanes.
- Every request starts while the lease is held, and ends before the lease does.
- A stop ends the reading. The messages read so far have `DRAIN_SECONDS` to be published; the others stay
  unsettled.
- The first error of any part ends all parts, and is raised.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final, NoReturn, Protocol

from event_store.backoff import Backoff
from event_store.errors import InvalidArgumentError, UnavailableError
from event_store.outbox.lease import Lease, LeaseLostError
from event_store.outbox.watermark import Publication
from event_store.pubsub.publisher import REQUEST_BYTES, REQUEST_MESSAGES, Publisher

PUBLISH_SECONDS: Final = 9.0
PUBLISH_MARGIN_SECONDS: Final = 1.0
DRAIN_SECONDS: Final = 3.0
# Messages without an ordering key are spread over this many lanes.
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
        size_bytes: The size of the message in a request.
        event_id: The UUID of the event.
        publication: The publication of the event to its topic.
        attempts: The number of failed requests with this message.
    """

    message: Any
    size_bytes: int
    event_id: str
    publication: Publication
    attempts: int = 0


@dataclass(slots=True)
class Lane:
    """The pending messages of one topic and ordering key, in order.

    Attributes:
        name: The topic, and the ordering key or the number of an unordered lane.
        pending: The messages.
        most_messages: The highest number of messages in the next request; lower after a rejection, to find
            the rejected message.
        backoff: The waits after failures.
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
        """Return the first messages for a request, as many as fit, at least one."""
        room_bytes = REQUEST_BYTES - _REQUEST_OVERHEAD_BYTES
        request: list[Pending] = []
        for pending in islice(self.pending, self.most_messages):
            room_bytes -= pending.size_bytes
            if request and room_bytes < 0:
                break
            request.append(pending)
        return request


class Settlement(Protocol):
    """The owner of a publish loop, which parks messages and counts the settled ones."""

    async def park(self, pending: Pending, error: InvalidArgumentError) -> None:
        """Park a message that Pub/Sub rejects for good.

        Raises:
            LeaseLostError: Another owner holds the lease.
            EventStoreError: The database is unavailable.
        """

    async def park_behind(self, request: Sequence[Pending]) -> bool:
        """Park the next messages of a lane if the lane is blocked; return whether it is.

        Raises:
            EventStoreError: The database is unavailable.
        """

    def settled(self, request: Sequence[Pending]) -> None:
        """Count the first messages of a lane as settled: they were published or parked."""


class PublishLoop:
    """Publishes the messages that are added to it.

    Args:
        lease: The lease that allows publishing.
        publisher: The connection to Pub/Sub.
        settlement: Parks and counts the messages, each once.
        workers: The highest number of requests in flight.

    Attributes:
        trouble: The last error of each topic that accepts no messages at the moment.
        pending_messages: The number of messages that are neither published nor parked.
        pending_bytes: Their size in requests.
    """

    def __init__(self, lease: Lease, publisher: Publisher, settlement: Settlement, workers: int) -> None:
        self._lease = lease
        self._publisher = publisher
        self._settlement = settlement
        self._workers = workers
        self._lanes: dict[tuple[str, str | int], Lane] = {}
        self._ready: asyncio.Queue[Lane] = asyncio.Queue()
        self._kept_back: list[Lane] | None = None
        self._has_moved = asyncio.Event()
        self.trouble: dict[str, str] = {}
        self.pending_messages = 0
        self.pending_bytes = 0

    async def run(
        self, stopping: asyncio.Event, reading: Coroutine[Any, Any, None], *loops: Coroutine[Any, Any, None]
    ) -> None:
        """Publish until told to stop.

        Args:
            stopping: The event that stops the loop.
            reading: The coroutine that adds messages; it is cancelled first.
            loops: Further coroutines, which run until all messages are drained.

        Raises:
            EventStoreError: The first error of these coroutines or of a worker.
            LeaseLostError: Another owner holds the lease, or may hold it.
        """
        try:
            async with asyncio.TaskGroup() as tasks:
                workers = [self._work() for _ in range(self._workers)]
                background = [tasks.create_task(each) for each in (*loops, *workers)]
                reader = tasks.create_task(reading)
                await stopping.wait()
                reader.cancel()
                self.release()
                with suppress(TimeoutError):
                    async with asyncio.timeout(DRAIN_SECONDS):
                        await self.drained()
                for task in background:
                    task.cancel()
        except ExceptionGroup as group:
            raise group.exceptions[0] from None  # the one that ended the others

    def add(self, message: Any, event_id: str, publication: Publication) -> None:
        """Add a message to the lane of its topic and ordering key."""
        name = (publication.topic, message.ordering_key or publication.position % UNORDERED_LANES)
        pending = Pending(message, message.ByteSize() + _MESSAGE_OVERHEAD_BYTES, event_id, publication)
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
        """Hold new lanes back until `release`, so that their first requests fill up."""
        if self._kept_back is None:
            self._kept_back = []

    def release(self) -> None:
        """Publish held-back lanes now, and new lanes at once. Releasing twice is harmless."""
        kept_back, self._kept_back = self._kept_back, None
        for lane in kept_back or ():
            self._ready.put_nowait(lane)

    async def wait_while(self, is_full: Callable[[], bool]) -> None:
        """Wait until enough messages are settled that `is_full` returns false."""
        while is_full():
            self._has_moved.clear()
            await self._has_moved.wait()

    async def drained(self) -> None:
        """Wait until every message is settled."""
        await self.wait_while(lambda: self.pending_messages > 0)

    async def _work(self) -> NoReturn:
        """Publish the messages of one ready lane after another, forever."""
        while True:
            lane = await self._ready.get()
            request = lane.next_request()
            if await self._settlement.park_behind(request):
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
                    await self._settlement.park(request[0], error)
                    self._settle(lane, request)
            else:
                self._settle(lane, request)
                lane.most_messages = min(2 * lane.most_messages, REQUEST_MESSAGES)
                lane.backoff.reset()
                if self.trouble.pop(lane.topic, None):
                    logger.info("publishing again", extra={"topic": lane.topic})
            self._go_on(lane)

    async def _publish(self, topic: str, messages: Sequence[Any]) -> None:
        timeout_seconds = min(PUBLISH_SECONDS, self._lease.remaining_seconds - PUBLISH_MARGIN_SECONDS)
        if timeout_seconds <= 0:
            raise LeaseLostError("the lease may have expired: it was not renewed in time")
        await self._publisher.publish(topic, messages, timeout_seconds)

    def _wait(self, lane: Lane, request: list[Pending], error: UnavailableError) -> None:
        for pending in request:
            pending.attempts += 1
        if lane.topic not in self.trouble:
            logger.warning("cannot publish, retrying: %s", error, extra={"topic": lane.topic})
        self.trouble[lane.topic] = str(error)
        loop = asyncio.get_running_loop()
        loop.call_later(lane.backoff.next_seconds(), self._ready.put_nowait, lane)

    def _settle(self, lane: Lane, request: list[Pending]) -> None:
        for pending in request:
            lane.pending.popleft()
            self.pending_bytes -= pending.size_bytes
        self.pending_messages -= len(request)
        self._settlement.settled(request)
        self._has_moved.set()

    def _go_on(self, lane: Lane) -> None:
        if lane.pending:
            self._ready.put_nowait(lane)
        else:
            del self._lanes[lane.name]
