"""What is refused, and how the caller is told, over gRPC."""

import asyncio
from typing import Any, Final
from uuid import uuid4

import grpc
import psycopg
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from event_store.contract.append_request import MOST_DATA_BYTES, MOST_REQUEST_BYTES
from event_store.database import pool
from event_store.environment import Environment
from event_store.log import appender
from event_store.v1 import event_store_pb2 as pb
from tests.conftest import TestDatabase
from tests.event_store.conftest import Service, running
from tests.event_store.log.test_group_commit import batch_in_flight
from tests.event_store.requests import append, event, request
from tests.event_store.server.test_append_stream import verdicts

PATIENCE_SECONDS: Final = 30.0
MIB: Final = 1_048_576


def _request_of(size_bytes: int) -> pb.AppendEventsRequest:
    """Return a request of about a size, of events that each are within their limit."""
    data = b'"' + b"x" * (MOST_DATA_BYTES // 2) + b'"'
    count, rest = divmod(size_bytes, len(data))
    return request(append(events=[*(event(data) for _ in range(count)), event(b'"' + b"x" * rest + b'"')]))


async def test_a_request_over_the_limit_is_refused_by_a_verdict_on_a_stream(service: Service) -> None:
    """The verdict names the limit, and what follows on the stream is stored."""
    call = service.stub.AppendEventsStream()
    await call.write(_request_of(MOST_REQUEST_BYTES + 1000))
    await call.write(request(append()))
    await call.done_writing()

    found = await verdicts(call)

    assert grpc.StatusCode.INVALID_ARGUMENT.value[0] == found[1].error.code
    assert str(MOST_REQUEST_BYTES) in found[1].error.message
    assert found[2].response.results[0].first_global_position == 1


async def test_a_request_far_over_the_limit_ends_a_stream(service: Service) -> None:
    """It is refused by gRPC itself; nothing of it is stored, and the service serves on."""
    call = service.stub.AppendEventsStream()
    await call.write(_request_of(MOST_REQUEST_BYTES + MIB + 1000))

    assert await _code(verdicts(call)) is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert await service.read_all() == []
    assert (await service.append(append()))[0].first_global_position == 1


async def test_a_full_queue_refuses_with_the_time_to_come_back(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RESOURCE_EXHAUSTED carries RetryInfo; nothing of what was refused is stored, all else is."""
    monkeypatch.setattr(appender, "QUEUE_REQUESTS", 3)
    with psycopg.connect(service.database.superuser) as blocker:
        blocker.execute("SELECT FROM log_head FOR UPDATE")
        appends = [asyncio.create_task(service.append(append()))]
        await batch_in_flight(service.database)
        appends += [asyncio.create_task(service.append(append())) for _ in range(5)]
        async with asyncio.timeout(PATIENCE_SECONDS):
            refused, _ = await asyncio.wait(appends, return_when=asyncio.FIRST_COMPLETED)
        blocker.rollback()
    answers = await asyncio.gather(*appends, return_exceptions=True)

    errors = [each for each in answers if isinstance(each, grpc.aio.AioRpcError)]
    assert refused
    assert len(errors) == 2
    assert {each.code() for each in errors} == {grpc.StatusCode.RESOURCE_EXHAUSTED}
    for each in errors:
        retry = _detail(each, error_details_pb2.RetryInfo)
        assert retry.retry_delay.ToNanoseconds() == 500_000_000
    assert len(await service.read_all()) == 4


async def test_a_snapshot_whose_event_is_missing_is_data_loss(service: Service) -> None:
    """It is no state that the log knows: loading it would be followed by appends that never fit."""
    aggregate_id = str(uuid4())
    await service.append(append(aggregate_id, 5))
    await _save(service, aggregate_id, 5)
    _delete(service, "event_version = 5")

    for code in (await _code(_get(service, aggregate_id)), await _code(_load(service, aggregate_id))):
        assert code is grpc.StatusCode.DATA_LOSS


async def test_a_hole_behind_a_snapshot_is_data_loss(service: Service) -> None:
    """A load never joins a snapshot to events that do not follow it."""
    aggregate_id = str(uuid4())
    await service.append(append(aggregate_id, 5))
    await _save(service, aggregate_id, 3)
    _delete(service, "event_version = 4")

    assert await _code(_load(service, aggregate_id)) is grpc.StatusCode.DATA_LOSS


async def test_snapshots_are_unavailable_while_the_database_is_away(
    mortal_database: TestDatabase, environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Saving, getting and loading may be tried again, and succeed once it is back."""
    monkeypatch.setattr(pool, "_POOL_TIMEOUT_SECONDS", 0.5)
    aggregate_id = str(uuid4())
    async with running(mortal_database, environment, monkeypatch) as service:
        await service.append(append(aggregate_id, 5))
        mortal_database.postgres.stop()
        calls = (_save(service, aggregate_id, 3), _get(service, aggregate_id), _load(service, aggregate_id))
        assert [await _code(call) for call in calls] == [grpc.StatusCode.UNAVAILABLE] * 3
        mortal_database.postgres.start()

        async with asyncio.timeout(PATIENCE_SECONDS):
            while await _code(_save(service, aggregate_id, 3)) is not grpc.StatusCode.OK:
                pass
            assert (await _get(service, aggregate_id)).snapshot.event_version == 3


async def _save(service: Service, aggregate_id: str, version: int) -> Any:
    return await service.stub.SaveSnapshot(
        pb.SaveSnapshotRequest(
            aggregate_id=aggregate_id,
            aggregate_type="Vocabulary",
            event_version=version,
            snapshot_data=b"{}",
        )
    )


async def _get(service: Service, aggregate_id: str) -> Any:
    return await service.stub.GetSnapshot(pb.GetSnapshotRequest(aggregate_id=aggregate_id))


async def _load(service: Service, aggregate_id: str) -> list[Any]:
    return [
        each async for each in service.stub.LoadAggregate(pb.LoadAggregateRequest(aggregate_id=aggregate_id))
    ]


async def _code(call: Any) -> grpc.StatusCode:
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await call
    except grpc.aio.AioRpcError as error:
        code: grpc.StatusCode = error.code()
        return code
    return grpc.StatusCode.OK


def _delete(service: Service, which: str) -> None:
    """Delete events behind everybody's back."""
    service.execute("ALTER TABLE events DISABLE TRIGGER append_only")
    service.execute(f"DELETE FROM events WHERE {which}")  # noqa: S608 # of this file


def _detail(error: grpc.aio.AioRpcError, kind: Any) -> Any:
    for packed in rpc_status.from_call(error).details:
        detail = kind()
        if packed.Unpack(detail):
            return detail
    raise AssertionError(kind)
