"""What the client repeats by itself, and what it leaves to its caller."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import grpc
import pytest
from grpc_status import rpc_status

import event_store
from event_store import status
from event_store.client import Client
from event_store.errors import (
    EventStoreError,
    OverloadedError,
    UnavailableError,
    WrongExpectedVersionError,
)
from event_store.events import AppendResult, ExpectedVersion, NewEvent, RecordedEvent
from event_store.server import Server
from event_store.v1 import event_store_pb2 as pb
from event_store.v1 import event_store_pb2_grpc
from tests.client.command import PATIENCE_SECONDS
from tests.client.conftest import serving


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
            await context.abort_with_status(rpc_status.to_status(status.to_status(self.refusals.pop(0))))
        return pb.GetStatusResponse(head_position=7)


async def _called(service: _Refusing) -> event_store.Status:
    server = grpc.aio.server()
    event_store_pb2_grpc.add_EventStoreServicer_to_server(service, server)  # type: ignore[no-untyped-call] # generated
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        async with Client(f"127.0.0.1:{port}", timeout_seconds=5) as client:
            return await client.status()
    finally:
        await server.stop(None)


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
