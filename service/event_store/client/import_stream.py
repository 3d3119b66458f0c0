"""Import events from a source, and resume when the connection is lost.

Invariants:

- The source is read once, from its first event and in its order. Stored events are skipped. The last stored
  event must equal the source's event of the same number; otherwise it is another source, and the import
  fails.
- At most `PARTS_IN_FLIGHT` parts are read and unanswered, so the size of the source does not matter. A part
  is sent before the source, which may block, is asked for more.
- When the connection is lost, the service is asked for the progress, and every part that is not stored is
  sent again. An import that another caller has taken over is not taken back: it fails.
- All events before an invalid event or a failure of the source are stored, part by part, before the error.
- An import without progress for the client's timeout fails. The wait for the source has no limit.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Iterable
from contextlib import suppress
from typing import Any, Final

import grpc

from event_store.client import messages
from event_store.client.resume_point import find_difference
from event_store.client.retrying import Calls, new_backoff, pause
from event_store.contract.append_request import MOST_EVENTS, MOST_REQUEST_BYTES
from event_store.contract.error_status import to_error
from event_store.errors import (
    EventStoreError,
    InvalidArgumentError,
    UnavailableError,
)
from event_store.model.arguments import check_size, several
from event_store.model.events import ImportedEvent, ImportProgress
from event_store.v1 import event_store_pb2 as pb

PARTS_IN_FLIGHT: Final = 4
_PART_BYTES: Final = MOST_REQUEST_BYTES - 65_536  # leaves room for the frames of the events
_FRAME_BYTES: Final = 8

Events = AsyncIterable[ImportedEvent] | Iterable[ImportedEvent]


class ImportStream:
    """Runs one import, once.

    Args:
        calls: The calls of the client.
        import_id: The name of the import.
        events: The source, from its first event.
        on_progress: Called when the import begins and after each part; None for no calls.
    """

    def __init__(
        self,
        calls: Calls,
        import_id: str,
        events: Events,
        on_progress: Callable[[ImportProgress], None] | None,
    ) -> None:
        self._calls = calls
        self._import_id = import_id
        self._events = events
        self._on_progress = on_progress
        self._progress = ImportProgress(0, 0)
        self._taken = 0  # events of the source
        # The event that the service stored last and its number, until it is compared with the source's.
        self._stored_last: tuple[int, pb.RecordedEvent] | None = None
        self._unanswered: deque[tuple[int, pb.ImportEventsRequest]] = deque()  # each with its last number
        self._sent = 0  # how many of them, on this connection
        self._room = asyncio.Semaphore(PARTS_IN_FLIGHT)
        self._has_moved = asyncio.Event()
        self._has_sent = asyncio.Event()
        self._reading: asyncio.Task[None] | None = None
        self._backoff = new_backoff()
        self._since = 0.0  # when the wait for the next answer began, by the loop's clock

    async def run(self) -> ImportProgress:
        """Import all events and return the final progress; see `Client.import_events`."""
        loop = asyncio.get_running_loop()
        self._since = loop.time()
        try:
            while (error := await self._talk()) is not None:
                await pause(error, self._backoff, loop.time() + self._left_seconds())
            if self._reading is not None:
                self._reading.result()
            if self._taken < self._progress.stored_events:
                raise InvalidArgumentError.of(
                    "the source",
                    f"has {self._taken} events, but the import {self._import_id!r} has stored "
                    f"{self._progress.stored_events}: give this source another import_id",
                )
            return self._progress
        finally:
            if self._reading is not None:
                self._reading.cancel()
                await asyncio.gather(self._reading, return_exceptions=True)

    async def _talk(self) -> EventStoreError | None:
        """Send and receive until the connection ends; return the reason, None if everything is stored."""
        call = self._calls.method("ImportEvents")()
        sending: asyncio.Task[None] | None = None
        self._sent = 0
        try:
            with suppress(asyncio.InvalidStateError):  # the read below gets the reason
                await call.write(pb.ImportEventsRequest(import_id=self._import_id))
            while (response := await self._answer(call)) is not grpc.aio.EOF:
                self._calls.connection.heard()
                self._take(response)
                sending = sending or asyncio.create_task(self._send(call))
        except grpc.aio.AioRpcError as failure:
            return to_error(failure)
        except TimeoutError:
            self._calls.connection.timed_out(self._since)
            return UnavailableError("the service did not answer in time")
        finally:
            call.cancel()
            if sending is not None:
                sending.cancel()
                await asyncio.gather(sending, return_exceptions=True)
        is_complete = self._reading is not None and self._reading.done() and not self._unanswered
        return None if is_complete else UnavailableError("the service ended the import")

    async def _answer(self, call: Any) -> Any:
        reading = asyncio.ensure_future(call.read())
        try:
            while not reading.done():
                left_seconds = self._left_seconds()
                if left_seconds <= 0:
                    raise TimeoutError
                await asyncio.wait([reading], timeout=left_seconds)
            return reading.result()
        finally:
            reading.cancel()

    def _left_seconds(self) -> float:
        """Return the seconds left until an answer is overdue; waiting for the source does not count."""
        now = asyncio.get_running_loop().time()
        if self._reading is not None and not self._reading.done() and not self._unanswered:
            self._since = now  # waiting for the source
        return self._since + self._calls.timeout_seconds - now

    def _take(self, response: pb.ImportEventsResponse) -> None:
        before, self._progress = self._progress, messages.import_progress(response)
        if self._progress.stored_events < before.stored_events:
            raise EventStoreError(
                f"the service has stored {self._progress.stored_events} events of this import, after "
                f"{before.stored_events} before: check that the target is the same event store"
            )
        if response.HasField("last_event"):
            self._stored_last = (response.stored_events, response.last_event)
            self._check_unanswered()
        if self._reading is None:
            self._reading = asyncio.create_task(self._read())
            self._reading.add_done_callback(lambda _: self._has_moved.set())
        elif self._progress == before:
            return
        self._since = asyncio.get_running_loop().time()
        self._backoff.reset()
        self._drop_stored()
        if self._on_progress is not None:
            self._on_progress(self._progress)

    async def _send(self, call: Any) -> None:
        with suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError):  # `_talk` gets the reason
            while self._reading is None or not self._reading.done() or self._sent < len(self._unanswered):
                if self._sent == len(self._unanswered):
                    self._has_moved.clear()
                    await self._has_moved.wait()
                    continue
                _, part = self._unanswered[self._sent]
                self._sent += 1
                await call.write(part)
                self._has_sent.set()
            await call.done_writing()

    async def _read(self) -> None:
        """Read the source and split it into parts, from the first event that is not stored."""
        part, size_bytes = pb.ImportEventsRequest(), 0
        failure: Exception | None = None
        source = _each(self._events)
        try:
            async for event in source:
                if self._taken < self._progress.stored_events:
                    self._taken += 1
                    if self._stored_last is not None and self._stored_last[0] == self._taken:
                        self._check(self._taken, messages.imported_event(event, f"event {self._taken}: "))
                    continue
                place = f"event {self._taken + 1}: "
                message = messages.imported_event(event, place)
                event_bytes = message.ByteSize() + _FRAME_BYTES
                check_size(event_bytes, _PART_BYTES, place.removesuffix(": "))
                if len(part.events) == MOST_EVENTS or size_bytes + event_bytes > _PART_BYTES:
                    await self._give(part)
                    part, size_bytes = pb.ImportEventsRequest(), 0
                part.events.append(message)
                size_bytes += event_bytes
                self._taken += 1
        except Exception as error:  # noqa: BLE001 # any error of the source: the events before it go first
            failure = error
        finally:
            await source.aclose()
        await self._give(part)
        if failure is not None:
            raise failure

    async def _give(self, part: pb.ImportEventsRequest) -> None:
        if not part.events:
            return
        await self._room.acquire()
        if not self._unanswered:
            self._since = asyncio.get_running_loop().time()
        self._has_sent.clear()
        self._unanswered.append((self._taken, part))
        self._check_unanswered()
        self._drop_stored()
        self._has_moved.set()
        if self._unanswered:
            await self._has_sent.wait()

    def _check_unanswered(self) -> None:
        """Compare the service's last stored event with the parts that may be stored."""
        for last, part in self._unanswered:
            number = self._stored_last[0] if self._stored_last is not None else 0
            if last - len(part.events) < number <= last:
                self._check(number, part.events[number - last - 1])

    def _check(self, number: int, given: pb.ImportedEvent) -> None:
        """Reject a source whose event differs from the stored event with the same number."""
        if self._stored_last is None or self._stored_last[0] != number:
            return
        if field := find_difference(given, self._stored_last[1]):
            raise InvalidArgumentError.of(
                "the source",
                f"differs from what the import {self._import_id!r} has stored: event {number} has another "
                f"{field}: give this source another import_id",
            )
        self._stored_last = None

    def _drop_stored(self) -> None:
        """Drop the stored parts, and the stored events of a part that another caller split otherwise."""
        stored = self._progress.stored_events
        while self._unanswered and self._unanswered[0][0] <= stored:
            self._unanswered.popleft()
            self._sent = max(0, self._sent - 1)
            self._has_sent.set()
            self._room.release()
        if self._unanswered:
            last, part = self._unanswered[0]
            del part.events[: max(0, stored - (last - len(part.events)))]


async def _each(events: Events) -> AsyncGenerator[ImportedEvent, None]:
    if isinstance(events, AsyncIterable):
        async for event in events:
            yield event
    else:
        for event in several(events, "events", "ImportedEvent"):
            yield event
