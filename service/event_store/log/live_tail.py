"""The latest events of the log, kept once for all who follow it.

Polling is the truth and hints only make it sooner, see `notifications.py`. What a follower takes it takes by
position, so that there is no queue for anybody: who is too slow finds that its events are not held any more,
and reads them from the database.

Invariants:

- What is held is a part of the log without a hole, up to the last position that was read.
- It is bounded, in events and in bytes, whoever follows.
- While nobody follows there is no polling, no listening and nothing held.
- A failed read is retried forever. It ends nobody's following, but `check_reading` tells of it, and
  of a read that has not ended for `READING_SECONDS`.
- After `stop` every wait ends and `check_serving` fails, which ends all following. Stopping twice is
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
    """The end of the log, as the followers of one process share it.

    Args:
        reader: Reads the log.
        wakeup: Says when to; listens only while somebody follows.
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
        """Say that the log has grown."""
        self._wakeup.hint()

    def stop(self) -> None:
        """End all following."""
        self._stopping = True
        self._tell()

    @contextmanager
    def followed(self, position: int) -> Iterator[None]:
        """Have the log followed, from a position on if nobody else does so already."""
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
        """End what follows the log once the service stops.

        Raises:
            StoppingError: It does.
        """
        if self._stopping:
            raise StoppingError("the service is stopping: subscribe again at the same checkpoint")

    def check_reading(self) -> None:
        """Tell whether the log is read as it should be.

        Raises:
            EventStoreError: What is in the way.
        """
        if self._failure is not None:
            raise self._failure
        if asyncio.get_running_loop().time() - self._read_at > READING_SECONDS:
            raise UnavailableError(f"the end of the log could not be read for {READING_SECONDS:g} s")

    def take(self, position: int) -> list[pb.RecordedEvent] | None:
        """Return the next events after a position, as many as fit into a message; None if they are not held.

        There are none if there is nothing new.
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
        """Wait for events after a position, but no longer than to a time of the loop's clock."""
        with suppress(TimeoutError):
            async with asyncio.timeout_at(deadline):
                while self._position <= position and not self._stopping:
                    await self._moved.wait()

    async def run(self) -> NoReturn:
        """Follow the log while somebody wants it, until cancelled."""
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
                logger.warning("cannot follow the log, trying again: %s", error)
                self._failure = error
                await asyncio.sleep(backoff.next_seconds())
            else:
                backoff.reset()
                await self._wakeup.wait()

    def _hold(self, events: Sequence[pb.RecordedEvent]) -> None:
        # The last follower may have gone meanwhile, and another one come who begins elsewhere.
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
