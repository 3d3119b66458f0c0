"""Run one term of a replay, from acquiring its lease to its end, a pause, or losing the lease.

Invariants:

- Events are read in the order of the log, each exactly once per term; without a filter a hole ends the term.
- The checkpoint is the progress mark: it never passes an event that is neither published nor parked, a
  message is parked before it counts, and position and counts are written together.
- The number of events read and not yet settled is bounded, in messages, bytes and events, and with a rate
  limit by the events of one second: after an outage no larger burst is published.
- A replay uses a fifth of the relay's requests and pages, so that appends and the relay take precedence.
"""

import asyncio
import logging
from collections.abc import Sequence
from typing import Final

from event_store.errors import InvalidArgumentError, LogCorruptedError
from event_store.log.reader import SCAN_POSITIONS
from event_store.outbox.lease import statement
from event_store.outbox.paging import PageSize, hole_at
from event_store.outbox.parking import parked_row
from event_store.outbox.publish_loop import Pending, PublishLoop
from event_store.pubsub.event_message import Content, EventRow
from event_store.pubsub.publisher import Publisher
from event_store.replay import queries
from event_store.replay.lease import ReplayLease
from event_store.replay.progress import ReplayMark
from event_store.replay.rate_limit import RateLimit
from event_store.topology import RoutedTopic

REPLAY_WORKERS: Final = 20
PAGE_EVENTS: Final = 200
PAGE_BYTES: Final = 1 << 20  # of JSON text, as in a message
PENDING_MESSAGES: Final = 1000
PENDING_BYTES: Final = 8 << 20
# Settled events are tiny: later ones may be this far ahead of one that Pub/Sub does not accept.
AHEAD_EVENTS: Final = 20_000
RENEW_SECONDS: Final = 1.0  # also the delay until a pause takes effect
CHECKPOINT_SECONDS: Final = 0.25  # between two checkpoints; bounds the messages published again after a crash

logger = logging.getLogger(__name__)


class ReplayTerm:
    """Publishes a replay from its checkpoint on; implements the `Settlement` of its publish loop.

    Args:
        lease: The lease of the replay.
        publisher: The connection to Pub/Sub.
        topic: The topic to publish to.
        page_size: The number of events in a page.

    Attributes:
        began_at: When the term began, in seconds of the event loop's clock.
    """

    def __init__(
        self, lease: ReplayLease, publisher: Publisher, topic: RoutedTopic, page_size: PageSize
    ) -> None:
        position, published_events, parked_events, _ = lease.checkpointed
        self._lease = lease
        self._topic = topic
        self._page_size = page_size
        self._mark = ReplayMark(topic.path, position, published_events, parked_events)
        self._publish_loop = PublishLoop(lease, publisher, self, REPLAY_WORKERS)
        self._rate_limit = RateLimit(lease.events_per_second)
        self._most_pending = min(PENDING_MESSAGES, lease.events_per_second or PENDING_MESSAGES)
        self.began_at = asyncio.get_running_loop().time()
        self._stopping = asyncio.Event()
        self._has_moved = asyncio.Event()

    def stop(self) -> None:
        """End `run` after finishing requests in flight and writing the checkpoint. Repeating is harmless."""
        self._stopping.set()

    async def run(self) -> None:
        """Publish until the end of the replay, a pause or cancellation, or `stop`.

        Raises:
            LeaseLostError: Another owner holds the lease, or may hold it.
            LogCorruptedError: The log has a hole, or ends before the replay's last position.
            EventStoreError: The database is unavailable.
        """
        await self._publish_loop.run(self._stopping, self._read(), self._renew(), self._write_checkpoints())
        await self._write_checkpoint()

    async def park(self, pending: Pending, error: InvalidArgumentError) -> None:
        """Park a message that Pub/Sub rejects for good, see `Settlement`."""
        parked = parked_row(pending, error) | {"replay_id": self._lease.replay_id}
        async with statement():
            await self._lease.connection.execute(queries["replay_park"], parked)
        self._mark.park(pending.publication)
        logger.error("message rejected by Pub/Sub and parked", extra=parked)

    async def park_behind(self, request: Sequence[Pending]) -> bool:  # noqa: ARG002 # Settlement's
        """Return false: no ordering key is blocked, because `topics.py` rejects a topic that blocks."""
        return False

    def settled(self, request: Sequence[Pending]) -> None:
        """Advance the progress mark, see `Settlement`."""
        for pending in request:
            self._mark.settle(pending.publication)
        self._has_moved.set()

    async def _read(self) -> None:
        while self._mark.last_position < self._lease.to_position:
            rows, scanned = await self._page(self._mark.last_position + 1)
            for row in rows:
                await self._publish_loop.wait_while(self._is_full)
                await self._rate_limit.take()
                self._begin(row)
            self._mark.pass_over(scanned)
            self._has_moved.set()
        await self._publish_loop.drained()
        self.stop()

    def _is_full(self) -> bool:
        return (
            self._publish_loop.pending_messages >= self._most_pending
            or self._publish_loop.pending_bytes >= PENDING_BYTES
            or self._mark.ahead >= AHEAD_EVENTS
        )

    async def _page(self, first: int) -> tuple[list[EventRow], int]:
        """Read events that pass the filter; return them and the position up to which they are complete."""
        event_filter = self._lease.event_filter
        events = self._page_size.events
        positions = SCAN_POSITIONS if event_filter.is_selective else events
        parameters = event_filter.like_patterns() | {
            "first": first,
            "positions": positions,
            "end": self._lease.to_position,
            "events": events,
            "bytes": PAGE_BYTES,
        }
        rows, end = await self._page_size.read(self._lease.connection, "scan_log_forwards", parameters)
        if end.head_position < self._lease.to_position:
            raise LogCorruptedError(
                f"the replay ends at position {self._lease.to_position}, above the head of the log, "
                f"{end.head_position}: the log was restored from an older backup, so cancel the replay"
            )
        if end.more:
            scanned = rows[-1].global_position
        else:
            scanned = min(first + positions - 1, self._lease.to_position)
        if not event_filter.is_selective:
            _refuse_hole([row.global_position for row in rows], first, scanned)
        return rows, scanned

    def _begin(self, row: EventRow) -> None:
        message = Content.of(row).message(self._topic.ordering_key(row.aggregate_id), self._lease.replay_id)
        publication = self._mark.begin(row.global_position)
        self._publish_loop.add(message, row.event_id, publication)

    async def _renew(self) -> None:
        while self._lease.goes_on:
            await asyncio.sleep(RENEW_SECONDS)
            await self._lease.renew()
            self._has_moved.set()  # there may be a new error to write
        self.stop()

    async def _write_checkpoints(self) -> None:
        while True:
            await self._has_moved.wait()
            self._has_moved.clear()
            if self._checkpoint != self._lease.checkpointed:
                await self._write_checkpoint()
            await asyncio.sleep(CHECKPOINT_SECONDS)

    @property
    def _checkpoint(self) -> tuple[int, int, int, str]:
        mark, trouble = self._mark, self._publish_loop.trouble
        return mark.position, mark.published_events, mark.parked_events, trouble.get(self._topic.path, "")

    async def _write_checkpoint(self) -> None:
        await self._lease.checkpoint(*self._checkpoint)
        if not self._lease.goes_on:
            self.stop()


def _refuse_hole(positions: list[int], first: int, last: int) -> None:
    for expected, position in zip(range(first, last + 1), [*positions, 0], strict=False):
        if position != expected:
            raise hole_at(expected, "replayed")
