"""Run one leader term of the relay, from acquiring the lease to losing or releasing it.

Invariants:

- Events are read in the order of the log, each exactly once per term; a hole in the log ends the term.
- The checkpoint is the watermark: it never passes an event with a message that is neither published nor
  parked, and a message is parked before it counts. The same holds for each topic's own position, which may be
  ahead: events up to it are not published to the topic again.
- The number of events read and not yet settled is bounded, in messages, bytes and events.
- While the log has more events to read, new lanes are held back, because a request with one message costs as
  much as one with a hundred. Events at the end of the log are published at once.
"""

import asyncio
from collections.abc import Sequence
from typing import Final, NoReturn

from event_store.errors import InvalidArgumentError
from event_store.log.notifications import Wakeup
from event_store.outbox.lease import LEASE_SECONDS
from event_store.outbox.paging import PageSize, hole_at
from event_store.outbox.parking import Parking
from event_store.outbox.publish_loop import Pending, PublishLoop
from event_store.outbox.relay_lease import RelayLease
from event_store.outbox.watermark import Watermark
from event_store.pubsub.event_message import Content, EventRow
from event_store.pubsub.publisher import Publisher
from event_store.topology import Routing

WORKERS: Final = 100  # one connection to Google carries this many requests at once
PAGE_EVENTS: Final = 1000
PAGE_BYTES: Final = 1 << 20  # of JSON text, as in a message
PENDING_MESSAGES: Final = 10_000
PENDING_BYTES: Final = 32 << 20
_REFILL: Final = 0.5  # once full, reading continues at this share, so that several pages follow
# Settled events are tiny: later ones may be this far ahead of one that Pub/Sub does not accept.
AHEAD_EVENTS: Final = 100_000
CHECKPOINT_SECONDS: Final = 0.05  # between two checkpoints; bounds the messages published again after a crash


class Term:
    """Publishes the log from its lease's checkpoint on; implements the `Settlement` of its publish loop."""

    def __init__(
        self, lease: RelayLease, publisher: Publisher, routing: Routing, wakeup: Wakeup, page_size: PageSize
    ) -> None:
        self._lease = lease
        self._page_size = page_size
        self._routing = routing
        self._wakeup = wakeup
        paths = [topic.path for topic in routing.topics.values()]
        self._watermark = Watermark(lease.position, paths, lease.topic_positions)
        self._parking = Parking(lease, routing)
        self._publish_loop = PublishLoop(lease, publisher, self, WORKERS)
        self._has_moved = asyncio.Event()

    async def run(self, stopping: asyncio.Event) -> None:
        """Publish until told to stop; then finish requests in flight and write the last checkpoint.

        Raises:
            LeaseLostError: Another relay holds the lease, or may hold it.
            LogCorruptedError: The log has a hole.
            EventStoreError: The database is unavailable.
        """
        await self._parking.load()
        await self._publish_loop.run(
            stopping, self._read(), self._renew(), self._write_checkpoints(), self._wakeup.listen()
        )
        await self._write_checkpoint()

    async def park(self, pending: Pending, error: InvalidArgumentError) -> None:
        """Park a message that Pub/Sub rejects for good, see `Settlement`."""
        await self._parking.park(pending, error)

    async def park_behind(self, request: Sequence[Pending]) -> bool:
        """Park the next messages of an ordering key if the key is blocked, see `Settlement`."""
        return await self._parking.park_behind(request)

    def settled(self, request: Sequence[Pending]) -> None:
        """Advance the watermark, see `Settlement`."""
        for pending in request:
            self._watermark.settle(pending.publication)
        self._has_moved.set()

    async def _read(self) -> NoReturn:
        while True:
            if self._is_full():
                self._publish_loop.release()
                await self._publish_loop.wait_while(lambda: self._is_full(_REFILL))
            rows = await self._page(self._watermark.last_position + 1)
            if rows and rows[-1].global_position < rows[-1].head_position:
                self._publish_loop.keep_back()
            else:
                self._publish_loop.release()
            for row in rows:
                self._begin(row)
            if not rows:
                await self._wakeup.wait()

    def _is_full(self, share: float = 1.0) -> bool:
        return (
            self._publish_loop.pending_messages >= PENDING_MESSAGES * share
            or self._publish_loop.pending_bytes >= PENDING_BYTES * share
            or self._watermark.ahead >= AHEAD_EVENTS
        )

    async def _page(self, position: int) -> list[EventRow]:
        rows, end = await self._page_size.read(
            self._lease.connection, "read_all_forwards", (position, self._page_size.events, PAGE_BYTES)
        )
        if not rows and end.head_position >= position:
            raise hole_at(position)
        return rows

    def _begin(self, row: EventRow) -> None:
        if row.global_position != self._watermark.last_position + 1:
            raise hole_at(self._watermark.last_position + 1)
        self._watermark.advance()
        content: Content | None = None
        for topic in self._routing.topics_for(row.aggregate_type, row.event_type):
            publication = self._watermark.begin(topic.path)
            if publication is not None:
                content = content or Content.of(row)
                message = content.message(topic.ordering_key(row.aggregate_id))
                self._publish_loop.add(message, row.event_id, publication)
        if content is None:  # no message to wait for
            self._has_moved.set()

    async def _renew(self) -> NoReturn:
        while True:
            await asyncio.sleep(LEASE_SECONDS / 3)
            await self._lease.renew()
            self._has_moved.set()  # topics without messages may be ahead of a topic that accepts none

    async def _write_checkpoints(self) -> NoReturn:
        while True:
            await self._has_moved.wait()
            await asyncio.sleep(CHECKPOINT_SECONDS)  # so that a burst of events costs one checkpoint
            self._has_moved.clear()
            await self._write_checkpoint()

    async def _write_checkpoint(self) -> None:
        position, topics_ahead = self._watermark.position, self._watermark.topics_ahead()
        if (position, topics_ahead) != (self._lease.position, self._lease.topic_positions):
            await self._lease.checkpoint(position, topics_ahead)
