"""What the client repeats by itself, and what it leaves to its caller."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import grpc
import pytest
from grpc_status import rpc_status

import event_store
from event_store.backoff import Backoff
from event_store.client.client import Client
from event_store.client.retrying import pause
from event_store.contract import error_status
from event_store.errors import (
    EventStoreError,
    OverloadedError,
    UnavailableError,
    WrongExpectedVersionError,
)
from event_store.model.events import AppendResult, ExpectedVersion, NewEvent, RecordedEvent
from event_store.model.markers import Checkpoint
from event_store.server.server import Server
from event_store.v1 import event_store_pb2 as pb
from event_store.v1 import event_store_pb2_grpc
from tests.event_store.client.conftest import serving
from tests.event_store.command import PATIENCE_SECONDS


async def _collect(events: AsyncIterator[RecordedEvent]) -> list[RecordedEvent]:
    async with asyncio.timeout(PATIENCE_SECONDS):
        return [event async for event in events]


async def _append(client: Client, *data: object) -> AppendResult:
    events = [NewEvent("Happened", value) for value in data]
    return await client.append(str(uuid4()), "Order", events, expected_version=ExpectedVersion.ANY)


async def test_an_append_outlives_a_restart_of_the_service(server: Server, client: Client) -> None:
    """A call that nobody could take is repeated until the service is back, and stored once."""
    await _append(client, 1)
    await server.stop()
    pending = asyncio.create_task(_append(client, 2))
    await asyncio.sleep(0)

    async with serving(server.port), asyncio.timeout(PATIENCE_SECONDS):
        assert (await pending).last_global_position == 2
        assert [event.event_data for event in await _collect(client.read_all())] == [1, 2]


async def test_a_read_goes_on_after_a_restart_of_the_service(server: Server, client: Client) -> None:
    """No event is given twice or left out, though the connection ended in the middle."""
    for _ in range(10):
        await _append(client, *["x" * 20_000] * 50)
    events = client.read_all()
    positions = [(await anext(events)).global_position]
    await server.grpc.stop(None)
    await server.stop()

    async with serving(server.port):
        positions += [event.global_position for event in await _collect(events)]

    assert positions == list(range(1, 501))


class _Refusing(event_store_pb2_grpc.EventStoreServicer):
    """A service that refuses some calls before it answers."""

    def __init__(self, *refusals: EventStoreError) -> None:
        self.refusals = list(refusals)
        self.calls = 0

    async def GetStatus(  # noqa: N802 # gRPC's name
        self, _request: pb.GetStatusRequest, context: grpc.aio.ServicerContext
    ) -> pb.GetStatusResponse:
        self.calls += 1
        if self.refusals:
            await context.abort_with_status(
                rpc_status.to_status(error_status.to_status(self.refusals.pop(0)))
            )
        return pb.GetStatusResponse(head_position=7)


@asynccontextmanager
async def _serving(service: event_store_pb2_grpc.EventStoreServicer) -> AsyncIterator[str]:
    """Serve; yield the target."""
    server = grpc.aio.server()
    event_store_pb2_grpc.add_EventStoreServicer_to_server(service, server)  # type: ignore[no-untyped-call] # generated
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await server.stop(None)


async def _called(service: _Refusing) -> event_store.Status:
    async with _serving(service) as target, Client(target, timeout_seconds=5) as client:
        return await client.status()


async def test_what_is_safe_to_repeat_is_repeated() -> None:
    """An overloaded service is asked again after the time it names, an unavailable one after a short wait."""
    service = _Refusing(OverloadedError("full", 0.3), UnavailableError("away"))
    started = asyncio.get_running_loop().time()

    assert (await _called(service)).head_position == 7

    assert service.calls == 3
    assert asyncio.get_running_loop().time() - started >= 0.3


@pytest.mark.parametrize(
    "error",
    [
        WrongExpectedVersionError("id", "0", 1),
        EventStoreError("broken"),
        OverloadedError("full for long", 60),
    ],
)
async def test_nothing_else_is_repeated(error: EventStoreError) -> None:
    """A conflict, a failure, and a wait beyond the deadline are the caller's at once."""
    service = _Refusing(error)

    with pytest.raises(type(error)):
        await _called(service)

    assert service.calls == 1


class _Cutting(event_store_pb2_grpc.EventStoreServicer):
    """A service that gives events of the log in parts, and fails after each of some parts."""

    def __init__(self, *parts: list[int], fails_after: int) -> None:
        self.parts = list(parts)
        self.requests: list[pb.ReadAllRequest] = []
        self._fails_after = fails_after

    async def ReadAll(  # noqa: N802 # gRPC's name
        self, request: pb.ReadAllRequest, context: grpc.aio.ServicerContext
    ) -> AsyncIterator[pb.ReadAllResponse]:
        self.requests.append(request)
        for _ in range(self._fails_after):
            if not self.parts:
                return
            part = self.parts.pop(0)
            yield pb.ReadAllResponse(
                events=[pb.RecordedEvent(global_position=each, metadata=b"{}") for each in part],
                last_scanned_position=part[-1],
            )
        if len(self.requests) == 1:
            await context.abort_with_status(
                rpc_status.to_status(error_status.to_status(UnavailableError("away")))
            )


async def _read_of(service: _Cutting, *, pause_seconds: float = 0, **options: Any) -> list[int]:
    async with _serving(service) as target, Client(target, timeout_seconds=2) as client:
        positions = []
        async with asyncio.timeout(PATIENCE_SECONDS):
            async for event in client.read_all(**options):
                positions.append(event.global_position)
                await asyncio.sleep(pause_seconds if len(positions) == 1 else 0)
        return positions


async def test_a_resumed_read_asks_for_what_is_left_of_its_limit() -> None:
    """What was given before the loss counts, and the rest begins behind it."""
    service = _Cutting([1, 2], [3, 4], [5], fails_after=2)

    assert await _read_of(service, limit=5) == [1, 2, 3, 4, 5]

    assert [(each.from_position, each.limit) for each in service.requests] == [(0, 5), (5, 1)]


async def test_a_read_that_was_cut_behind_its_last_event_is_complete() -> None:
    """At its limit, or backwards at the first event: it is not asked for again, which would give all anew."""
    limited = _Cutting([1, 2], fails_after=1)
    backwards = _Cutting([2, 1], fails_after=1)

    assert await _read_of(limited, limit=2) == [1, 2]
    assert await _read_of(backwards, backwards=True) == [2, 1]

    assert (len(limited.requests), len(backwards.requests)) == (1, 1)


async def test_a_resumed_read_backwards_goes_on_below() -> None:
    """The last event that was given is not given again."""
    service = _Cutting([9, 8], [7, 6], fails_after=1)

    assert await _read_of(service, backwards=True) == [9, 8, 7, 6]

    assert [each.from_position for each in service.requests] == [0, 7]


async def test_the_time_of_a_read_begins_anew_with_its_progress() -> None:
    """A caller that takes longer for an event than the timeout still gets the rest."""
    service = _Cutting([1], [2], [3], fails_after=4)
    service.requests.append(pb.ReadAllRequest())  # so that it does not fail

    assert await _read_of(service, pause_seconds=2.5) == [1, 2, 3]


async def test_a_call_is_tried_until_its_deadline() -> None:
    """An error that the deadline brings comes at most a moment before it."""
    clock = asyncio.get_running_loop().time
    async with Client("127.0.0.1:1", timeout_seconds=4) as client:
        began = clock()
        with pytest.raises(UnavailableError, match="cannot be reached"):
            await client.status()

    assert clock() - began >= 3.9


class _Flapping(event_store_pb2_grpc.EventStoreServicer):
    """A service that ends each subscription after one step."""

    def __init__(self) -> None:
        self.checkpoints: list[int] = []

    async def Subscribe(  # noqa: N802 # gRPC's name
        self, request: pb.SubscribeRequest, context: grpc.aio.ServicerContext
    ) -> AsyncIterator[pb.SubscribeResponse]:
        self.checkpoints.append(request.after_position)
        yield pb.SubscribeResponse(last_scanned_position=request.after_position + 1)
        await context.abort_with_status(
            rpc_status.to_status(error_status.to_status(UnavailableError("away")))
        )


async def test_a_subscription_that_is_lost_again_and_again_goes_on() -> None:
    """Each loss has the whole timeout, though all of them together take longer; each begins where it was."""
    clock = asyncio.get_running_loop().time
    service = _Flapping()
    async with _serving(service) as target, Client(target, timeout_seconds=1) as client:
        messages = client.subscribe(markers=True)
        until = clock() + 2.5
        received = [await anext(messages)]
        while clock() < until:
            received.append(await anext(messages))
        await messages.aclose()

    assert received == [Checkpoint(n) for n in range(1, len(received) + 1)]
    assert service.checkpoints == list(range(len(service.checkpoints)))


async def test_a_wait_does_not_outlast_the_deadline() -> None:
    """It is cut to what is left, so that there is another try before the end."""
    clock = asyncio.get_running_loop().time
    async with asyncio.timeout(PATIENCE_SECONDS):
        await pause(UnavailableError("away"), Backoff(1000, 1000), clock() + 1)


async def test_a_call_tells_what_was_wrong_not_that_its_last_attempt_had_no_time() -> None:
    """The first trouble says more than a deadline that passed."""
    answers = iter(
        [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.DEADLINE_EXCEEDED]
    )

    async def attempt(_left_seconds: float) -> None:
        code = next(answers, grpc.StatusCode.DEADLINE_EXCEEDED)
        raise grpc.aio.AioRpcError(code, grpc.aio.Metadata(), grpc.aio.Metadata(), f"said {code.name}")

    async with Client("127.0.0.1:1", timeout_seconds=1) as client:
        with pytest.raises(EventStoreError, match="said UNAVAILABLE"):
            await client._calls.repeat(attempt)
