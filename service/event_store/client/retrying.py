"""Calls of the service, repeated while that is safe and the time is not over.

What is repeated, and why that is safe: a call that the service could not take (UNAVAILABLE, or
RESOURCE_EXHAUSTED with its word on when to return) is sent again, appends included, because the same events
under the same ids are stored once. A read goes on after the last event that it gave. A conflict is never
repeated: only the caller can decide again. A deadline bounds it all: it is used up, so that a service which
comes back shortly before it is still found.
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
    """A connection to a service, and the calls on it.

    Args:
        target: See `target.FORMS`.
        timeout_seconds: How long a call may take with all its repetitions, and how long a read may wait for
            its next events.

    Attributes:
        connection: What the calls run on; whoever waits for an answer tells it what came of that.
    """

    def __init__(self, target: str, timeout_seconds: float) -> None:
        self.timeout_seconds = timeout_seconds
        self.connection = ServiceConnection(target)

    def method(self, name: str) -> Any:
        """Return a method of the contract.

        Raises:
            EventStoreError: The connection is not open.
        """
        return self.connection.method(name)

    async def call(self, method: str, request: Any) -> Any:
        """Return the answer of a method that gives one.

        Raises:
            InvalidArgumentError: The request is too large to be sent.
        """
        check_size(request.ByteSize(), MOST_REQUEST_BYTES)
        return await self.repeat(lambda left_seconds: self.method(method)(request, timeout=left_seconds))

    async def repeat(self, attempt: Callable[[float], Awaitable[Answer]]) -> Answer:
        """Return what an attempt returns; it is given the seconds that are left."""
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
        """Yield the events of a method that gives them in parts.

        Args:
            method: Its name.
            request: Makes the request for what is left, from where it begins and its limit.
            place: The attribute of an event that counts: its version or its position.
            from_: Where to begin, inclusive; 0 where the request begins by itself.
            limit: How many events at the most; 0 is all of them.
            backwards: Whether the place goes down.
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
                return  # it failed after the last event that was asked for; 0 would mean another end
            await pause(error, backoff, deadline)

    def _deadline(self) -> float:
        return asyncio.get_running_loop().time() + self.timeout_seconds


def new_backoff() -> Backoff:
    """Return the waits between the repetitions of a call."""
    return Backoff(_FIRST_WAIT_SECONDS, _LONGEST_WAIT_SECONDS)


async def pause(error: EventStoreError, backoff: Backoff, deadline: float) -> None:
    """Wait before a repetition; raise the error if repeating cannot help or the time is over.

    A wait that would end beyond the deadline is cut to half of what is left, so that the last repetition
    comes at most `_FIRST_WAIT_SECONDS` before it.
    """
    if not isinstance(error, OverloadedError | UnavailableError):
        raise error
    asked_seconds = error.retry_after_seconds if isinstance(error, OverloadedError) else 0.0
    left_seconds = deadline - asyncio.get_running_loop().time() - asked_seconds
    if left_seconds < _FIRST_WAIT_SECONDS:
        raise error
    own_seconds = backoff.next_seconds()
    await asyncio.sleep(asked_seconds + (own_seconds if own_seconds < left_seconds else left_seconds / 2))
