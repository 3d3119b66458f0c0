"""Whoever publishes holds a lease meanwhile, and believes in it no longer than the database does."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final, LiteralString

import psycopg
import pytest

from event_store.errors import UnavailableError
from event_store.outbox.lease import LEASE_SECONDS, STATEMENT_SECONDS, Lease, LeaseLostError, statement
from event_store.outbox.publish_loop import PUBLISH_MARGIN_SECONDS, PublishLoop
from event_store.outbox.relay_lease import RelayLease
from event_store.pubsub.messages_pb2 import PubsubMessage
from event_store.pubsub.publisher import Publisher
from event_store.replay.lease import ReplayLease
from tests.event_store.outbox.bus import PATIENCE_SECONDS, Bus
from tests.event_store.outbox.conftest import StartRelay
from tests.event_store.outbox.gate import Gate
from tests.event_store.outbox.log import Log
from tests.event_store.outbox.settled import Settled

_RELAY: Final = "SELECT extract(epoch FROM lease_expires_at - clock_timestamp())::float8 FROM relays"
_REPLAY: Final = "SELECT extract(epoch FROM lease_expires_at - clock_timestamp())::float8 FROM replays"

Connection = psycopg.AsyncConnection[Any]


@pytest.fixture
async def connection(log: Log) -> AsyncIterator[Connection]:  # noqa: ARG001 # the log's login
    """The holder's connection to the database."""
    async with await psycopg.AsyncConnection.connect(autocommit=True) as connection:
        yield connection


@pytest.fixture
async def lease(connection: Connection) -> RelayLease:
    """The relay's lease, just acquired."""
    lease = await RelayLease.acquire(connection, "holder")
    assert lease is not None
    return lease


@pytest.fixture
async def replay(log: Log) -> None:
    """A replay that waits for one who publishes it."""
    log.query(
        "INSERT INTO replays (replay_id, request, topic, from_position, to_position, aggregate_types, "
        "event_types, events_per_second, position, total_events, state) "
        "VALUES (gen_random_uuid(), '{}', 't', 1, 1, '{}', '{}', 0, 0, 1, 'running')"
    )


def _slow(log: Log) -> None:
    """From now on a change of a lease takes half a second after the database has looked at its clock."""
    log.query(
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN PERFORM pg_sleep(0.5); RETURN NEW; END $$"
    )
    log.query("CREATE TRIGGER slow BEFORE UPDATE ON relays FOR EACH ROW EXECUTE FUNCTION slow()")
    log.query("CREATE TRIGGER slow BEFORE UPDATE ON replays FOR EACH ROW EXECUTE FUNCTION slow()")


async def _acquire_relay(connection: Connection) -> Lease | None:
    return await RelayLease.acquire(connection, "holder")


async def _acquire_replay(connection: Connection) -> Lease | None:
    return await ReplayLease.acquire(connection, "holder", ())


@pytest.mark.usefixtures("replay")
@pytest.mark.parametrize("step", ["acquire", "renew"])
@pytest.mark.parametrize(
    ("true_seconds", "acquire"),
    [(_RELAY, _acquire_relay), (_REPLAY, _acquire_replay)],
    ids=["relay", "replay"],
)
async def test_a_slow_answer_makes_no_lease_longer(
    log: Log,
    connection: Connection,
    true_seconds: LiteralString,
    acquire: Callable[[Connection], Awaitable[Lease | None]],
    step: str,
) -> None:
    """The holder counts from before it asked, so what it believes ends before the row does."""
    if step == "acquire":
        _slow(log)
    lease = await acquire(connection)
    assert lease is not None
    if step == "renew":
        _slow(log)
        await lease.renew()

    until_the_end = log.query(true_seconds)

    assert 0 < lease.remaining_seconds <= until_the_end


async def test_a_released_lease_is_believed_no_more(lease: RelayLease) -> None:
    """The holder knows at once, whatever the database answers."""
    await lease.release()

    assert lease.remaining_seconds <= 0


async def test_a_lease_is_renewed_long_before_it_runs_out(
    bus: Bus, log: Log, start_relay: StartRelay
) -> None:
    """Every third of its time, so that one renewal may fail."""
    await start_relay(bus.routing())
    await log.until("lease_expires_at IS NOT NULL FROM relays")
    acquired = log.query("SELECT lease_expires_at FROM relays")

    async with asyncio.timeout(LEASE_SECONDS):
        while (renewed := log.query("SELECT lease_expires_at FROM relays")) == acquired:  # noqa: ASYNC110 # the database gives no signal
            await asyncio.sleep(0.02)

    assert (renewed - acquired).total_seconds() < LEASE_SECONDS / 2


@pytest.mark.parametrize(("left_seconds", "most_seconds"), [(3.0, 2.0), (LEASE_SECONDS, 9.0)])
async def test_a_publish_request_ends_before_the_lease(
    bus: Bus, gate: Gate, lease: RelayLease, left_seconds: float, most_seconds: float
) -> None:
    """Its deadline is a second before the lease's end, and at most 9 s away; Pub/Sub may hang."""
    lease.expires_at = asyncio.get_running_loop().time() + left_seconds
    publisher = Publisher()
    await publisher.open()
    publish_loop = PublishLoop(lease, publisher, Settled(), 1)
    await gate.close()

    async with asyncio.timeout(PATIENCE_SECONDS), asyncio.TaskGroup() as tasks:
        topic = bus.routing().topics["first"].path
        publishing = tasks.create_task(publish_loop._publish(topic, [PubsubMessage(data=b"1")]))
        await gate.until(lambda: gate.limits_seconds)
        await gate.open()
        await publishing
    await publisher.close()

    assert 0 < gate.limits_seconds[0] <= most_seconds


async def test_no_publish_request_is_made_at_the_end_of_a_lease(
    bus: Bus, gate: Gate, lease: RelayLease
) -> None:
    """With less time left than the margin, publishing stops: another may hold the lease soon."""
    lease.expires_at = asyncio.get_running_loop().time() + 0.9
    publisher = Publisher()
    await publisher.open()

    publish_loop = PublishLoop(lease, publisher, Settled(), 1)
    with pytest.raises(LeaseLostError, match="not renewed in time"):
        await publish_loop._publish(bus.routing().topics["first"].path, [PubsubMessage()])
    await publisher.close()

    assert gate.limits_seconds == []


async def test_a_statement_of_a_holder_ends_in_time(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A database that does not answer is away, long before the lease runs out."""
    monkeypatch.setattr("event_store.outbox.lease.STATEMENT_SECONDS", 0.1)

    async with asyncio.timeout(PATIENCE_SECONDS):
        with pytest.raises(UnavailableError, match=r"did not answer within 0\.1 s"):
            async with statement():
                await connection.execute("SELECT pg_sleep(60)")


def test_a_renewal_comes_in_time_behind_a_slow_statement() -> None:
    """Due after a third, it may wait for one statement and be as slow itself."""
    assert LEASE_SECONDS / 3 + 2 * STATEMENT_SECONDS < LEASE_SECONDS - PUBLISH_MARGIN_SECONDS
