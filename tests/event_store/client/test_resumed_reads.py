"""A read whose connection ends after each message gives every event that was asked for, once."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final
from uuid import uuid4

import grpc
import pytest
from grpc_status import rpc_status

from event_store.client.client import Client
from event_store.contract import error_status
from event_store.errors import UnavailableError
from event_store.v1 import event_store_pb2 as pb
from event_store.v1 import event_store_pb2_grpc
from tests.event_store.command import PATIENCE_SECONDS

EVENTS: Final = 6
MESSAGE_EVENTS: Final = 2
AGGREGATE_ID: Final = str(uuid4())


class _Cut(event_store_pb2_grpc.EventStoreServicer):
    """A service with one aggregate that is the log, which ends each call after a message."""

    async def ReadAll(  # noqa: N802 # gRPC's name
        self, request: pb.ReadAllRequest, context: grpc.aio.ServicerContext
    ) -> AsyncIterator[pb.ReadAllResponse]:
        numbers = _asked(request.from_position, request.limit, backwards=request.backwards)
        reached = numbers[-1] if numbers else 0
        yield pb.ReadAllResponse(
            events=map(_event, numbers), head_position=EVENTS, last_scanned_position=reached
        )
        await context.abort_with_status(rpc_status.to_status(error_status.to_status(UnavailableError("cut"))))

    async def ReadAggregate(  # noqa: N802 # gRPC's name
        self, request: pb.ReadAggregateRequest, context: grpc.aio.ServicerContext
    ) -> AsyncIterator[pb.ReadAggregateResponse]:
        numbers = _asked(request.from_version, request.limit, backwards=request.backwards)
        yield pb.ReadAggregateResponse(events=map(_event, numbers), head_position=EVENTS)
        if numbers:
            await context.abort_with_status(
                rpc_status.to_status(error_status.to_status(UnavailableError("cut")))
            )


def _asked(from_: int, limit: int, *, backwards: bool) -> list[int]:
    """Return the numbers of the next message of a read."""
    numbers = range(from_ or EVENTS, 0, -1) if backwards else range(from_ or 1, EVENTS + 1)
    return list(numbers)[: limit or EVENTS][:MESSAGE_EVENTS]


def _event(number: int) -> pb.RecordedEvent:
    event = pb.RecordedEvent(
        event_id=str(uuid4()),
        event_type="Happened",
        event_data=b"1",
        metadata=b"{}",
        aggregate_id=AGGREGATE_ID,
        aggregate_type="Order",
        event_version=number,
        global_position=number,
    )
    event.occurred_at.GetCurrentTime()
    event.created_at.GetCurrentTime()
    return event


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    """A client of it."""
    server = grpc.aio.server()
    event_store_pb2_grpc.add_EventStoreServicer_to_server(_Cut(), server)  # type: ignore[no-untyped-call] # generated
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with Client(f"127.0.0.1:{port}", timeout_seconds=PATIENCE_SECONDS) as client:
        yield client
    await server.stop(None)


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 5, 6])
@pytest.mark.parametrize("backwards", [False, True])
async def test_a_read_that_goes_on_keeps_its_limit_and_its_end(
    client: Client, limit: int, *, backwards: bool
) -> None:
    """Up to the limit or to version 1 it is the read that was asked for, however often it begins again."""
    expected = list(range(EVENTS, 0, -1) if backwards else range(1, EVENTS + 1))[:limit]
    async with asyncio.timeout(PATIENCE_SECONDS):
        log = [e.global_position async for e in client.read_all(limit=limit, backwards=backwards)]
        reads = client.read_aggregate(AGGREGATE_ID, limit=limit, backwards=backwards)
        aggregate = [e.event_version async for e in reads]

    assert log == expected
    assert aggregate == expected


async def test_a_read_without_a_limit_that_is_cut_after_version_1_ends_there(client: Client) -> None:
    """Backwards, position 0 would mean the other end: nothing is given twice."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        log = [e.global_position async for e in client.read_all(backwards=True)]
        aggregate = [e.event_version async for e in client.read_aggregate(AGGREGATE_ID, backwards=True)]

    assert log == aggregate == list(range(EVENTS, 0, -1))


async def test_an_aggregate_that_is_cut_after_its_last_event_is_read_to_its_end(client: Client) -> None:
    """Upwards the client cannot know that it was the last one: it asks again, and nothing is given twice."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        versions = [e.event_version async for e in client.read_aggregate(AGGREGATE_ID)]

    assert versions == list(range(1, EVENTS + 1))
