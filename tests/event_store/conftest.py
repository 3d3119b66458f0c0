"""A running service on a database of the test's own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import grpc
import psycopg
import pytest

from event_store.environment import Environment
from event_store.server.server import Server
from event_store.v1 import event_store_pb2 as pb
from event_store.v1 import event_store_pb2_grpc
from tests.conftest import TestDatabase
from tests.metadata import metadata
from tests.proxy import Proxy

__all__ = ["metadata"]  # a fixture


@dataclass(frozen=True, slots=True)
class Service:
    """A service and a client of it.

    Attributes:
        server: The server in this process.
        channel: To it.
        stub: On the channel.
        database: The database below it.
    """

    server: Server
    channel: grpc.aio.Channel
    stub: Any
    database: TestDatabase

    async def append(self, *appends: pb.AggregateAppend) -> list[pb.AppendResult]:
        response = await self.stub.AppendEvents(pb.AppendEventsRequest(appends=appends))
        return list(response.results)

    async def read_all(self, **request: Any) -> list[pb.RecordedEvent]:
        parts = [part async for part in self.stub.ReadAll(pb.ReadAllRequest(**request))]
        return [event for part in parts for event in part.events]

    async def read_aggregate(self, aggregate_id: str, **request: Any) -> list[pb.RecordedEvent]:
        call = self.stub.ReadAggregate(pb.ReadAggregateRequest(aggregate_id=aggregate_id, **request))
        return [event async for part in call for event in part.events]

    def execute(self, statement: str, *, user: str = "superuser") -> list[tuple[Any, ...]]:
        """Run a statement behind the service's back."""
        with psycopg.connect(getattr(self.database, user), autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []


@asynccontextmanager
async def running(
    database: TestDatabase,
    environment: Environment,
    monkeypatch: pytest.MonkeyPatch,
    proxy: Proxy | None = None,
) -> AsyncIterator[Service]:
    """Run a service, which may reach its database through a proxy; it may be stopped within."""
    for name, value in database.variables().items():
        monkeypatch.setenv(name, value)
    if proxy is not None:
        monkeypatch.setenv("PGPORT", str(proxy.port))
    server = Server(environment, None)
    await server.start()
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
            stub = event_store_pb2_grpc.EventStoreStub(channel)  # type: ignore[no-untyped-call] # generated
            yield Service(server, channel, stub, database)
    finally:
        await server.stop()


@pytest.fixture
async def service(
    database: TestDatabase, environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Service]:
    """A service on the newest PostgreSQL."""
    async with running(database, environment, monkeypatch) as service:
        yield service


@pytest.fixture
async def any_service(
    any_database: TestDatabase, environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Service]:
    """A service on the newest and on the oldest PostgreSQL."""
    async with running(any_database, environment, monkeypatch) as service:
        yield service
