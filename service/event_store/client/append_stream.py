"""Appends on a stream: many in flight, each with a result of its own, through any loss of the connection.

Invariants:

- Requests are sent in the order of the appends, and an append is answered once.
- At most so many appends as the caller allowed are unanswered; one more waits.
- When the connection is lost, or the service sends the stream away, every append that is not answered is sent
  again, in the order of the appends, before any later one. That is safe: the same event ids are stored once.
- An append that no answer comes for within the client's timeout ends the stream, and all that is unanswered
  with it. A stream that has ended takes no more.
- No failure is lost: leaving the block raises what its caller has not looked at and can look at no more.
"""

import asyncio
import math
from collections.abc import Sequence
from contextlib import suppress
from itertools import count
from types import TracebackType
from typing import Any, Final, NoReturn, Self

import grpc

from event_store.backoff import Backoff
from event_store.client import messages
from event_store.client.retrying import Calls, new_backoff, pause
from event_store.contract.append_request import MOST_REQUEST_BYTES
from event_store.contract.error_status import from_status, to_error
from event_store.errors import (
    EventStoreError,
    UnavailableError,
)
from event_store.model.arguments import check_size
from event_store.model.events import AggregateAppend, AppendResult, ExpectedVersion, NewEvent
from event_store.v1 import event_store_pb2 as pb

MOST_IN_FLIGHT: Final = 100_000


class _Answer(asyncio.Future[Any]):
    """The result of an append; while its stream lives it tells it of an error that is thrown away unseen."""

    def __init__(self, stream: "AppendStream", place: int) -> None:
        super().__init__(loop=asyncio.get_running_loop())
        self.place = place  # among all appends of the stream
        self._stream = stream

    def unseen(self) -> BaseException | None:
        """Return its error if nobody has looked at it; now somebody has."""
        return self.exception() if self._log_traceback else None  # asyncio's own mark

    def __del__(self) -> None:
        if not self._log_traceback:
            return
        if self._stream.missed is None:
            super().__del__()  # asyncio's, which logs what nobody will see
        elif (error := self.unseen()) is not None:
            self._stream.missed[self.place] = error


class _Unanswered:
    """An append without an answer; `single` asks for the result of its only aggregate."""

    __slots__ = ("answer", "given_at", "request", "single")

    def __init__(self, request: pb.AppendEventsRequest, answer: _Answer, *, single: bool) -> None:
        self.request = request
        self.single = single
        self.given_at = asyncio.get_running_loop().time()
        self.answer = answer


class AppendStream:
    """A stream of appends, to be used as `async with client.append_stream() as stream`.

    Any number of tasks may append at once. Leaving the block waits until everything is answered; leaving it
    by an error does not, and cancels what is unanswered, of which it is then unknown whether it was stored.

    Leaving the block raises the first error that its caller has missed, with a note of how many there are:
    that of an append whose future was thrown away without a look at it, and that of the end of the stream
    if an append failed by it at which nobody has looked yet. An error of the block itself goes before.
    """

    def __init__(self, calls: Calls, most_in_flight: int) -> None:
        """Describe a stream, as `Client.append_stream` does.

        Args:
            calls: To the service.
            most_in_flight: How many appends may be without an answer, at least 1.
        """
        self._calls = calls
        self._room = asyncio.Semaphore(most_in_flight)
        self._unanswered: dict[int, _Unanswered] = {}  # by the number of its request on this connection
        self._given = self._sent = 0  # the last number that was given to an append, and that was sent
        self._is_closing = False
        self._has_moved = asyncio.Event()
        self._running: asyncio.Task[None] | None = None
        self._places = count()
        self.missed: dict[int, BaseException] | None = {}  # errors that the caller cannot see any more
        self._trouble: EventStoreError = UnavailableError("the service did not answer in time")

    async def __aenter__(self) -> Self:
        self._running = asyncio.create_task(self._run())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        running, self._is_closing = self._running, True
        self._has_moved.set()
        if running is None:
            return
        if error is not None:
            running.cancel()
        await asyncio.gather(running, return_exceptions=error is not None)
        missed = self.missed or {}
        for answer in [each.answer for each in self._unanswered.values()]:
            if (failure := answer.unseen()) is not None:
                missed[answer.place] = failure
        self.missed = None
        if error is None and missed:
            first = missed[min(missed)]
            if len(missed) > 1:
                first.add_note(f"{len(missed)} appends of the stream failed, and nobody looked at them")
            raise first

    async def append(
        self,
        aggregate_id: str,
        aggregate_type: str,
        events: Sequence[NewEvent],
        *,
        expected_version: ExpectedVersion | int,
    ) -> "asyncio.Future[AppendResult]":
        """Append events to one aggregate, after all earlier appends of this stream to it.

        Returns as soon as the stream has room, with a future of the result. So one may expect the version
        that an unanswered append will make. The errors of the future are those of `Client.append`;
        UnavailableError means that the stream has ended.

        Args:
            aggregate_id: A UUID.
            aggregate_type: 1 to 100 characters, the same for every event of the aggregate.
            events: 1 to 1,000, stored in this order, all or none.
            expected_version: What the aggregate must look like; a number is the version of its last event.

        Raises:
            InvalidArgumentError: A value has no form in the contract.
            UnavailableError: The stream has ended.
        """
        append = AggregateAppend(aggregate_id, aggregate_type, events, expected_version)
        return await self._give(messages.append_request([append]), single=True)

    async def append_all(
        self, appends: Sequence[AggregateAppend]
    ) -> "asyncio.Future[tuple[AppendResult, ...]]":
        """Append to several aggregates, all or none, after all earlier appends of this stream to them.

        Args:
            appends: 1 to 100, each aggregate at most once, at most 1,000 events in all.

        Raises:
            EventStoreError: As for `append`.
        """
        return await self._give(messages.append_request(appends), single=False)

    async def _give(self, request: pb.AppendEventsRequest, *, single: bool) -> "asyncio.Future[Any]":
        check_size(request.ByteSize(), MOST_REQUEST_BYTES)  # gRPC would end the stream for it
        await self._room.acquire()
        if self._running is None or self._is_closing:
            self._room.release()
            raise UnavailableError(
                "the stream has ended: use another, as `async with client.append_stream()`"
            )
        unanswered = _Unanswered(request, _Answer(self, next(self._places)), single=single)
        self._given += 1
        self._unanswered[self._given] = unanswered
        self._has_moved.set()
        return unanswered.answer

    async def _run(self) -> None:
        error: EventStoreError | None = None
        try:
            async with asyncio.TaskGroup() as tasks:
                watching = tasks.create_task(self._watch())
                await self._connect()
                watching.cancel()
        except ExceptionGroup as group:
            error = next((each for each in group.exceptions if isinstance(each, EventStoreError)), None)
            if error is None:
                raise
        finally:
            self._is_closing = True
            for unanswered in self._unanswered.values():
                self._room.release()
                if error is None or unanswered.answer.done():
                    unanswered.answer.cancel()
                else:
                    unanswered.answer.set_exception(error)

    async def _watch(self) -> NoReturn:
        """Wait until an append has waited for too long."""
        loop = asyncio.get_running_loop()
        while True:
            oldest = next(iter(self._unanswered.values()), None)
            waited_seconds = 0.0 if oldest is None else loop.time() - oldest.given_at
            if waited_seconds >= self._calls.timeout_seconds:
                self._calls.connection.timed_out(loop.time() - waited_seconds)
                raise self._trouble
            await asyncio.sleep(self._calls.timeout_seconds - waited_seconds)

    async def _connect(self) -> None:
        """Hold a connection, and another when it is lost, while there is something to send."""
        backoff = new_backoff()
        while self._unanswered or not self._is_closing:
            if not self._unanswered:
                self._has_moved.clear()
                await self._has_moved.wait()
                continue
            self._unanswered = dict(enumerate(self._unanswered.values(), 1))
            self._given, self._sent = len(self._unanswered), 0
            error = await self._talk(backoff)
            if self._unanswered:
                self._trouble = error
                await pause(error, backoff, math.inf)

    async def _talk(self, backoff: Backoff) -> EventStoreError:
        """Send and receive until the connection ends; return why it did."""
        call = self._calls.method("AppendEventsStream")()
        sending = asyncio.create_task(self._send(call))
        try:
            while (response := await call.read()) is not grpc.aio.EOF:
                self._calls.connection.heard()
                self._take(response)
                backoff.reset()
        except grpc.aio.AioRpcError as failure:
            return to_error(failure)
        finally:
            sending.cancel()
            call.cancel()
            await asyncio.gather(sending, return_exceptions=True)
        return UnavailableError("the service ended the stream")

    async def _send(self, call: Any) -> None:
        with suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError):  # who reads is told why
            while self._sent < self._given or not self._is_closing:
                if self._sent == self._given:
                    self._has_moved.clear()
                    await self._has_moved.wait()
                    continue
                self._sent += 1
                await call.write(self._unanswered[self._sent].request)
            await call.done_writing()

    def _take(self, verdict: pb.AppendEventsStreamResponse) -> None:
        unanswered = self._unanswered.pop(verdict.request_number)
        self._room.release()
        if unanswered.answer.done():  # cancelled
            return
        if verdict.HasField("error"):
            unanswered.answer.set_exception(from_status(verdict.error))
            return
        results = messages.append_results(verdict.response)
        unanswered.answer.set_result(results[0] if unanswered.single else results)
