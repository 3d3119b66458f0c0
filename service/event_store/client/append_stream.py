"""Pipeline appends on a stream, each with a result of its own, and resume it when the connection is lost.

Invariants:

- Requests are sent in the order of the appends, and each append is answered once.
- At most `most_in_flight` appends are unanswered; further ones wait.
- When the connection is lost or the service ends the stream, every unanswered append is sent again, in the
  order of the appends and before any later one. That is safe: the same event ids are stored once.
- An append without an answer within the client's timeout ends the stream and fails every unanswered append.
  An ended stream accepts no more appends.
- No failure is lost: leaving the block raises an error that the caller has not seen and can no longer see.
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
    """The result of an append; reports an error that is garbage-collected unseen to its open stream."""

    def __init__(self, stream: "AppendStream", place: int) -> None:
        super().__init__(loop=asyncio.get_running_loop())
        self.place = place  # among all appends of the stream
        self._stream = stream

    def unseen(self) -> BaseException | None:
        """Return the error if nobody has retrieved it, and mark it as retrieved."""
        return self.exception() if self._log_traceback else None  # asyncio's own mark

    def __del__(self) -> None:
        if not self._log_traceback:
            return
        if self._stream.missed is None:
            super().__del__()  # asyncio's, which logs the error
        elif (error := self.unseen()) is not None:
            self._stream.missed[self.place] = error


class _Unanswered:
    """An append without an answer; with `single` the answer is the result of its only aggregate."""

    __slots__ = ("answer", "given_at", "request", "single")

    def __init__(self, request: pb.AppendEventsRequest, answer: _Answer, *, single: bool) -> None:
        self.request = request
        self.single = single
        self.given_at = asyncio.get_running_loop().time()
        self.answer = answer


class AppendStream:
    """A stream of pipelined appends: `async with client.append_stream() as stream`.

    Any number of tasks can append at once. Leaving the block waits for all results. Leaving it with an error
    does not: it cancels the unanswered appends, which may have been stored or not.

    Leaving the block raises the first error that the caller has missed, with a note of their number. An error
    is missed if its future was discarded without being awaited, or if the end of the stream failed an append
    whose future has not been awaited yet. An error of the block itself takes precedence.
    """

    def __init__(self, calls: Calls, most_in_flight: int) -> None:
        """Configure a stream; see `Client.append_stream`.

        Args:
            calls: The calls of the client.
            most_in_flight: The highest number of unanswered appends, at least 1.
        """
        self._calls = calls
        self._room = asyncio.Semaphore(most_in_flight)
        self._unanswered: dict[int, _Unanswered] = {}  # by the number of its request on this connection
        self._given = self._sent = 0  # the last number that was given to an append, and that was sent
        self._is_closing = False
        self._has_moved = asyncio.Event()
        self._running: asyncio.Task[None] | None = None
        self._places = count()
        self.missed: dict[int, BaseException] | None = {}  # errors that the caller can no longer see
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
                first.add_note(f"{len(missed)} appends of the stream failed without being awaited")
            raise first

    async def append(
        self,
        aggregate_id: str,
        aggregate_type: str,
        events: Sequence[NewEvent],
        *,
        expected_version: ExpectedVersion | int,
    ) -> "asyncio.Future[AppendResult]":
        """Append events to one aggregate, all or none, after all earlier appends of this stream to it.

        Waits until the stream has room. The next append can expect the version that this one will create
        without waiting for its result.

        Args:
            aggregate_id: The UUID of the aggregate.
            aggregate_type: 1 to 100 characters, the same for every event of the aggregate.
            events: 1 to 1,000 events, stored in this order.
            expected_version: The condition for the append. A number is the version of the aggregate's last
                event, 0 if it has no events.

        Returns:
            A future of the result. Its errors are those of `Client.append`; UnavailableError means that the
            stream has ended.

        Raises:
            InvalidArgumentError: A value cannot be sent.
            UnavailableError: The stream has ended.
        """
        append = AggregateAppend(aggregate_id, aggregate_type, events, expected_version)
        return await self._give(messages.append_request([append]), single=True)

    async def append_all(
        self, appends: Sequence[AggregateAppend]
    ) -> "asyncio.Future[tuple[AppendResult, ...]]":
        """Append to several aggregates, all or none, after all earlier appends of this stream to them.

        Args:
            appends: 1 to 100 appends, at most one per aggregate, with at most 1,000 events in total.

        Returns:
            A future of the results, in the order of the appends.

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
                "the append stream has ended: open another one with `async with client.append_stream()`"
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
        """Wait until an append has been unanswered for the client's timeout, and raise the reason."""
        loop = asyncio.get_running_loop()
        while True:
            oldest = next(iter(self._unanswered.values()), None)
            waited_seconds = 0.0 if oldest is None else loop.time() - oldest.given_at
            if waited_seconds >= self._calls.timeout_seconds:
                self._calls.connection.timed_out(loop.time() - waited_seconds)
                raise self._trouble
            await asyncio.sleep(self._calls.timeout_seconds - waited_seconds)

    async def _connect(self) -> None:
        """Keep a connection while there is something to send; replace it when it is lost."""
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
        """Send and receive until the connection ends; return the reason."""
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
        with suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError):  # `_talk` gets the reason
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
