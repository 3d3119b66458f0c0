"""One relay's time in office: from acquiring the lease to losing or releasing it.

Invariants:

- Events are read in the order of the log, each exactly once a term, without a hole: a hole ends the term.
- The checkpoint is the watermark: it never passes an event of which a message is neither published nor
  parked, and a parked message is in its table before that. So is each topic's own position, which may be
  further: what a topic has up to there is not published to it again.
- Every request to Pub/Sub ends before the lease does, and is made in the belief to hold it.
- What is read and not yet settled is bounded, in messages, bytes and events.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from event_store.database import queries
from event_store.errors import LogCorruptedError, UnavailableError
from event_store.lanes import WORKERS, Lanes, Pending
from event_store.lease import LEASE_SECONDS, Lease, LeaseLostError, statement
from event_store.message import Content, EventRow
from event_store.parking import Parking
from event_store.publisher import Publisher
from event_store.topology import Routing
from event_store.wakeup import Wakeup
from event_store.watermark import Watermark

PAGE_EVENTS: Final = 1000
PAGE_BYTES: Final = 1 << 20  # as stored, which may be several times less than in a message
PENDING_MESSAGES: Final = 5000
PENDING_BYTES: Final = 32 << 20
# Settled events are tiny: others may go this far beyond one that Pub/Sub does not take.
AHEAD_EVENTS: Final = 100_000
PUBLISH_SECONDS: Final = 9.0
PUBLISH_MARGIN_SECONDS: Final = 1.0
CHECKPOINT_SECONDS: Final = 0.05  # between two checkpoints; how much a crash may publish again
DRAIN_SECONDS: Final = 3.0


@dataclass(slots=True)
class PageSize:
    """How many events the next page asks for; it outlives a term that ends because a page took too long."""

    events: int = PAGE_EVENTS

    def shrink(self) -> None:
        """After a page that was not read in time."""
        self.events = max(1, self.events // 4)

    def grow(self) -> None:
        """After one that was."""
        self.events = min(PAGE_EVENTS, self.events * 2)


class Term:
    """Publishes the log from its lease's checkpoint on."""

    def __init__(
        self, lease: Lease, publisher: Publisher, routing: Routing, wakeup: Wakeup, page_size: PageSize
    ) -> None:
        self._lease = lease
        self._page_size = page_size
        self._publisher = publisher
        self._routing = routing
        self._wakeup = wakeup
        paths = [topic.path for topic in routing.topics.values()]
        self._watermark = Watermark(lease.position, paths, lease.topic_positions)
        self._parking = Parking(lease, routing)
        self._lanes = Lanes(self._publish, self._parking.park, self._settled, self._parking.park_behind)
        self._has_room = asyncio.Event()
        self._has_moved = asyncio.Event()

    async def run(self, stopping: asyncio.Event) -> None:
        """Publish until told to stop; then let requests in flight end and write the last checkpoint.

        Raises:
            LeaseLostError: Another relay holds the lease, or may hold it.
            LogCorruptedError: The log has a hole.
            EventStoreError: The database is away.
        """
        await self._parking.load()
        try:
            async with asyncio.TaskGroup() as tasks:
                loops = [self._renew(), self._write_checkpoints(), self._wakeup.listen()]
                workers = [self._lanes.work() for _ in range(WORKERS)]
                background = [tasks.create_task(each) for each in (*loops, *workers)]
                reading = tasks.create_task(self._read())
                await stopping.wait()
                reading.cancel()
                with suppress(TimeoutError):
                    async with asyncio.timeout(DRAIN_SECONDS):
                        await self._drained()
                for task in background:
                    task.cancel()
        except ExceptionGroup as group:
            raise group.exceptions[0] from None  # the one that ended the others
        await self._write_checkpoint()

    async def _read(self) -> NoReturn:
        while True:
            while self._is_full():
                self._has_room.clear()
                await self._has_room.wait()
            rows = await self._page(self._watermark.last_position + 1)
            for row in rows:
                self._begin(row)
            if not rows:
                await self._wakeup.wait()

    def _is_full(self) -> bool:
        return (
            self._lanes.pending_messages >= PENDING_MESSAGES
            or self._lanes.pending_bytes >= PENDING_BYTES
            or self._watermark.ahead >= AHEAD_EVENTS
        )

    async def _page(self, position: int) -> list[EventRow]:
        try:
            async with statement():
                cursor = await self._lease.connection.execute(
                    queries["read_all_forwards"], (position, self._page_size.events, PAGE_BYTES)
                )
                rows = await cursor.fetchall()
        except UnavailableError:
            self._page_size.shrink()
            raise
        self._page_size.grow()
        head_position, event_id, *_ = rows[0]
        if event_id is not None:
            return [EventRow._make(row) for row in rows]
        if head_position >= position:
            raise _corrupted(position)
        return []  # a page without events is one row without an event

    def _begin(self, row: EventRow) -> None:
        if row.global_position != self._watermark.last_position + 1:
            raise _corrupted(self._watermark.last_position + 1)
        self._watermark.advance()
        self._has_moved.set()  # an event without topics is settled already
        content: Content | None = None
        for topic in self._routing.topics_for(row.aggregate_type, row.event_type):
            delivery = self._watermark.begin(topic.path)
            if delivery is not None:
                content = content or Content.of(row)
                message = content.message(topic.ordering_key(row.aggregate_id))
                self._lanes.add(message, row.event_id, delivery)

    async def _publish(self, topic: str, messages: Sequence[Any]) -> None:
        timeout_seconds = min(PUBLISH_SECONDS, self._lease.remaining_seconds - PUBLISH_MARGIN_SECONDS)
        if timeout_seconds <= 0:
            raise LeaseLostError("the lease was not renewed in time")
        await self._publisher.publish(topic, messages, timeout_seconds)

    def _settled(self, pending: Pending) -> None:
        self._watermark.settle(pending.delivery)
        self._has_room.set()
        self._has_moved.set()

    async def _renew(self) -> NoReturn:
        while True:
            await asyncio.sleep(LEASE_SECONDS / 3)
            async with statement():
                await self._lease.renew()

    async def _write_checkpoints(self) -> NoReturn:
        while True:
            await self._has_moved.wait()
            self._has_moved.clear()
            await self._write_checkpoint()
            await asyncio.sleep(CHECKPOINT_SECONDS)

    async def _write_checkpoint(self) -> None:
        position, topics_ahead = self._watermark.position, self._watermark.topics_ahead()
        if (position, topics_ahead) != (self._lease.position, self._lease.topic_positions):
            async with statement():
                await self._lease.checkpoint(position, topics_ahead)

    async def _drained(self) -> None:
        while self._lanes.pending_messages:
            self._has_room.clear()
            await self._has_room.wait()


def _corrupted(position: int) -> LogCorruptedError:
    return LogCorruptedError(
        f"the log has no event at position {position}, and nothing is published beyond it: "
        "find out who deleted it, and restore the database to a time before"
    )
