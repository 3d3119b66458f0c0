"""Calls of the service, repeated while that is safe and the time is not over.

What is repeated, and why that is safe: a call that the service could not take (UNAVAILABLE, or
RESOURCE_EXHAUSTED with its word on when to return) is sent again, appends included, because the same events
under the same ids are stored once. A read goes on after the last event that it gave. A conflict is never
repeated: only the caller can decide again. A deadline bounds it all.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any, Final, TypeVar

import grpc

from event_store import target as targets
from event_store import wire
from event_store.backoff import Backoff
from event_store.errors import (
    EventStoreError,
    InvalidArgumentError,
    OverloadedError,
    UnavailableError,
)
from event_store.events import RecordedEvent
from event_store.status import to_error
from event_store.v1.event_store_pb2_grpc import EventStoreStub

_FIRST_WAIT_SECONDS: Final = 0.05
_LONGEST_WAIT_SECONDS: Final = 2.0

Answer = TypeVar("Answer")


class Calls:
    """A connection to a service, and the calls on it.

    Args:
        target: See `target.open_channel`.
        timeout_seconds: How long a call may take with all its repetitions, and how long a read may wait for
            its next events.
    """

    def __init__(self, target: str, timeout_seconds: float) -> None:
        self.timeout_seconds = timeout_seconds
        self._target = target
        self._channel: grpc.aio.Channel | None = None
        self._stub: EventStoreStub | None = None

    async def open(self) -> None:
        """Prepare the connection, which is made by the first call.

        Raises:
            ConfigurationError: The target is none.
        """
        self._channel = await targets.open_channel(self._target)
        self._stub = EventStoreStub(self._channel)  # type: ignore[no-untyped-call] # generated without types

    async def close(self) -> None:
        """Drop the connection. Closing twice is harmless."""
        channel, self._channel, self._stub = self._channel, None, None
        if channel is not None:
            await channel.close()

    def method(self, name: str) -> Any:
        """Return a method of the contract.

        Raises:
            EventStoreError: The connection is not open.
        """
        if self._stub is None:
            raise EventStoreError("the client is not connected: use it as `async with Client(...) as client`")
        return getattr(self._stub, name)

    async def call(self, method: str, request: Any) -> Any:
        """Return the answer of a method that gives one."""
        return await self.repeat(lambda left_seconds: self.method(method)(request, timeout=left_seconds))

    async def repeat(self, attempt: Callable[[float], Awaitable[Answer]]) -> Answer:
        """Return what an attempt returns; it is given the seconds that are left."""
        deadline = self._deadline()
        backoff = new_backoff()
        while True:
            try:
                return await attempt(deadline - asyncio.get_running_loop().time())
            except grpc.aio.AioRpcError as failure:
                await pause(to_error(failure), backoff, deadline)

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
            try:
                asked = request(from_, limit and limit - given)
            except ValueError as fault:  # protobuf's, of a number that has no place in the message
                raise InvalidArgumentError.of(place, f"is no such number: {fault}") from None
            call = self.method(method)(asked)
            try:
                while True:
                    async with asyncio.timeout_at(deadline):
                        response = await call.read()
                    if response is grpc.aio.EOF:
                        return
                    for message in response.events:
                        event = wire.recorded_event(message)
                        given += 1
                        yield event
                    reached = response.last_scanned_position  # which reads of the whole log have
                    reached = reached or (getattr(response.events[-1], place) if response.events else 0)
                    if reached:
                        from_ = reached - 1 if backwards else max(from_, reached + 1)
                    backoff.reset()
                    deadline = self._deadline()
            except grpc.aio.AioRpcError as failure:
                error = to_error(failure)
            except TimeoutError:
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
    """Wait before a repetition; raise the error if repeating cannot help or the time is over."""
    if not isinstance(error, OverloadedError | UnavailableError):
        raise error
    seconds = backoff.next_seconds()
    if isinstance(error, OverloadedError):
        seconds += error.retry_after_seconds
    if asyncio.get_running_loop().time() + seconds >= deadline:
        raise error
    await asyncio.sleep(seconds)
