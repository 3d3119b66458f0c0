"""Hold the latest events of the log once for all followers of a process.

The log is polled; hints only shorten the wait, see `notifications.py`. A follower takes events by position,
so no follower has a queue. The events that a slow follower needs may no longer be held; it reads them from
the database.

Invariants:

- The held events are a part of the log without a hole, up to the last position that was read.
- The held events are bounded, in number and in bytes, for any number of followers.
- Without followers there is no polling and no listening, and no events are held.
- A failed read is retried forever and ends no subscription. `check_reading` reports it, as well as a read
  that has not ended for `READING_SECONDS`.
- After `stop` every wait ends and `check_serving` fails, which ends all subscriptions. Stopping twice is
  harmless.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from typing import Final, NoReturn

from event_store.backoff import Backoff
from event_store.errors import EventStoreError, StoppingError, UnavailableError
from event_store.log.notifications import Wakeup
from event_store.log.page import MESSAGE_BYTES, MESSAGE_EVENTS
from event_store.log.reader import Reader
from event_store.model.event_filter import EventFilter
from event_store.v1 import event_store_pb2 as pb

HELD_EVENTS: Final = 1_000
HELD_BYTES: Final = 8 * 1_048_576
READING_SECONDS: Final = (
    10.0  # a page takes milliseconds, and a connection that hangs is given up before this
)
_FIRST_WAIT_SECONDS: Final = 0.2
_LONGEST_WAIT_SECONDS: Final = 5.0
_EVERYTHING: Final = EventFilter()

logger = logging.getLogger(__name__)


class LiveLog:
    """Holds the end of the log, shared by the followers of one process.

    Args:
        reader: The reader of the log.
        wakeup: Signals when to read; listens only while there are followers.
    """

    def __init__(self, reader: Reader, wakeup: Wakeup) -> None:
        self._reader = reader
        self._wakeup = wakeup
        self._position = 0  # the last one that was read
        self._held: deque[pb.RecordedEvent] = deque()
        self._held_bytes = 0
        self._followers = 0
        self._is_followed = asyncio.Event()
        self._moved = asyncio.Event()
        self._failure: EventStoreError | None = None
        self._read_at = 0.0  # when a page was read last, by the loop's clock
        self._stopping = False

    def hint(self) -> None:
        """Wake the reader after the log has grown."""
        self._wakeup.hint()

    def stop(self) -> None:
        """End all subscriptions."""
        self._stopping = True
        self._tell()

    @contextmanager
    def followed(self, position: int) -> Iterator[None]:
        """Register a follower for the block; the first one determines the position to read from."""
        if not self._followers:
            self._position = position
            self._read_at = asyncio.get_running_loop().time()
            self._is_followed.set()
        self._followers += 1
        try:
            yield
        finally:
            self._followers -= 1
            if not self._followers:
                self._is_followed.clear()
                self._held.clear()
                self._held_bytes = 0
                self._failure = None
                self._wakeup.hint()

    def check_serving(self) -> None:
        """Check that the service is not stopping.

        Raises:
            StoppingError: The service is stopping.
        """
        if self._stopping:
            raise StoppingError("the service is stopping: subscribe again at the same checkpoint")

    def check_reading(self) -> None:
        """Check that the end of the log can be read.

        Raises:
            EventStoreError: The last read failed, or has not ended for `READING_SECONDS`.
        """
        if self._failure is not None:
            raise self._failure
        if asyncio.get_running_loop().time() - self._read_at > READING_SECONDS:
            raise UnavailableError(f"the end of the log was not readable for {READING_SECONDS:g} s")

    def take(self, position: int) -> list[pb.RecordedEvent] | None:
        """Return the next events after a position, as many as fit into a message; None if they are not held.

        The list is empty if there are no new events.
        """
        first = self._position - len(self._held) + 1
        if position < first - 1:
            return None
        start = max(0, position + 1 - first)
        events: list[pb.RecordedEvent] = []
        size_bytes = 0
        for event in islice(self._held, start, start + MESSAGE_EVENTS):
            size_bytes += _size_bytes(event)
            if events and size_bytes > MESSAGE_BYTES:
                break
            events.append(event)
        return events

    async def wait(self, position: int, deadline: float) -> None:
        """Wait for events after a position, until a deadline in seconds of the event loop's clock."""
        with suppress(TimeoutError):
            async with asyncio.timeout_at(deadline):
                while self._position <= position and not self._stopping:
                    await self._moved.wait()

    async def run(self) -> NoReturn:
        """Read the end of the log while there are followers, until cancelled."""
        while True:
            await self._is_followed.wait()
            listening = asyncio.create_task(self._wakeup.listen(), name="listener of the live log")
            try:
                await self._follow()
            finally:
                listening.cancel()
                await asyncio.wait([listening])

    async def _follow(self) -> None:
        backoff = Backoff(_FIRST_WAIT_SECONDS, _LONGEST_WAIT_SECONDS)
        while self._followers:
            try:
                async for response in self._reader.read_all(self._position + 1, 0, _EVERYTHING):
                    self._failure = None
                    self._read_at = asyncio.get_running_loop().time()
                    self._hold(response.events)
            except EventStoreError as error:
                logger.warning("cannot follow the log, retrying: %s", error)
                self._failure = error
                await asyncio.sleep(backoff.next_seconds())
            else:
                backoff.reset()
                await self._wakeup.wait()

    def _hold(self, events: Sequence[pb.RecordedEvent]) -> None:
        # Meanwhile the last follower may have left, and a new one may begin elsewhere.
        if not events or events[0].global_position != self._position + 1:
            return
        self._held.extend(events)
        self._held_bytes += sum(map(_size_bytes, events))
        self._position = events[-1].global_position
        while len(self._held) > HELD_EVENTS or self._held_bytes > HELD_BYTES:
            self._held_bytes -= _size_bytes(self._held.popleft())
        self._tell()

    def _tell(self) -> None:
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()


def _size_bytes(event: pb.RecordedEvent) -> int:
    return len(event.event_data) + len(event.metadata)
