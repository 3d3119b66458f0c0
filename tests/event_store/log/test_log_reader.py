"""A read replica takes reads off the primary, and never an answer away."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Final

import pytest

from event_store.database import connection
from event_store.database import pool as module
from event_store.environment import Environment
from event_store.log.replica_reader import AVOIDED_SECONDS, ReplicaReader
from event_store.v1 import event_store_pb2 as pb
from tests.conftest import OLDEST, Clusters, TestDatabase, clone_as
from tests.event_store.conftest import Service, running
from tests.event_store.requests import append
from tests.event_store.server.test_subscribe import SubscribeCall, positions
from tests.proxy import Proxy

PATIENCE_SECONDS: Final = 20.0
REPLICATED, ALL = 5, 8


@pytest.fixture
def replica(clusters: Clusters, database: TestDatabase) -> Iterator[TestDatabase]:
    """A database of the same name on another server: whatever it holds of the log, it is a prefix."""
    yield from clone_as(clusters(OLDEST), database.name)


@pytest.fixture
async def proxy(replica: TestDatabase) -> AsyncIterator[Proxy]:
    """The way to the replica."""
    async with Proxy(replica.postgres.port) as proxy:
        yield proxy


@pytest.fixture
async def service(
    database: TestDatabase,
    replica: TestDatabase,
    environment: Environment,
    proxy: Proxy,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Service]:
    """A service whose replica lags three events behind."""
    appends = [append() for _ in range(ALL)]
    async with running(replica, environment, monkeypatch) as behind:
        for each in appends[:REPLICATED]:
            await behind.append(each)
    monkeypatch.setattr(module, "ANSWER_SECONDS", 0.8)
    monkeypatch.setattr(connection, "CONNECT_SECONDS", 1.0)
    with_replica = replace(environment, replica_host="127.0.0.1", replica_port=proxy.port)
    async with running(database, with_replica, monkeypatch) as service:
        for each in appends:
            await service.append(each)
        yield service


def _asked(service: Service) -> int:
    """Return how many statements the replica's pool was asked for."""
    pool = service.server._replica
    assert pool is not None
    return pool._pool.get_stats()["requests_num"]


def _reader(service: Service) -> ReplicaReader:
    reader = service.server._servicer._reader
    assert isinstance(reader, ReplicaReader)
    return reader


async def _read(service: Service, first: int = 1, limit: int = 0) -> list[int]:
    return [each.global_position for each in await service.read_all(from_position=first, limit=limit)]


async def test_what_the_replica_lacks_comes_from_the_primary(service: Service) -> None:
    """Whatever part is read, it is whole; the log, and the catching up of a subscription, ask the replica."""
    assert await _read(service) == [*range(1, ALL + 1)]
    assert await _read(service, limit=3) == [1, 2, 3]
    assert await _read(service, first=4, limit=3) == [4, 5, 6]
    assert await _read(service, first=7) == [7, 8]
    async with SubscribeCall(service) as subscription:
        assert positions(await subscription.until("caught_up")) == [*range(1, ALL + 1)]

    assert _asked(service) >= 5


async def test_everything_else_stays_with_the_primary(service: Service) -> None:
    """Backwards, by a time, an aggregate, its snapshot and the status are never asked of a replica."""
    event = (await service.read_all(from_position=8))[0]
    asked = _asked(service)

    backwards = [each.global_position for each in await service.read_all(backwards=True)]
    of_aggregate = await service.read_aggregate(event.aggregate_id)
    await service.stub.GetSnapshot(pb.GetSnapshotRequest(aggregate_id=event.aggregate_id))
    status = await service.stub.GetStatus(pb.GetStatusRequest())

    assert backwards == [*range(ALL, 0, -1)]
    assert [each.global_position for each in of_aggregate] == [8]
    assert status.head_position == ALL
    assert _asked(service) == asked


@pytest.mark.parametrize("trouble", ["hangs", "is cut"])
async def test_a_replica_in_trouble_costs_one_read_and_is_left_alone(
    service: Service, proxy: Proxy, trouble: str
) -> None:
    """The primary answers instead, after one attempt; the replica is asked again half a minute later."""
    assert await _read(service) == [*range(1, ALL + 1)]
    asked = _asked(service)
    proxy.hold("answers")
    if trouble == "is cut":
        proxy.cut()
        proxy.hold("answers")

    async with asyncio.timeout(PATIENCE_SECONDS):
        for _ in range(4):
            assert await _read(service) == [*range(1, ALL + 1)]
    reader, now = _reader(service), asyncio.get_running_loop().time()
    assert _asked(service) == asked + 1
    assert AVOIDED_SECONDS - PATIENCE_SECONDS < reader._avoided_until - now <= AVOIDED_SECONDS

    proxy.cut()
    reader._avoided_until = now  # they have passed
    assert await _read(service) == [*range(1, ALL + 1)]
    assert _asked(service) > asked + 1
