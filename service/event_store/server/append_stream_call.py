"""Answer one call of `AppendEventsStream`, with a verdict for each request.

Invariants:

- Requests enter the appender's queue in the order of the stream, so those for one aggregate are stored in
  order.
- At most `IN_FLIGHT` requests are read and without a verdict that the client's side has received. So a client
  that does not read its verdicts is not read from, and its memory is bounded. The same holds while the
  appender's queue is full.
- Each request has one verdict, or none if the stream ends with UNAVAILABLE first. When a request cannot be
  stored for that reason, the requests behind it are cancelled: all of them can be sent again in order.
- A stop ends the reading; requests in the queue get their verdicts before the stream ends.
"""

import asyncio
from collections import deque
from functools import partial
from typing import Final

import grpc

from event_store.contract.append_request import HasNoRoute, prepare_request
from event_store.contract.error_status import to_status
from event_store.errors import EventStoreError, InvalidArgumentError, StoppingError, UnavailableError
from event_store.log.appender import Appender
from event_store.server.call_errors import Context, log_failure
from event_store.v1 import event_store_pb2 as pb

IN_FLIGHT: Final = 256  # two such streams keep batches of 500 events full


class Pipeline:
    """Answers one call of `AppendEventsStream`.

    Args:
        appender: Stores requests.
        has_no_route: See `prepare_request`.
        context: The call.
    """

    def __init__(self, appender: Appender, has_no_route: HasNoRoute | None, context: Context) -> None:
        self._appender = appender
        self._has_no_route = has_no_route
        self._context = context
        self._room = asyncio.Semaphore(IN_FLIGHT)
        self._unanswered: dict[int, asyncio.Future[pb.AppendEventsResponse]] = {}
        self._verdicts: deque[pb.AppendEventsStreamResponse] = deque()
        self._has_moved = asyncio.Event()
        self._failure: UnavailableError | None = None
        self._reading: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Answer requests until the client ends its side, or until `stop`.

        Raises:
            UnavailableError: The database is unreachable, or `stop` was called.
        """
        self._reading = asyncio.create_task(self._read())
        self._reading.add_done_callback(lambda _: self._has_moved.set())
        try:
            while self._verdicts or self._unanswered or not self._reading.done():
                if not self._verdicts:
                    self._has_moved.clear()
                    await self._has_moved.wait()
                while self._verdicts:
                    await self._context.write(self._verdicts.popleft())
                    self._room.release()
            if self._failure is not None:
                raise self._failure
            self._reading.result()
        finally:
            self._reading.cancel()
            for answer in self._unanswered.values():
                answer.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)

    def stop(self, why: str) -> None:
        """Stop reading; `run` ends when every request read has its verdict. Stopping twice is harmless.

        Args:
            why: The beginning of the error for the client.
        """
        self._end(StoppingError(f"{why}: send the requests without a verdict again"))

    async def _read(self) -> None:
        number = 0
        while True:
            await self._room.acquire()
            request = await self._context.read()
            if request is grpc.aio.EOF:
                return
            number += 1
            try:
                prepared = prepare_request(request, self._has_no_route)
                await self._appender.wait_for_room(prepared)
                answer = self._appender.enqueue(prepared)
            except InvalidArgumentError as error:
                self._refuse(number, error)
            except UnavailableError as error:
                self._end(error)
                return
            else:
                self._unanswered[number] = answer
                answer.add_done_callback(partial(self._answered, number))

    def _answered(self, number: int, answer: "asyncio.Future[pb.AppendEventsResponse]") -> None:
        del self._unanswered[number]
        if answer.cancelled():  # behind a request that could not be stored
            self._has_moved.set()
            return
        error = answer.exception()
        if isinstance(error, UnavailableError):
            for behind in self._unanswered.values():
                behind.cancel()
            self._end(error)
        elif isinstance(error, EventStoreError):
            self._refuse(number, error)
        else:
            self._give(pb.AppendEventsStreamResponse(request_number=number, response=answer.result()))

    def _refuse(self, number: int, error: EventStoreError) -> None:
        log_failure(error, self._context)
        self._give(pb.AppendEventsStreamResponse(request_number=number, error=to_status(error)))

    def _give(self, verdict: pb.AppendEventsStreamResponse) -> None:
        self._verdicts.append(verdict)
        self._has_moved.set()

    def _end(self, failure: UnavailableError) -> None:
        self._failure = self._failure or failure
        if self._reading is not None:
            self._reading.cancel()
        self._has_moved.set()
