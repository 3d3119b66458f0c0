"""One relay at a time, and none is missed when it dies: nothing is lost and order holds."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from event_store.database.login import Login
from event_store.outbox.lease import LeaseLostError
from event_store.outbox.relay_lease import RelayLease
from event_store.topology import Routing
from tests.event_store.outbox.bus import PATIENCE_SECONDS, Bus, assert_in_order, positions_of
from tests.event_store.outbox.conftest import StartRelay
from tests.event_store.outbox.log import Log

Process = asyncio.subprocess.Process
StartProcess = Callable[[str, Routing], Awaitable[Process]]


@pytest.fixture
async def start_process(login: Login) -> AsyncIterator[StartProcess]:  # noqa: ARG001 # names the database
    """Start relays in processes of their own; those that still live are killed in the end."""
    processes: list[Process] = []

    async def start(point: str, routing: Routing) -> Process:
        script = Path(__file__).with_name("crashing_relay.py")
        process = await asyncio.create_subprocess_exec(
            sys.executable, str(script), point, routing.to_json(), stderr=asyncio.subprocess.DEVNULL
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


@pytest.mark.parametrize("point", ["before a publish", "between publishes", "before a checkpoint"])
async def test_a_relay_that_dies_loses_nothing(
    bus: Bus, log: Log, start_relay: StartRelay, start_process: StartProcess, point: str
) -> None:
    """Wherever a relay is killed, the next one publishes all that is missing, in order."""
    aggregates = [str(uuid4()) for _ in range(5)]
    positions = {p for number in range(6) for a in aggregates for p in await log.append(a, "First", number)}
    dying = await start_process(point, bus.routing())
    async with asyncio.timeout(PATIENCE_SECONDS):
        assert await dying.wait() == -signal.SIGKILL
    assert log.checkpoint == 0
    log.expire_lease()

    await start_relay(bus.routing())
    messages = await bus.receive_events("first", positions)
    messages += await bus.rest("first")

    assert set(positions_of(messages)) == positions
    assert_in_order(messages)
    assert len(messages) <= 2 * len(positions)
    await log.until("position = 30 FROM relays")


async def test_what_a_dead_relay_had_checkpointed_is_not_published_again(
    bus: Bus, log: Log, start_relay: StartRelay, start_process: StartProcess
) -> None:
    """Only what lies after the checkpoint comes twice, if anything."""
    aggregate_id = str(uuid4())
    await log.append(aggregate_id, "First", 1, 2, 3)
    first = await start_process("none", bus.routing())
    await log.until("position = 3 FROM relays")
    first.kill()
    await first.wait()
    assert positions_of(await bus.receive_events("first", {1, 2, 3})) == [1, 2, 3]
    await log.append(aggregate_id, "First", 4)
    log.expire_lease()

    await start_relay(bus.routing())

    assert positions_of(await bus.receive_events("first", {4})) == [4]


async def test_of_two_relays_one_is_active_and_the_other_takes_over(
    bus: Bus, log: Log, start_relay: StartRelay
) -> None:
    """Nothing is published twice while both live; a relay that is stopped is replaced within a moment."""
    aggregate_id = str(uuid4())
    one = await start_relay(bus.routing())
    await log.until("lease_owner IS NOT NULL FROM relays")
    other = await start_relay(bus.routing())
    assert log.query("SELECT lease_owner FROM relays") == one.owner
    positions = set(await log.append(aggregate_id, "First", *range(20)))
    assert positions_of(await bus.receive_events("first", positions)) == sorted(positions)

    one.stop()
    one.stop()  # harmless
    async with asyncio.timeout(5):  # far below the lease's time: it was released
        await log.until("lease_epoch = 2 FROM relays")
    assert log.query("SELECT lease_owner FROM relays") == other.owner
    positions = set(await log.append(aggregate_id, "First", *range(20)))

    assert positions_of(await bus.receive_events("first", positions)) == sorted(positions)


async def test_a_relay_that_slept_through_its_lease_changes_nothing(
    bus: Bus, log: Log, start_relay: StartRelay, start_process: StartProcess
) -> None:
    """A paused process that wakes after another took over neither moves the checkpoint nor publishes on."""
    aggregate_id = str(uuid4())
    await log.append(aggregate_id, "First", 1)
    zombie = await start_process("none", bus.routing())
    await log.until("position = 1 FROM relays")
    zombie.send_signal(signal.SIGSTOP)
    log.expire_lease()
    relay = await start_relay(bus.routing())
    await log.append(aggregate_id, "First", 2, 3)
    await log.until("position = 3 FROM relays")

    zombie.send_signal(signal.SIGCONT)
    await log.append(aggregate_id, "First", 4)
    messages = await bus.receive_events("first", {1, 2, 3, 4})
    await log.until("position = 4 FROM relays")

    assert_in_order(messages)
    assert log.query("SELECT lease_owner FROM relays") == relay.owner
    relay.stop()
    await log.until("lease_epoch = 3 AND lease_owner IS NOT NULL FROM relays")  # it lives, and stood by
    assert log.query("SELECT lease_owner FROM relays") != relay.owner


async def test_a_checkpoint_of_an_older_epoch_is_refused(log: Log) -> None:
    """The database itself keeps a former holder from moving the checkpoint, renewing or releasing."""
    async with (
        await psycopg.AsyncConnection.connect(autocommit=True) as one,
        await psycopg.AsyncConnection.connect(autocommit=True) as other,
    ):
        former = await RelayLease.acquire(one, "former")
        assert former is not None
        await former.checkpoint(5, {"some": 7})
        assert await RelayLease.acquire(other, "latter") is None
        log.expire_lease()
        latter = await RelayLease.acquire(other, "latter")
        assert latter is not None
        assert (latter.position, latter.topic_positions) == (5, {"some": 7})
        assert latter.epoch == former.epoch + 1

        for refused in (former.checkpoint(9, {}), former.renew(), former.release()):
            with pytest.raises(LeaseLostError):
                await refused

        assert log.query("SELECT (position, lease_owner, lease_epoch)::text FROM relays") == "(5,latter,2)"
        await latter.checkpoint(6, {})
        await latter.release()
        assert await RelayLease.acquire(one, "former") is not None


async def test_a_lease_is_never_believed_longer_than_the_database_says(log: Log) -> None:
    """What the holder believes ends before the row does, so its last request ends before the lease."""
    async with await psycopg.AsyncConnection.connect(autocommit=True) as connection:
        lease = await RelayLease.acquire(connection, "holder")
        assert lease is not None
        believed = lease.remaining_seconds
        await lease.renew()
        renewed = lease.remaining_seconds
        true = float(log.query("SELECT extract(epoch FROM lease_expires_at - clock_timestamp()) FROM relays"))

    assert 14 < believed <= 15
    assert renewed <= true + 0.05  # the query's own time
