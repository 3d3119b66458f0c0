"""Retry calls of the service until a deadline, if a retry is safe.

A call that fails with UNAVAILABLE, or with RESOURCE_EXHAUSTED and a time to wait, is retried. That includes
appends, because the same events with the same ids are stored once. A read resumes after its last event. A
conflict is never retried: only the caller can decide again. The last retry is close to the deadline, so that
a service which returns shortly before it is still reached.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any, Final, TypeVar

import grpc

from event_store.backoff import Backoff
from event_store.client import messages
from event_store.client.service_connection import ServiceConnection
from event_store.contract.append_request import MOST_REQUEST_BYTES
from event_store.contract.error_status import to_error
from event_store.errors import (
    EventStoreError,
    OverloadedError,
    UnavailableError,
)
from event_store.model.arguments import check_size
from event_store.model.events import RecordedEvent

_FIRST_WAIT_SECONDS: Final = 0.05
_LONGEST_WAIT_SECONDS: Final = 2.0

Answer = TypeVar("Answer")


class Calls:
    """The calls on a connection to a service, with retries.

    Args:
        target: See `channel.FORMS`.
        timeout_seconds: The time limit of a call with all retries, and of a read's wait for its next events.

    Attributes:
        connection: The connection. Every wait for an answer reports to it whether one came.
    """

    def __init__(self, target: str, timeout_seconds: float) -> None:
        self.timeout_seconds = timeout_seconds
        self.connection = ServiceConnection(target)

    def method(self, name: str) -> Any:
        """Return a method of the contract, to be called on this connection.

        Raises:
            EventStoreError: The connection is not open.
        """
        return self.connection.method(name)

    async def call(self, method: str, request: Any) -> Any:
        """Call a method with one answer, with retries, and return the answer.

        Raises:
            InvalidArgumentError: The request is above the contract's limit of 4 MiB.
        """
        check_size(request.ByteSize(), MOST_REQUEST_BYTES)
        return await self.repeat(lambda left_seconds: self.method(method)(request, timeout=left_seconds))

    async def repeat(self, attempt: Callable[[float], Awaitable[Answer]]) -> Answer:
        """Retry an attempt until it returns; it receives the seconds left until the deadline."""
        clock = asyncio.get_running_loop().time
        deadline = self._deadline()
        backoff = new_backoff()
        trouble: EventStoreError | None = None
        while True:
            began = clock()
            try:
                answer = await attempt(deadline - began)
            except grpc.aio.AioRpcError as failure:
                if failure.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
                    self.connection.timed_out(began)
                    trouble = trouble or to_error(failure)  # an earlier one says more
                else:
                    trouble = to_error(failure)
                await pause(trouble, backoff, deadline)
            else:
                self.connection.heard()
                return answer

    async def read(
        self,
        method: str,
        request: Callable[[int, int], Any],
        place: str,
        from_: int,
        limit: int,
        *,
        backwards: bool,
    ) -> AsyncGenerator[RecordedEvent, None]:
        """Yield the events of a streaming read, and resume it after a failure.

        Args:
            method: The name of the method.
            request: Makes the request for the remaining events, from a start and a limit.
            place: The attribute of an event that orders the read: its version or its position.
            from_: The first place, inclusive; 0 leaves the start to the request.
            limit: The highest number of events; 0 is no limit.
            backwards: Whether the places descend.
        """
        given = reached = 0
        backoff = new_backoff()
        deadline = self._deadline()
        while True:
            call = self.method(method)(request(from_, limit and limit - given))
            try:
                while True:
                    async with asyncio.timeout_at(deadline):
                        response = await call.read()
                    self.connection.heard()
                    if response is grpc.aio.EOF:
                        return
                    for message in response.events:
                        event = messages.recorded_event(message)
                        given += 1
                        yield event
                    reached = getattr(response, "last_scanned_position", 0)  # of the whole log only
                    reached = reached or (getattr(response.events[-1], place) if response.events else 0)
                    if reached:
                        from_ = reached - 1 if backwards else max(from_, reached + 1)
                    backoff.reset()
                    deadline = self._deadline()
            except grpc.aio.AioRpcError as failure:
                error = to_error(failure)
            except TimeoutError:
                self.connection.timed_out(deadline - self.timeout_seconds)
                error = UnavailableError("the service did not answer in time")
            finally:
                call.cancel()
            if reached and (0 < limit == given or from_ == 0):
                return  # the read was complete before it failed; 0 would mean the other end of the log
            await pause(error, backoff, deadline)

    def _deadline(self) -> float:
        return asyncio.get_running_loop().time() + self.timeout_seconds


def new_backoff() -> Backoff:
    """Return the backoff between the retries of a call."""
    return Backoff(_FIRST_WAIT_SECONDS, _LONGEST_WAIT_SECONDS)


async def pause(error: EventStoreError, backoff: Backoff, deadline: float) -> None:
    """Wait before a retry; raise the error if a retry cannot help or the deadline has passed.

    A wait that would end after the deadline is cut to half of the remaining time, so that the last retry is
    at most `_FIRST_WAIT_SECONDS` before the deadline.
    """
    if not isinstance(error, OverloadedError | UnavailableError):
        raise error
    asked_seconds = error.retry_after_seconds if isinstance(error, OverloadedError) else 0.0
    left_seconds = deadline - asyncio.get_running_loop().time() - asked_seconds
    if left_seconds < _FIRST_WAIT_SECONDS:
        raise error
    own_seconds = backoff.next_seconds()
    await asyncio.sleep(asked_seconds + (own_seconds if own_seconds < left_seconds else left_seconds / 2))
