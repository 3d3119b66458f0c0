"""The server's life: what it says of itself, and how it ends."""

import asyncio
import logging
from dataclasses import replace

import grpc
import psycopg
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from event_store.database.schema import NOT_APPEND_ONLY
from event_store.environment import Environment
from event_store.errors import ConfigurationError, SchemaError, UnavailableError
from event_store.server.server import SERVICE, Server
from event_store.v1 import event_store_pb2 as pb
from local_gcp.system.ports import free_port
from tests.conftest import TestDatabase
from tests.event_store.conftest import Service, running
from tests.event_store.log.test_group_commit import batch_in_flight
from tests.event_store.requests import append, request


async def test_health_serves_the_whole_and_the_service(service: Service) -> None:
    """Both names that probes ask for are SERVING."""
    stub = health_pb2_grpc.HealthStub(service.channel)
    for name in ("", SERVICE):
        answer = await stub.Check(health_pb2.HealthCheckRequest(service=name))
        assert answer.status == health_pb2.HealthCheckResponse.SERVING


async def test_reflection_lists_and_describes_the_service(service: Service) -> None:
    """A client without the contract finds the service and its file."""
    stub = reflection_pb2_grpc.ServerReflectionStub(service.channel)
    asked = [
        reflection_pb2.ServerReflectionRequest(list_services=""),
        reflection_pb2.ServerReflectionRequest(file_containing_symbol=SERVICE),
    ]

    listed, described = [answer async for answer in stub.ServerReflectionInfo(iter(asked))]

    assert SERVICE in [each.name for each in listed.list_services_response.service]
    assert described.file_descriptor_response.file_descriptor_proto


async def test_stop_answers_calls_in_flight(
    any_database: TestDatabase, environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An append that waits in the database when the server is told to stop is stored and answered."""
    async with running(any_database, environment, monkeypatch) as service:
        with psycopg.connect(any_database.superuser) as blocker:
            blocker.execute("SELECT FROM log_head FOR UPDATE")
            call = service.stub.AppendEvents(request(append()))
            await batch_in_flight(any_database)
            stopping = asyncio.create_task(service.server.stop())
            await asyncio.sleep(0)
        answer = await call
        await stopping

    assert answer.results[0].first_global_position == 1


async def test_a_taken_port_is_told(service: Service, environment: Environment) -> None:
    """A second server on the same port says so and leaves nothing behind."""
    with pytest.raises(ConfigurationError, match="PORT"):
        await Server(replace(environment, port=service.server.port), None).start()


async def test_a_schema_that_is_missing_is_told(
    blank_database: TestDatabase, environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the schema the server does not start, and says what to run."""
    with pytest.raises(SchemaError, match="event-store migrate"):
        async with running(blank_database, environment, monkeypatch):
            pass


async def test_a_later_schema_is_served_if_it_works_with_this_release(
    service: Service, environment: Environment
) -> None:
    """During a rollout the old release goes on with the schema of the new one, unless that breaks it."""
    service.execute("UPDATE alembic_version SET version_num = '9999'")
    server = Server(environment, None)

    await server.start()
    await server.stop()
    service.execute("COMMENT ON TABLE alembic_version IS 'works with releases from revision 9998 on'")
    with pytest.raises(SchemaError, match="newer than this release"):
        await Server(environment, None).start()


async def test_a_log_that_can_be_changed_is_told_at_the_start(
    service: Service, environment: Environment, caplog: pytest.LogCaptureFixture
) -> None:
    """Somebody has switched the trigger off: an error says so, which the alert on errors is made of."""
    service.execute("ALTER TABLE events DISABLE TRIGGER append_only")
    server = Server(environment, None)

    await server.start()
    await server.stop()

    errors = [each.getMessage() for each in caplog.records if each.levelno == logging.ERROR]
    assert errors == [NOT_APPEND_ONLY]


async def test_a_database_that_is_away_is_told(
    environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A start without the database ends with a sentence."""
    monkeypatch.setenv("PGHOST", "127.0.0.1")
    monkeypatch.setenv("PGPORT", str(free_port()))
    monkeypatch.setattr("event_store.database.pool._POOL_TIMEOUT_SECONDS", 0.2)

    with pytest.raises(UnavailableError, match="database"):
        await Server(environment, None).start()


async def test_a_service_outlives_its_database(
    mortal_database: TestDatabase, environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the database away calls are UNAVAILABLE; when it is back they work again."""
    async with running(mortal_database, environment, monkeypatch) as service:
        await service.append(append())
        mortal_database.postgres.stop()
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await service.stub.GetStatus(pb.GetStatusRequest())
        assert raised.value.code() == grpc.StatusCode.UNAVAILABLE
        mortal_database.postgres.start()

        assert (await service.append(append()))[0].first_global_position == 2
