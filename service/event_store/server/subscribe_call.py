"""Answer one call of `Subscribe`.

Invariants:

- Every event after the checkpoint that passes the filter is sent once, in the order of the log. A message has
  a checkpoint only after the events up to it were sent, so a caller that resumes at it loses and repeats
  nothing.
- While the caller does not read, at most one page is held for it. Then it continues with the events of the
  live log or, if that has moved on, of the database.
- A message is sent at least every `KEEP_ALIVE_SECONDS` while the log can be read. A shorter failure is not
  noticed by the caller; a longer one ends the stream.
"""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any, Final

from google.protobuf.empty_pb2 import Empty
from google.protobuf.timestamp_pb2 import Timestamp

from event_store.errors import InvalidArgumentError
from event_store.log.live_tail import LiveLog
from event_store.log.reader import Reader
from event_store.model.event_filter import EventFilter
from event_store.v1 import event_store_pb2 as pb

KEEP_ALIVE_SECONDS: Final = 10.0


class Follower:
    """Follows the log for one caller.

    Args:
        reader: Reads the events that the live log does not hold.
        live_log: Holds the end of the log.
        after_position: The checkpoint, exclusive.
        event_filter: The events to send.
    """

    def __init__(
        self, reader: Reader, live_log: LiveLog, after_position: int, event_filter: EventFilter
    ) -> None:
        self._reader = reader
        self._live_log = live_log
        self._position = after_position
        self._filter = event_filter

    async def follow(self) -> AsyncGenerator[pb.SubscribeResponse, None]:
        """Yield the stored events, then the appended ones, until a failure or the end of the service.

        Raises:
            InvalidArgumentError: The checkpoint is above the head of the log.
            UnavailableError: The service is stopping, or the database is unreachable.
            LogCorruptedError: The log has a hole.
        """
        while True:
            async for response in self._catch_up():
                yield response
            with self._live_log.followed(self._position):
                now = Timestamp()
                now.GetCurrentTime()
                yield self._response(caught_up=pb.SubscribeResponse.CaughtUp(time=now))
                async for response in self._live():
                    yield response
            yield self._response(fell_behind=Empty())

    async def _catch_up(self) -> AsyncGenerator[pb.SubscribeResponse, None]:
        """Yield events of the database, until a page ends with the head of the log."""
        head = None
        while self._position != head:
            async for part in self._reader.read_all(self._position + 1, 0, self._filter):
                self._live_log.check_serving()
                head = part.head_position
                if head < self._position:
                    raise InvalidArgumentError.of(
                        "after_position",
                        f"{self._position} is above the head of the log, {head}: check that the checkpoint "
                        "belongs to this log, and that the log was not restored from a backup",
                    )
                is_moved = part.last_scanned_position > self._position
                self._position = part.last_scanned_position
                if part.events:
                    yield self._response(events=pb.SubscribeResponse.Events(events=part.events))
                elif is_moved:
                    yield self._response(keep_alive=Empty())

    async def _live(self) -> AsyncGenerator[pb.SubscribeResponse, None]:
        """Yield appended events, until the caller is too slow for the live log."""
        clock = asyncio.get_running_loop().time
        due = clock() + KEEP_ALIVE_SECONDS
        while (events := self._live_log.take(self._position)) is not None:
            self._live_log.check_serving()
            if events:
                self._position = events[-1].global_position
            passed = [e for e in events if self._filter.matches(e.aggregate_type, e.event_type)]
            if passed:
                yield self._response(events=pb.SubscribeResponse.Events(events=passed))
            elif clock() >= due:
                self._live_log.check_reading()
                yield self._response(keep_alive=Empty())
            else:
                await self._live_log.wait(self._position, due)
                continue
            due = clock() + KEEP_ALIVE_SECONDS

    def _response(self, **kind: Any) -> pb.SubscribeResponse:
        return pb.SubscribeResponse(last_scanned_position=self._position, **kind)
