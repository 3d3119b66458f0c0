"""Append requests by group commit: one writer stores many requests in a batch.

One task stores one batch at a time. While a batch is in flight, requests queue; the next batch takes all
waiting requests, up to a limit. An empty batch costs as much as ten events, so a small batch waits a moment
for the next requests of the clients that were just answered.

Invariants:

- A batch waits for further requests only if there were more a moment ago, for at most `GATHER_SECONDS`, and
  only if all its requests came after the last batch was taken. So a single client never waits.
- A request is answered once, after the commit that stored it, with a verdict of its own.
- Two requests of a batch share neither an aggregate nor an event id. Of two such requests the first one is
  stored first.
- The queue is bounded, in requests and in bytes. A request that does not fit is rejected at once, or its
  caller waits for room.
- Data that PostgreSQL rejects affects its own request only: the batch is halved until the request is alone.
- A batch whose connection was lost with the outcome unknown is sent once more on a new connection. Under the
  lock of the log, which the lost transaction holds until it has ended, the function looks up every event id.
  For events that the first attempt has stored it answers with the original positions. So an append is stored
  once, whatever is interrupted (tests/event_store/log/test_append_crashes.py):

      killed or cut …                                    then …
      the service, before a batch is sent                nothing is stored; the clients repeat their requests
      the service, before its commit                     a repeated request waits for the lost transaction
      the service, after its commit                      a repeated request is a duplicate, with its positions
      PostgreSQL, before the commit                      nothing is stored; the clients repeat their requests
      PostgreSQL, after the commit                       a repeated request is a duplicate
      the connection to PostgreSQL, before the commit    the repeated batch waits for the lost transaction
      the connection to PostgreSQL, after the commit     the repeated batch is a duplicate; no client notices
      the client's connection, before its answers        a repeated request is a duplicate

- A database that does not answer for `SEND_SECONDS` counts as a lost connection.
- A disconnected caller has no effect on others; its request may still be stored.
- The callers of a batch that was not stored learn of it before the next batch is taken, so that they can
  cancel later requests.
- `stop` rejects new requests, stores the waiting ones and then ends the task. Stopping twice is harmless. If
  the task fails, every waiting caller gets an error.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import psycopg
from psycopg.types.json import Jsonb

from event_store.contract.append_request import PreparedRequest
from event_store.database.errors import domain_errors
from event_store.database.login import Login
from event_store.database.pool import Row
from event_store.errors import (
    EventStoreError,
    InvalidArgumentError,
    OverloadedError,
    StoppingError,
    UnavailableError,
)
from event_store.log import queries
from event_store.log.append_codec import Verdict, decode, encode
from event_store.log.latency import Latency
from event_store.v1 import event_store_pb2 as pb

BATCH_EVENTS: Final = 500
BATCH_BYTES: Final = 4 * 1_048_576
ENOUGH_EVENTS: Final = 64  # measured: a larger batch saves little more
GATHER_SECONDS: Final = 0.002  # uvloop counts in milliseconds
QUEUE_REQUESTS: Final = 5_000
QUEUE_BYTES: Final = 64 * 1_048_576
_LOOK_AHEAD_REQUESTS: Final = 2_000  # past requests that must wait for one on the same aggregate
SEND_SECONDS: Final = 20.0  # above the server's own statement_timeout, which ends slow statements first
_RETRY_AFTER_SECONDS: Final = 0.5

Cursor: TypeAlias = psycopg.AsyncCursor[Row]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    request: PreparedRequest
    answer: "asyncio.Future[pb.AppendEventsResponse]"
    since: float


class Appender:
    """Stores requests in batches.

    Args:
        login: The login of its connection, which is opened with the first batch and reopened when it is lost.
        on_appended: Called after each batch that stored events.

    Attributes:
        latency: The times from queueing a request to its answer.
    """

    def __init__(self, login: Login, on_appended: Callable[[], None]) -> None:
        self.latency = Latency()
        self._login = login
        self._on_appended = on_appended
        self._queue: deque[_Waiting] = deque()
        self._queue_bytes = self._queue_events = 0
        self._wanted = 1  # requests that `run` waits for
        self._arrived = asyncio.Event()
        self._left = asyncio.Event()
        self._stopping = False
        self._cursor: Cursor | None = None

    async def append(self, request: PreparedRequest) -> pb.AppendEventsResponse:
        """Store a request and return its results.

        Raises:
            EventStoreError: The request was rejected, or its batch could not be stored.
        """
        return await self.enqueue(request)

    def enqueue(self, request: PreparedRequest) -> "asyncio.Future[pb.AppendEventsResponse]":
        """Queue a request and return a future of its results, see `append`.

        Raises:
            OverloadedError: The queue is full.
            StoppingError: The service is stopping.
        """
        if self._stopping:
            raise StoppingError("the service is stopping")
        if not self._has_room(request):
            raise OverloadedError(
                f"the queue is full: {len(self._queue)} appends of {self._queue_bytes} bytes are waiting, "
                "retry later",
                _RETRY_AFTER_SECONDS,
            )
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[pb.AppendEventsResponse] = loop.create_future()
        self._queue.append(_Waiting(request, answer, loop.time()))
        self._queue_bytes += request.size_bytes
        self._queue_events += request.event_count
        if self._has_enough():
            self._arrived.set()
        return answer

    async def wait_for_room(self, request: PreparedRequest) -> None:
        """Wait until the queue has room for a request."""
        while not (self._stopping or self._has_room(request)):
            self._left.clear()
            await self._left.wait()

    async def run(self) -> None:
        """Store batches until `stop`; run this in a task."""
        batch: list[_Waiting] = []
        most_requests = 1
        try:
            while self._queue or not self._stopping:
                if not self._queue:
                    self._arrived.clear()
                    await self._arrived.wait()
                await self._gather(most_requests)
                if batch := self._take():
                    has_left_some = bool(self._queue)
                    await self._answer(batch)
                    most_requests = 1 if has_left_some else len(batch) + len(self._queue)
        finally:
            self.stop()
            for waiting in (*batch, *self._queue):  # not empty only if the task failed or was cancelled
                if not waiting.answer.done():
                    waiting.answer.set_exception(UnavailableError("the service has failed"))
            if self._cursor is not None:
                await self._cursor.connection.close()

    def stop(self) -> None:
        """Reject new requests; `run` returns when the waiting ones are answered."""
        self._stopping = True
        self._arrived.set()
        self._left.set()

    async def _gather(self, most_requests: int) -> None:
        self._wanted = most_requests
        if not (self._has_enough() or self._stopping):
            self._arrived.clear()
            waited = asyncio.get_running_loop().call_later(GATHER_SECONDS, self._arrived.set)
            await self._arrived.wait()
            waited.cancel()
        self._wanted = 1

    def _has_enough(self) -> bool:
        return len(self._queue) >= self._wanted or self._queue_events >= ENOUGH_EVENTS

    def _has_room(self, request: PreparedRequest) -> bool:
        return len(self._queue) < QUEUE_REQUESTS and self._queue_bytes + request.size_bytes <= QUEUE_BYTES

    def _take(self) -> list[_Waiting]:
        """Take the requests that fit into a batch and may be stored together, in the order of arrival."""
        batch: list[_Waiting] = []
        postponed: list[_Waiting] = []
        keys: set[str] = set()
        events = size_bytes = 0
        while self._queue and len(postponed) < _LOOK_AHEAD_REQUESTS:
            waiting = self._queue[0]
            request = waiting.request
            fits = (
                events + request.event_count <= BATCH_EVENTS
                and size_bytes + request.size_bytes <= BATCH_BYTES
            )
            if batch and not fits:
                break
            self._queue.popleft()
            self._queue_bytes -= request.size_bytes
            self._queue_events -= request.event_count
            if waiting.answer.done():  # its caller has disconnected
                continue
            if keys.isdisjoint(request.keys):
                batch.append(waiting)
                events += request.event_count
                size_bytes += request.size_bytes
            else:
                postponed.append(waiting)
            keys |= request.keys
        self._queue.extendleft(reversed(postponed))
        self._queue_bytes += sum(waiting.request.size_bytes for waiting in postponed)
        self._queue_events += sum(waiting.request.event_count for waiting in postponed)
        self._left.set()
        return batch

    async def _answer(self, batch: Sequence[_Waiting]) -> None:
        requests = [waiting.request for waiting in batch]
        verdicts: Sequence[Verdict]
        try:
            verdicts = await self._store(requests)
        except InvalidArgumentError as error:
            if len(batch) > 1:
                await self._answer(batch[: len(batch) // 2])
                await self._answer(batch[len(batch) // 2 :])
                return
            verdicts = [error]
        except EventStoreError as error:
            logger.warning("a batch of %d requests was not stored: %s", len(batch), error)
            verdicts = [error] * len(batch)
        # The first request of a batch has waited longest; its time counts for all.
        self.latency.note(asyncio.get_running_loop().time() - batch[0].since, len(batch))
        for waiting, verdict in zip(batch, verdicts, strict=True):
            if waiting.answer.done():
                continue
            if isinstance(verdict, EventStoreError):
                waiting.answer.set_exception(verdict)
            else:
                waiting.answer.set_result(verdict)
        if isinstance(verdicts[0], UnavailableError):
            await asyncio.sleep(0)  # let the callers learn of it

    async def _store(self, requests: Sequence[PreparedRequest]) -> Sequence[Verdict]:
        batch = Jsonb(encode(requests), dumps=lambda text: text)
        try:
            verdicts = await self._send(requests, batch)
        except _OutcomeUnknownError as error:
            logger.warning("connection lost while a batch was stored, repeating it: %s", error)
            verdicts = await self._send(requests, batch)
        if any(not isinstance(each, EventStoreError) and not each.results[0].duplicate for each in verdicts):
            self._on_appended()
        return verdicts

    async def _send(self, requests: Sequence[PreparedRequest], batch: Jsonb) -> Sequence[Verdict]:
        cursor = await self._open_cursor()
        try:
            with domain_errors():
                await cursor.execute(queries["append_events"], (batch,), prepare=True)
                row = await cursor.fetchone()
        except UnavailableError as error:
            if cursor.connection.closed:
                raise _OutcomeUnknownError(str(error)) from error
            raise
        if row is None:
            raise EventStoreError("the SQL function append_events returned no row")
        return list(decode(requests, row))

    async def _open_cursor(self) -> Cursor:
        if self._cursor is None or self._cursor.connection.closed:
            self._cursor = None
            self._cursor = (await self._login.connect_async(SEND_SECONDS)).cursor()
        return self._cursor


class _OutcomeUnknownError(UnavailableError):
    """The connection was lost between sending a batch and receiving its result."""
