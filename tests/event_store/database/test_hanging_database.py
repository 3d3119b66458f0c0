"""A database that hangs is one that is away: established connections that answer nothing silence nobody."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final

import grpc
import pytest

from event_store.database import connection
from event_store.database import pool as module
from event_store.database.pool import Database
from event_store.environment import Environment
from event_store.errors import UnavailableError
from event_store.log import live_tail
from event_store.server import subscribe_call
from event_store.v1 import event_store_pb2 as pb
from tests.conftest import TestDatabase
from tests.event_store.conftest import Service, running
from tests.event_store.requests import append
from tests.event_store.server.test_subscribe import SubscribeCall, other_process_appends
from tests.proxy import Proxy

AGGREGATE_ID: Final = "0198c2a4-5b1c-7cc0-a6ab-3f6ad1e0b001"
PATIENCE_SECONDS: Final = 20.0
POOL: Final = Environment().database_connections - 1
OUTAGE_SECONDS: Final = 12.0  # after them, attempts with ever longer pauses would come late
CLIENT_SECONDS: Final = 30.0  # a client's usual deadline
Call = Callable[[Service], Awaitable[Any]]


@pytest.fixture
async def proxy(database: TestDatabase) -> AsyncIterator[Proxy]:
    async with Proxy(database.postgres.port) as proxy:
        yield proxy


@pytest.fixture
async def service(
    database: TestDatabase, environment: Environment, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Service]:
    """A service that reaches its database through a proxy, with shorter limits, and ten events."""
    _shorten(monkeypatch)
    async with running(database, environment, monkeypatch, proxy) as service:
        await service.append(append(AGGREGATE_ID, events=10))
        await _fill_the_pool(service)
        yield service


def _shorten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ANSWER_SECONDS", 0.8)
    monkeypatch.setattr(module, "_POOL_TIMEOUT_SECONDS", 2.0)
    monkeypatch.setattr(connection, "CONNECT_SECONDS", 1.0)
    monkeypatch.setattr(connection, "CANCEL_SECONDS", 0.5)
    monkeypatch.setattr(subscribe_call, "KEEP_ALIVE_SECONDS", 2.0)
    monkeypatch.setattr(live_tail, "READING_SECONDS", 2.0)


async def _fill_the_pool(service: Service) -> None:
    """Have as many connections as the pool may hold, all of them in use at once."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        await asyncio.gather(*(service.server._database.execute("SELECT pg_sleep(0.5)") for _ in range(POOL)))


async def _read_aggregate(service: Service) -> int:
    return len(await service.read_aggregate(AGGREGATE_ID))


async def _load_aggregate(service: Service) -> int:
    call = service.stub.LoadAggregate(pb.LoadAggregateRequest(aggregate_id=AGGREGATE_ID))
    return len([each async for part in call for each in part.events])


async def _save_snapshot(service: Service) -> bool:
    request = pb.SaveSnapshotRequest(
        aggregate_id=AGGREGATE_ID, aggregate_type="Vocabulary", event_version=10, snapshot_data=b"1"
    )
    return bool((await service.stub.SaveSnapshot(request)).saved)


async def _count(events: Awaitable[list[Any]]) -> int:
    return len(await events)


async def _head(service: Service) -> int:
    return int((await service.stub.GetStatus(pb.GetStatusRequest())).head_position)


CALLS: Final[dict[str, tuple[Call, Any]]] = {
    "ReadAll": (lambda service: _count(service.read_all()), 10),
    "ReadAggregate": (_read_aggregate, 10),
    "LoadAggregate": (_load_aggregate, 10),
    "SaveSnapshot": (_save_snapshot, True),
    "GetSnapshot": (
        lambda service: service.stub.GetSnapshot(pb.GetSnapshotRequest(aggregate_id=AGGREGATE_ID)),
        pb.GetSnapshotResponse(),
    ),
    "ListReplays": (
        lambda service: service.stub.ListReplays(pb.ListReplaysRequest(limit=1)),
        pb.ListReplaysResponse(),
    ),
    "GetStatus": (_head, 10),
}


@pytest.mark.parametrize("name", CALLS)
async def test_a_call_whose_connection_hangs_is_answered_on_a_good_one(
    service: Service, proxy: Proxy, name: str
) -> None:
    """Nobody but one waits, and no longer than the limit: the pool gives up all that are as old."""
    call, answer = CALLS[name]
    proxy.freeze()

    async with asyncio.timeout(PATIENCE_SECONDS):
        assert await call(service) == answer
        assert await asyncio.gather(*(_read_aggregate(service) for _ in range(POOL))) == [10] * POOL

    assert service.server._database._pool.get_stats()["returns_bad"] == 1, "one was waited for, no other"


async def test_a_call_whose_backend_is_frozen_is_answered_by_another(service: Service) -> None:
    """A process of PostgreSQL that is stopped holds nobody up for longer than the limit."""
    backends = service.execute(
        "SELECT pid FROM pg_stat_activity WHERE usename = 'runtime' AND datname = current_database()"
    )
    for (pid,) in backends:
        os.kill(pid, signal.SIGSTOP)
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert len(await service.read_all()) == 10
    finally:
        for (pid,) in backends:
            os.kill(pid, signal.SIGCONT)


async def test_reads_are_refused_while_all_hangs_and_go_on_when_it_ends(
    service: Service, proxy: Proxy
) -> None:
    """UNAVAILABLE comes well before a client gives up; once the database is back, so is the pool, at once."""
    proxy.hold("answers")
    clock = asyncio.get_running_loop().time
    over = clock() + OUTAGE_SECONDS
    while clock() < over:
        async with asyncio.timeout(PATIENCE_SECONDS):
            refused = await asyncio.gather(*(service.read_all() for _ in range(12)), return_exceptions=True)
        codes = [error.code() for error in refused if isinstance(error, grpc.aio.AioRpcError)]
        assert codes == [grpc.StatusCode.UNAVAILABLE] * 12

    proxy.cut()

    answered = await asyncio.gather(*(service.read_all() for _ in range(12)))
    assert [len(each) for each in answered] == [10] * 12


async def test_a_live_stream_goes_on_when_its_connection_hangs(service: Service, proxy: Proxy) -> None:
    """The end of the log is read on another connection, and nothing is lost or repeated."""
    async with SubscribeCall(service, after_position=10) as subscription:
        await subscription.until("caught_up")
        proxy.freeze()
        await other_process_appends(service)

        assert await subscription.positions(1) == [11]


async def test_streams_end_while_all_hangs(service: Service, proxy: Proxy) -> None:
    """A stream that was live ends with UNAVAILABLE within two keep-alives, and so does each new one."""
    async with SubscribeCall(service, after_position=10) as subscription:
        await subscription.until("caught_up")
        proxy.hold("answers")
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert await subscription.code() is grpc.StatusCode.UNAVAILABLE
    async with SubscribeCall(service, after_position=10) as subscription:
        assert await subscription.code() is grpc.StatusCode.UNAVAILABLE
    proxy.cut()


async def test_a_keep_alive_says_that_the_log_is_read(
    database: TestDatabase, environment: Environment, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A read that does not end, for whatever reason, ends the stream before it fails by itself."""
    _shorten(monkeypatch)
    monkeypatch.setattr(module, "ANSWER_SECONDS", 3600.0)
    async with running(database, environment, monkeypatch, proxy) as service:
        async with SubscribeCall(service) as subscription:
            await subscription.until("caught_up")
            proxy.hold("answers")
            async with asyncio.timeout(PATIENCE_SECONDS):
                assert await subscription.code() is grpc.StatusCode.UNAVAILABLE
        proxy.cut()


async def test_a_silent_stream_lives_on_while_the_log_is_read(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nothing is appended each read says that the log is read, for as long as the caller listens."""
    monkeypatch.setattr(subscribe_call, "KEEP_ALIVE_SECONDS", 0.5)
    async with SubscribeCall(service, after_position=10) as subscription:
        await subscription.until("caught_up")
        kinds = {(await subscription.read()).WhichOneof("kind") for _ in range(10)}

    assert kinds == {"keep_alive"}
    assert 2 * live_tail.READING_SECONDS < 10 * 0.5


async def test_the_connection_that_listens_is_made_anew_when_it_hangs(
    service: Service, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Silence may mean that nothing is appended, or that nothing arrives: it is asked which."""
    monkeypatch.setattr("event_store.log.notifications.PROBE_SECONDS", 0.3)
    monkeypatch.setattr("event_store.log.notifications._ANSWER_SECONDS", 0.5)
    async with SubscribeCall(service, after_position=10) as subscription:
        await subscription.until("caught_up")
        former = await _listener(service, 0)
        proxy.freeze()

        assert await _listener(service, former) != former


async def test_a_slow_statement_is_ended_by_the_server_and_its_connection_kept(
    service: Service, environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is slow is told apart from what hangs: it is not tried again, and costs no connection."""
    assert service.database
    monkeypatch.setattr(module, "STATEMENT_SECONDS", 0.3)
    pool = Database(environment, 1)
    await pool.open()
    try:
        with pytest.raises(UnavailableError, match="statement timeout"):
            await pool.execute("SELECT pg_sleep(60)")
        await pool.execute("SELECT 1")
        stats = pool._pool.get_stats()
    finally:
        await pool.close()

    assert (stats["requests_num"], stats["connections_num"]) == (2, 1)


def test_the_limits_leave_time_for_each_other() -> None:
    """The server answers first where it can; a stream's next message and a client's deadline come later."""
    limit, lent = module.ANSWER_SECONDS, module._POOL_TIMEOUT_SECONDS
    assert module.STATEMENT_SECONDS < limit < subscribe_call.KEEP_ALIVE_SECONDS
    assert limit < live_tail.READING_SECONDS <= subscribe_call.KEEP_ALIVE_SECONDS
    assert 2 * (limit + lent) < CLIENT_SECONDS


async def _listener(service: Service, former: int) -> int:
    """Wait for a process of PostgreSQL that listens, but for the former one; return which."""
    asked = (
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%LISTEN %'"
        " AND pid <> pg_backend_pid() ORDER BY pid"
    )
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            found = [pid for (pid,) in service.execute(asked) if pid != former]
            if found:
                return int(found[0])
            await asyncio.sleep(0.02)
