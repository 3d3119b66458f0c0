"""Messages on their way to Pub/Sub under a lease: what the relay and a replay have in common.

Invariants:

- Every request to Pub/Sub ends before the lease does, and is made in the belief to hold it.
- A stop ends the reading, then lets what was read be published for `DRAIN_SECONDS`, then ends the rest: what
  is not published by then is not settled.
- The first error of any part ends all parts, and is the error of the whole.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any, Final

from event_store.errors import EventStoreError
from event_store.outbox.lease import Lease, LeaseLostError
from event_store.outbox.publish_loop import Lanes, Pending
from event_store.pubsub.publisher import Publisher

PUBLISH_SECONDS: Final = 9.0
PUBLISH_MARGIN_SECONDS: Final = 1.0
DRAIN_SECONDS: Final = 3.0


class Outflow:
    """Publishes what is added to its lanes.

    Args:
        lease: The right to publish.
        publisher: To Pub/Sub.
        park: Sets a message aside for good, with the reason.
        settled: Called once for each message, after it was published or parked.
        workers: How many requests are in flight at the most.
        park_behind: Sets the next messages of a lane aside if it is blocked; by default none ever is.

    Attributes:
        lanes: The messages.
    """

    def __init__(
        self,
        lease: Lease,
        publisher: Publisher,
        park: Callable[[str, Pending, EventStoreError], Awaitable[None]],
        settled: Callable[[Pending], None],
        workers: int,
        park_behind: Callable[[str, Sequence[Pending]], Awaitable[bool]] | None = None,
    ) -> None:
        self.lanes = Lanes(self._publish, park, self._settled, park_behind or _never)
        self._lease = lease
        self._publisher = publisher
        self._on_settled = settled
        self._workers = workers
        self._has_moved = asyncio.Event()

    async def run(
        self, stopping: asyncio.Event, reading: Coroutine[Any, Any, None], *loops: Coroutine[Any, Any, None]
    ) -> None:
        """Publish until told to stop.

        Args:
            stopping: Set it to stop.
            reading: Adds to the lanes; the first to end.
            loops: Run until all is drained.

        Raises:
            EventStoreError: Whatever ended one of these first.
            LeaseLostError: The lease is another's, or may be.
        """
        try:
            async with asyncio.TaskGroup() as tasks:
                workers = [self.lanes.work() for _ in range(self._workers)]
                background = [tasks.create_task(each) for each in (*loops, *workers)]
                reader = tasks.create_task(reading)
                await stopping.wait()
                reader.cancel()
                self.lanes.release()
                with suppress(TimeoutError):
                    async with asyncio.timeout(DRAIN_SECONDS):
                        await self.drained()
                for task in background:
                    task.cancel()
        except ExceptionGroup as group:
            raise group.exceptions[0] from None  # the one that ended the others

    async def wait_while(self, is_full: Callable[[], bool]) -> None:
        """Wait for messages to be settled while there are too many."""
        while is_full():
            self._has_moved.clear()
            await self._has_moved.wait()

    async def drained(self) -> None:
        """Wait until every message is settled."""
        await self.wait_while(lambda: self.lanes.pending_messages > 0)

    async def _publish(self, topic: str, messages: Sequence[Any]) -> None:
        timeout_seconds = min(PUBLISH_SECONDS, self._lease.remaining_seconds - PUBLISH_MARGIN_SECONDS)
        if timeout_seconds <= 0:
            raise LeaseLostError("the lease was not renewed in time")
        await self._publisher.publish(topic, messages, timeout_seconds)

    def _settled(self, pending: Pending) -> None:
        self._on_settled(pending)
        self._has_moved.set()


async def _never(_topic: str, _request: Sequence[Pending]) -> bool:
    return False
