"""A stream ends at its limit, before the platform would end it, and so that its caller goes on."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final

import grpc
import psycopg
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from event_store.database.login import TIMEOUTS
from event_store.environment import Environment
from event_store.v1 import event_store_pb2 as pb
from tests.conftest import TestDatabase
from tests.event_store.conftest import Service, running
from tests.event_store.log.test_group_commit import batch_in_flight
from tests.event_store.requests import append, request

PATIENCE_SECONDS: Final = 20.0
AGGREGATE_ID: Final = "0198c2a4-5b1c-7cc0-a6ab-3f6ad1e0b001"
# What opens each stream of the contract. A read waits for its events, which the test has locked.
STREAMS: Final[dict[str, Callable[[Any], Any]]] = {
    "AppendEventsStream": lambda stub: stub.AppendEventsStream(),
    "ReadAggregate": lambda stub: stub.ReadAggregate(pb.ReadAggregateRequest(aggregate_id=AGGREGATE_ID)),
    "ReadAll": lambda stub: stub.ReadAll(pb.ReadAllRequest()),
    "Subscribe": lambda stub: stub.Subscribe(pb.SubscribeRequest()),
    "LoadAggregate": lambda stub: stub.LoadAggregate(pb.LoadAggregateRequest(aggregate_id=AGGREGATE_ID)),
    "ImportEvents": lambda stub: stub.ImportEvents(),
}


@pytest.fixture
async def limited(
    database: TestDatabase, environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Service]:
    """A service that ends each stream after a second, and lets appends wait longer than that for a lock."""
    monkeypatch.setitem(TIMEOUTS, "lock_timeout", "14s")
    async with running(database, replace(environment, stream_seconds=1), monkeypatch) as service:
        yield service


def test_every_stream_of_the_contract_is_tried_here() -> None:
    """A new one is noticed."""
    methods = pb.DESCRIPTOR.services_by_name["EventStore"].methods

    assert {each.name for each in methods if each.server_streaming or each.client_streaming} == {*STREAMS}


async def _end_of(call: Any) -> tuple[grpc.StatusCode, str]:
    """Read a stream to its end; return its status."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        with suppress(grpc.aio.AioRpcError):
            while await call.read() is not grpc.aio.EOF:
                pass
        return await call.code(), await call.details() or ""


@pytest.mark.parametrize("name", STREAMS)
async def test_a_stream_ends_with_unavailable_at_its_limit(
    limited: Service, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever it waits for; and nobody has to look after it, so nothing is logged."""
    await limited.append(append(AGGREGATE_ID))
    caplog.set_level(logging.INFO)
    caplog.clear()
    with psycopg.connect(limited.database.superuser) as locking:
        if name.startswith(("Read", "Load")):
            locking.execute("LOCK TABLE events")
        code, said = await _end_of(STREAMS[name](limited.stub))

    assert code is grpc.StatusCode.UNAVAILABLE
    assert "the stream has reached its time limit of 1 s" in said
    assert caplog.records == []


async def test_watching_the_health_ends_at_the_limit_too(limited: Service) -> None:
    """A client that checks the health itself watches for as long as it has a connection."""
    call = health_pb2_grpc.HealthStub(limited.channel).Watch(health_pb2.HealthCheckRequest())

    code, said = await _end_of(call)

    assert code is grpc.StatusCode.UNAVAILABLE
    assert "the stream has reached its time limit of 1 s" in said


async def test_what_a_stream_of_appends_has_taken_is_answered_before_it_ends(limited: Service) -> None:
    """A request that waits in the database at the limit has its verdict, and then the stream ends."""
    call = limited.stub.AppendEventsStream()
    with psycopg.connect(limited.database.superuser) as blocker:
        blocker.execute("SELECT FROM log_head FOR UPDATE")
        await call.write(request(append()))
        await batch_in_flight(limited.database)
        await _end_of(limited.stub.Subscribe(pb.SubscribeRequest()))  # it began later
    async with asyncio.timeout(PATIENCE_SECONDS):
        verdict = await call.read()
    code, _ = await _end_of(call)

    assert verdict.response.results[0].first_global_position == 1
    assert code is grpc.StatusCode.UNAVAILABLE
