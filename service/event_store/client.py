"""The client of the event store: append, read and ask for the status, over gRPC.

What is repeated, and why that is safe: a call that the service could not take (UNAVAILABLE, or
RESOURCE_EXHAUSTED with its word on when to return) is sent again, appends included, because the same events
under the same ids are stored once. A read goes on after the last event that it gave. A conflict is never
repeated: only the caller can decide again. A deadline bounds it all.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from types import TracebackType
from typing import Any, Final, Self

import grpc

from event_store import target as targets
from event_store import wire
from event_store.backoff import Backoff
from event_store.errors import EventStoreError, OverloadedError, UnavailableError
from event_store.events import (
    AggregateAppend,
    AppendResult,
    ExpectedVersion,
    NewEvent,
    RecordedEvent,
    Status,
)
from event_store.status import to_error
from event_store.v1 import event_store_pb2 as pb
from event_store.v1.event_store_pb2_grpc import EventStoreStub

_FIRST_WAIT_SECONDS: Final = 0.05
_LONGEST_WAIT_SECONDS: Final = 2.0


class Client:
    """A connection to an event store, to be used as `async with Client(target) as client`.

    One client serves any number of tasks at once: their calls share one connection. Every method raises
    the errors of `event_store.errors`; UnavailableError means that the deadline passed, and that it is
    unknown whether an append was stored: append the same events again to find out.
    """

    def __init__(self, target: str = targets.DEFAULT, *, timeout_seconds: float = 30) -> None:
        """Describe a connection.

        Args:
            target: `https://NAME` of a Cloud Run service, `HOST:PORT` on this machine, or
                `http://HOST:PORT` elsewhere without encryption.
            timeout_seconds: How long an append or a status may take with all its repetitions, and how long
                a read may wait for its next events.
        """
        self._target = target
        self._timeout_seconds = timeout_seconds
        self._channel: grpc.aio.Channel | None = None
        self._stub: EventStoreStub | None = None

    async def __aenter__(self) -> Self:
        self._channel = await targets.open_channel(self._target)
        self._stub = EventStoreStub(self._channel)  # type: ignore[no-untyped-call] # generated without types
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        channel, self._channel, self._stub = self._channel, None, None
        if channel is not None:
            await channel.close()

    async def append(
        self,
        aggregate_id: str,
        aggregate_type: str,
        events: Sequence[NewEvent],
        *,
        expected_version: ExpectedVersion | int,
    ) -> AppendResult:
        """Append events to one aggregate.

        Args:
            aggregate_id: A UUID.
            aggregate_type: 1 to 100 characters, the same for every event of the aggregate.
            events: 1 to 1,000, stored in this order, all or none.
            expected_version: What the aggregate must look like; a number is the version of its last event.

        Raises:
            WrongExpectedVersionError: It looks otherwise; the error has its actual version.
            InvalidArgumentError: A value is outside the contract; the error has the fields.
            EventAlreadyExistsError: An event id is stored with other content.
            WrongAggregateTypeError: The aggregate exists with another type.
        """
        append = AggregateAppend(aggregate_id, aggregate_type, events, expected_version)
        return (await self.append_all([append]))[0]

    async def append_all(self, appends: Sequence[AggregateAppend]) -> tuple[AppendResult, ...]:
        """Append to several aggregates, all or none; the results are in the order of the appends.

        Args:
            appends: 1 to 100, each aggregate at most once, at most 1,000 events in all.

        Raises:
            EventStoreError: As for `append`.
        """
        return wire.append_results(await self._call("AppendEvents", wire.append_request(appends)))

    async def status(self) -> Status:
        """Return how far the log and the relay are."""
        return wire.status(await self._call("GetStatus", pb.GetStatusRequest()))

    def read_aggregate(
        self, aggregate_id: str, *, from_version: int = 0, limit: int = 0, backwards: bool = False
    ) -> AsyncGenerator[RecordedEvent, None]:
        """Read the events of one aggregate in the order of their versions.

        Args:
            aggregate_id: A UUID.
            from_version: The first version to read, inclusive; 0 is the first one, or backwards the last.
            limit: How many events at the most; 0 is all of them.
            backwards: From `from_version` down to 1.
        """

        def request(from_: int, limit: int) -> pb.ReadAggregateRequest:
            return pb.ReadAggregateRequest(
                aggregate_id=aggregate_id, from_version=from_, limit=limit, backwards=backwards
            )

        return self._read("ReadAggregate", request, "event_version", from_version, limit, backwards=backwards)

    def read_all(
        self, *, from_position: int = 0, limit: int = 0, backwards: bool = False
    ) -> AsyncGenerator[RecordedEvent, None]:
        """Read the log in the order of its positions, up to its head at the time of the call.

        Args:
            from_position: The first position to read, inclusive; 0 is the first one, or backwards the last.
            limit: How many events at the most; 0 is all of them.
            backwards: From `from_position` down to 1.
        """

        def request(from_: int, limit: int) -> pb.ReadAllRequest:
            return pb.ReadAllRequest(from_position=from_, limit=limit, backwards=backwards)

        return self._read("ReadAll", request, "global_position", from_position, limit, backwards=backwards)

    async def _call(self, method: str, request: Any) -> Any:
        deadline = asyncio.get_running_loop().time() + self._timeout_seconds
        backoff = Backoff(_FIRST_WAIT_SECONDS, _LONGEST_WAIT_SECONDS)
        while True:
            left_seconds = deadline - asyncio.get_running_loop().time()
            try:
                return await self._method(method)(request, timeout=left_seconds)
            except grpc.aio.AioRpcError as failure:
                await self._pause(to_error(failure), backoff, deadline)

    async def _read(
        self,
        method: str,
        request: Callable[[int, int], Any],
        place: str,
        from_: int,
        limit: int,
        *,
        backwards: bool,
    ) -> AsyncGenerator[RecordedEvent, None]:
        given = 0
        backoff = Backoff(_FIRST_WAIT_SECONDS, _LONGEST_WAIT_SECONDS)
        deadline = asyncio.get_running_loop().time() + self._timeout_seconds
        while True:
            call = self._method(method)(request(from_, limit and limit - given))
            try:
                while True:
                    async with asyncio.timeout_at(deadline):
                        response = await call.read()
                    if response is grpc.aio.EOF:
                        return
                    for message in response.events:
                        event = wire.recorded_event(message)
                        given += 1
                        from_ = getattr(event, place) + (-1 if backwards else 1)
                        yield event
                    backoff.reset()
                    deadline = asyncio.get_running_loop().time() + self._timeout_seconds
            except grpc.aio.AioRpcError as failure:
                error = to_error(failure)
            except TimeoutError:
                error = UnavailableError("the service did not answer in time")
            finally:
                call.cancel()
            if given and (given == limit or from_ == 0):
                return  # it failed after the last event that was asked for; 0 would mean another end
            await self._pause(error, backoff, deadline)

    async def _pause(self, error: EventStoreError, backoff: Backoff, deadline: float) -> None:
        """Wait before a repetition; raise the error if repeating cannot help or the time is over."""
        if not isinstance(error, OverloadedError | UnavailableError):
            raise error
        seconds = backoff.next_seconds()
        if isinstance(error, OverloadedError):
            seconds += error.retry_after_seconds
        if asyncio.get_running_loop().time() + seconds >= deadline:
            raise error
        await asyncio.sleep(seconds)

    def _method(self, name: str) -> Any:
        if self._stub is None:
            raise EventStoreError("the client is not connected: use it as `async with Client(...) as client`")
        return getattr(self._stub, name)
