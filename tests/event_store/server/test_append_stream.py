"""What `AppendEventsStream` promises: order, a verdict for each, bounds, and an end that loses nothing."""

import asyncio
from typing import Any
from uuid import uuid4

import grpc
import psycopg
import pytest
from google.rpc import error_details_pb2

from event_store.environment import Environment
from event_store.log import appender
from event_store.server import append_stream_call
from event_store.v1 import event_store_pb2 as pb
from event_store.v1 import event_store_pb2_grpc
from tests.conftest import TestDatabase, kill
from tests.event_store.conftest import Service, running
from tests.event_store.log.test_group_commit import batch_in_flight
from tests.event_store.requests import NO_STREAM, append, event, exact, request

PATIENCE_SECONDS = 30.0


async def verdicts(call: Any, most: int | None = None) -> dict[int, pb.AppendEventsStreamResponse]:
    """Read verdicts, by the number of their request, until the stream ends or there are enough."""
    found: dict[int, pb.AppendEventsStreamResponse] = {}
    async with asyncio.timeout(PATIENCE_SECONDS):
        while most is None or len(found) < most:
            response = await call.read()
            if response is grpc.aio.EOF:
                break
            assert response.request_number not in found
            found[response.request_number] = response
    return found


async def send(
    service: Service, *requests: pb.AppendEventsRequest
) -> dict[int, pb.AppendEventsStreamResponse]:
    """Send requests on a stream of their own, without waiting for any verdict, and return all verdicts."""
    call = service.stub.AppendEventsStream()
    async with asyncio.timeout(PATIENCE_SECONDS):
        for each in requests:
            await call.write(each)
        await call.done_writing()
    return await verdicts(call)


async def cancel_batch(service: Service) -> None:
    """Let PostgreSQL refuse the batch that waits for the lock of the log, on a connection that stays."""
    process = await batch_in_flight(service.database)
    waits = "SELECT query_start FROM pg_stat_activity WHERE pid = %s AND wait_event_type = 'Lock'"
    with psycopg.connect(service.database.superuser, autocommit=True) as watcher:
        before = watcher.execute(waits, (process,)).fetchone()
        watcher.execute("SELECT pg_cancel_backend(%s)", (process,))
        async with asyncio.timeout(PATIENCE_SECONDS):
            while watcher.execute(waits, (process,)).fetchone() == before:  # noqa: ASYNC110 # no signal
                await asyncio.sleep(0.01)


async def test_requests_for_one_aggregate_are_stored_in_the_order_of_the_stream(any_service: Service) -> None:
    """Each of a hundred pipelined requests expects the version that the one before it makes."""
    aggregate_id = str(uuid4())
    requests = [
        each
        for version in range(100)
        for each in (request(append(aggregate_id, expected=exact(version))), request(append(events=2)))
    ]

    found = await send(any_service, *requests)

    assert sorted(found) == list(range(1, 201))
    assert [found[number].response.results[0].event_version for number in range(1, 200, 2)] == list(
        range(1, 101)
    )
    assert [event.global_position for event in await any_service.read_all()] == list(range(1, 301))


async def test_each_request_has_a_verdict_of_its_own(any_service: Service) -> None:
    """Bad input, a conflict, a used event id and a repetition in the middle harm nobody."""
    aggregate_id, known = str(uuid4()), event()
    bad = request(append("no uuid"))
    large = request(append(events=[event(b'"' + b"x" * 1_048_576 + b'"')]))

    found = await send(
        any_service,
        request(append(aggregate_id, [known], NO_STREAM)),
        bad,
        request(append(aggregate_id, expected=NO_STREAM)),
        request(append(aggregate_id, [known], NO_STREAM)),
        large,
        request(append(events=[event(b"1", event_id=known.event_id)])),
        request(append(aggregate_id, expected=exact(1))),
    )

    assert [found[number].WhichOneof("verdict") for number in range(1, 8)] == [
        "response",
        "error",
        "error",
        "response",
        "error",
        "error",
        "response",
    ]
    assert found[4].response.results[0].duplicate
    assert [found[number].error.code for number in (2, 3, 5, 6)] == [
        code.value[0]
        for code in (
            grpc.StatusCode.INVALID_ARGUMENT,
            grpc.StatusCode.ABORTED,
            grpc.StatusCode.INVALID_ARGUMENT,
            grpc.StatusCode.ALREADY_EXISTS,
        )
    ]
    violations, info = error_details_pb2.BadRequest(), error_details_pb2.ErrorInfo()
    assert found[2].error.details[0].Unpack(violations)
    assert violations.field_violations[0].field == "appends[0].aggregate_id"
    assert found[3].error.details[0].Unpack(info)
    assert (info.reason, info.metadata["actual_version"]) == ("WRONG_EXPECTED_VERSION", "1")
    assert [each.event_version for each in await any_service.read_aggregate(aggregate_id)] == [1, 2]


async def test_a_client_that_does_not_read_is_not_read_from(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a client that only sends, no more is stored than may be in flight and than gRPC holds for it."""
    monkeypatch.setattr(append_stream_call, "IN_FLIGHT", 8)
    small_window = (("grpc.http2.bdp_probe", 0), ("grpc.http2.lookahead_bytes", 65_536))
    address = f"127.0.0.1:{service.server.port}"
    async with grpc.aio.insecure_channel(address, options=small_window) as channel:
        call = event_store_pb2_grpc.EventStoreStub(channel).AppendEventsStream()  # type: ignore[no-untyped-call] # generated
        sent = 0

        async def keep_sending() -> None:
            nonlocal sent
            while True:
                await call.write(request(*(append() for _ in range(100))))  # its verdict has about 6 KiB
                sent += 1

        sending = asyncio.create_task(keep_sending())
        before = -1
        async with asyncio.timeout(PATIENCE_SECONDS):
            while before != sent:  # until half a second passes without one
                before = sent
                await asyncio.sleep(0.5)
        stored = service.execute("SELECT count(*) / 100 FROM events")[0][0]

        assert 8 <= stored < 8 + 32  # of 6 KiB in a window of 64, and some
        found = await verdicts(call, most=150)  # and it goes on once it reads
        assert sorted(found) == list(range(1, 151))
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        call.cancel()


async def test_a_full_queue_makes_a_stream_wait(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a call of its own would be refused, a request of a stream is stored a little later."""
    monkeypatch.setattr(appender, "QUEUE_REQUESTS", 3)
    with psycopg.connect(service.database.superuser) as blocker:
        blocker.execute("SELECT FROM log_head FOR UPDATE")
        async with asyncio.TaskGroup() as tasks:
            sending = tasks.create_task(send(service, *(request(append()) for _ in range(50))))
            await batch_in_flight(service.database)
            blocker.rollback()

    found = sending.result()

    assert [found[number].WhichOneof("verdict") for number in range(1, 51)] == ["response"] * 50


async def test_stop_answers_what_was_taken_and_ends_the_stream(
    database: TestDatabase, environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stream that the client leaves open keeps no stopping service waiting, and is told to go elsewhere."""
    async with running(database, environment, monkeypatch) as service:
        with psycopg.connect(database.superuser) as blocker:
            blocker.execute("SELECT FROM log_head FOR UPDATE")
            call = service.stub.AppendEventsStream()
            for _ in range(5):
                await call.write(request(append()))
            await call.write(request())
            assert list(await verdicts(call, most=1)) == [6]  # a bad one: those before it have been taken
            await batch_in_flight(database)
            stopping = asyncio.create_task(service.server.stop())
            await asyncio.sleep(0)
        found = await verdicts(call, most=5)
        async with asyncio.timeout(5):  # less than the grace of calls in flight
            with pytest.raises(grpc.aio.AioRpcError) as raised:
                await verdicts(call)
            await stopping

    assert sorted(found) == [1, 2, 3, 4, 5]
    assert raised.value.code() == grpc.StatusCode.UNAVAILABLE


async def test_a_database_that_is_away_ends_the_stream_and_keeps_the_order(
    mortal_database: TestDatabase, environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once a request could not be stored none behind it is, whatever it expects: all may be sent again."""
    aggregate_id = str(uuid4())
    requests = [request(append(aggregate_id)) for _ in range(10)]
    async with running(mortal_database, environment, monkeypatch) as service:
        blocker = psycopg.connect(mortal_database.superuser)
        blocker.execute("SELECT FROM log_head FOR UPDATE")
        call = service.stub.AppendEventsStream()
        for each in requests:
            await call.write(each)
        await batch_in_flight(mortal_database)
        kill(mortal_database.postgres)
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await verdicts(call)
        assert raised.value.code() == grpc.StatusCode.UNAVAILABLE
        blocker.close()
        mortal_database.postgres.start()

        await send(service, *requests)

        stored = service.execute("SELECT event_id::text FROM events ORDER BY global_position")
        assert [each for (each,) in stored] == [each.appends[0].events[0].event_id for each in requests]


async def test_what_is_behind_a_request_that_was_not_stored_is_taken_back(service: Service) -> None:
    """Though the next batch would be: sent again, all of them are in the log in the order of the stream."""
    aggregate_id = str(uuid4())
    requests = [request(append(aggregate_id)) for _ in range(5)]
    with psycopg.connect(service.database.superuser) as blocker:
        blocker.execute("SELECT FROM log_head FOR UPDATE")
        other = service.stub.AppendEvents(request(append()))
        await batch_in_flight(service.database)
        call = service.stub.AppendEventsStream()
        for each in (*requests, request()):
            await call.write(each)
        assert list(await verdicts(call, most=1)) == [6]  # a bad one: those before it have been taken
        await cancel_batch(service)
        with pytest.raises(grpc.aio.AioRpcError):
            await other  # so that the first request of the stream is in flight, and the others wait
        await cancel_batch(service)
        blocker.rollback()
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await verdicts(call)
        assert raised.value.code() == grpc.StatusCode.UNAVAILABLE

    await send(service, *requests)

    stored = service.execute("SELECT event_id::text FROM events ORDER BY global_position")
    assert [each for (each,) in stored] == [each.appends[0].events[0].event_id for each in requests]


async def test_a_stream_takes_more_requests_than_may_be_in_flight(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Room comes back with each verdict, good or bad."""
    monkeypatch.setattr(append_stream_call, "IN_FLIGHT", 4)

    found = await send(service, *(request(*[append()] * (number % 2)) for number in range(20)))

    assert len(found) == 20


async def test_a_client_that_goes_away_breaks_nothing(service: Service) -> None:
    """Others go on, and nothing of it keeps the service from stopping."""
    call = service.stub.AppendEventsStream()
    await call.write(request(append()))
    await verdicts(call, most=1)
    call.cancel()

    assert len(await send(service, request(append()), request(append()))) == 2
    async with asyncio.timeout(5):  # less than the grace of calls in flight
        await service.server.stop()
