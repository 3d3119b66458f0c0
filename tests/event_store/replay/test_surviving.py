"""Whatever dies, a replay goes on: nothing of its range is missing, order holds, and the counts are right."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from event_store.client.client import Client
from event_store.database.login import Login
from event_store.environment import Environment
from event_store.log.appender import Appender
from event_store.model.event_filter import EventFilter
from event_store.model.replay import Replay, ReplayState
from event_store.outbox.lease import LeaseLostError
from event_store.replay.lease import ReplayLease
from event_store.topology import Route, Routing
from local_gcp.system.ports import free_port
from pubsub_emulator import PubSubServer
from tests.conftest import TestDatabase, kill
from tests.event_store.outbox.bus import PATIENCE_SECONDS, Bus, assert_in_order, bus_at, positions_of
from tests.event_store.outbox.log import Log
from tests.event_store.replay.conftest import AGAIN, StartReplayer, routing_of, serving
from tests.event_store.replay.test_replaying import ended

Process = asyncio.subprocess.Process
StartProcess = Callable[[str, Routing], Awaitable[Process]]
ROOT = Path(__file__).parents[3]


@pytest.fixture
async def start_process(login: Login) -> AsyncIterator[StartProcess]:  # noqa: ARG001 # names the database
    """Start replayers in processes of their own; those that still live are killed in the end."""
    processes: list[Process] = []

    async def start(point: str, routing: Routing) -> Process:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.event_store.replay.crashing_replayer",
            point,
            routing.to_json(),
            stderr=asyncio.subprocess.DEVNULL,
            cwd=ROOT,
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def expire_leases(log: Log) -> None:
    """Let the time of every lease of a replay pass."""
    log.query("UPDATE replays SET lease_expires_at = clock_timestamp()")


async def until_told(client: Client, replay: Replay, error: str) -> None:
    """Wait until a replay says what is in its way."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        async for each in client.replays.watch(replay.replay_id):
            if error in each.error:
                return


async def _die(process: Process) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        assert await process.wait() == -signal.SIGKILL


async def assert_whole(
    client: Client, bus: Bus, replay: Replay, positions: set[int], parked: int = 0
) -> None:
    replay = await ended(client, replay)
    messages = await bus.receive_events(AGAIN, positions)
    messages += await bus.rest(AGAIN)
    assert set(positions_of(messages)) == positions
    assert {message.attributes["replay_id"] for message in messages} == {replay.replay_id}
    assert replay.state is ReplayState.FINISHED
    assert (replay.published_events, replay.parked_events) == (len(positions), parked)
    assert replay.total_events == len(positions) + parked
    assert len(messages) <= 2 * len(positions)
    if not parked:
        assert_in_order(messages)


@pytest.mark.parametrize("point", ["before a publish", "between publishes", "before a checkpoint"])
async def test_a_replayer_that_dies_loses_nothing(
    idle_client: Client,
    bus: Bus,
    log: Log,
    start_replayer: StartReplayer,
    start_process: StartProcess,
    point: str,
) -> None:
    """Wherever it is killed, the next one publishes all that is missing, in order, and counts each once."""
    aggregates = [str(uuid4()) for _ in range(5)]
    positions = {p for number in range(6) for a in aggregates for p in await log.append(a, "First", number)}
    replay = await idle_client.replays.start(AGAIN)
    await _die(await start_process(point, routing_of(bus)))
    assert (await idle_client.replays.get(replay.replay_id)).position == 0
    expire_leases(log)

    await start_replayer(routing_of(bus))

    await assert_whole(idle_client, bus, replay, positions)


async def test_a_message_is_parked_and_counted_once_though_the_replayer_dies_over_it(
    idle_client: Client, bus: Bus, log: Log, start_replayer: StartReplayer, start_process: StartProcess
) -> None:
    """It is set aside with its replay before the checkpoint passes it; what follows it is published."""
    aggregate_id = str(uuid4())
    positions = set(await log.append(aggregate_id, "First", 1))
    log.insert_oversize(aggregate_id, "First")
    positions.update(await log.append(aggregate_id, "First", 3))
    replay = await idle_client.replays.start(AGAIN)
    await _die(await start_process("after parking", routing_of(bus)))
    expire_leases(log)

    await start_replayer(routing_of(bus))

    await assert_whole(idle_client, bus, replay, positions, parked=1)
    topic = routing_of(bus).topics[AGAIN].path
    parked = log.query(
        "SELECT jsonb_agg(jsonb_build_array(global_position, topic, replay_id)) FROM parked_messages"
    )
    assert parked == [[2, topic, replay.replay_id]]


async def test_a_replayer_that_slept_through_its_lease_changes_nothing(
    idle_client: Client, bus: Bus, log: Log, start_replayer: StartReplayer, start_process: StartProcess
) -> None:
    """A paused process that wakes after another took over neither moves the checkpoint nor the counts."""
    positions = set(await log.append(str(uuid4()), "First", *range(30)))
    replay = await idle_client.replays.start(AGAIN, events_per_second=10)
    sleeper = await start_process("none", routing_of(bus))
    await log.until("position > 3 FROM replays")
    sleeper.send_signal(signal.SIGSTOP)
    expire_leases(log)
    other = await start_replayer(routing_of(bus))
    await log.until("lease_epoch = 2 FROM replays")

    sleeper.send_signal(signal.SIGCONT)
    await log.until("position > 15 FROM replays")

    assert log.query("SELECT lease_owner FROM replays") == other.owner
    os.kill(sleeper.pid, 0)  # it lives, and looks for another replay
    await assert_whole(idle_client, bus, replay, positions)


async def test_a_checkpoint_of_an_older_epoch_is_refused(idle_client: Client, log: Log) -> None:
    """The database itself keeps a former holder from moving the checkpoint, renewing or releasing."""
    await log.append(str(uuid4()), "First", *range(9))
    await idle_client.replays.start(AGAIN)
    async with (
        await psycopg.AsyncConnection.connect(autocommit=True) as one,
        await psycopg.AsyncConnection.connect(autocommit=True) as two,
    ):
        former = await ReplayLease.acquire(one, "former", [])
        assert former is not None
        await former.checkpoint(5, 4, 1, "slow")
        assert await ReplayLease.acquire(two, "latter", []) is None
        assert await ReplayLease.acquire(one, "former", [former.replay_id]) is None
        expire_leases(log)
        latter = await ReplayLease.acquire(two, "latter", [])
        assert latter is not None
        assert (latter.checkpointed, latter.epoch) == ((5, 4, 1, "slow"), former.epoch + 1)

        for refused in (former.checkpoint(9, 9, 0, ""), former.renew(), former.release()):
            with pytest.raises(LeaseLostError):
                await refused

        row = "SELECT (position, published_events, parked_events, state, lease_owner)::text FROM replays"
        assert log.query(row) == "(5,4,1,running,latter)"
        await latter.checkpoint(9, 8, 1, "")
        assert log.query(row) == "(9,8,1,finished,latter)"
        assert not latter.goes_on


async def test_a_paused_replay_is_taken_by_nobody(idle_client: Client, log: Log) -> None:
    """Until it is resumed."""
    await log.append(str(uuid4()), "First", 1)
    replay = await idle_client.replays.start(AGAIN)
    await idle_client.replays.pause(replay.replay_id)
    async with await psycopg.AsyncConnection.connect(autocommit=True) as connection:
        assert await ReplayLease.acquire(connection, "one", []) is None
        await idle_client.replays.resume(replay.replay_id)
        assert await ReplayLease.acquire(connection, "one", []) is not None


async def test_a_replay_that_is_cancelled_at_its_end_stays_cancelled(idle_client: Client, log: Log) -> None:
    """Though its holder had published all of it by then."""
    await log.append(str(uuid4()), "First", 1, 2, 3)
    replay = await idle_client.replays.start(AGAIN)
    async with await psycopg.AsyncConnection.connect(autocommit=True) as connection:
        lease = await ReplayLease.acquire(connection, "one", [])
        assert lease is not None
        await idle_client.replays.cancel(replay.replay_id)
        await lease.checkpoint(3, 3, 0, "")

    assert log.query("SELECT state FROM replays") == "cancelled"


async def test_of_two_replayers_one_runs_a_replay(
    idle_client: Client, bus: Bus, log: Log, start_replayer: StartReplayer
) -> None:
    """Nothing is published twice while both live; when one is stopped, the other goes on where it was."""
    positions = set(await log.append(str(uuid4()), "First", *range(40)))
    replay = await idle_client.replays.start(AGAIN, events_per_second=20)
    replayers = {each.owner: each for each in [await start_replayer(routing_of(bus)) for _ in range(2)]}
    await log.until("position > 5 FROM replays")
    owner = log.query("SELECT lease_owner FROM replays")

    replayers[owner].stop()
    replayers[owner].stop()  # harmless
    async with asyncio.timeout(5):  # far below the lease's time: it was released
        await log.until("lease_epoch = 2 FROM replays")

    await ended(idle_client, replay)
    messages = await bus.receive_events(AGAIN, positions)
    assert positions_of(messages) == sorted(positions)


async def test_a_replay_goes_on_when_the_service_is_started_again(bus: Bus, log: Log) -> None:
    """A stop writes the checkpoint, so that nothing is published twice."""
    positions = set(await log.append(str(uuid4()), "First", *range(40)))
    async with serving(routing_of(bus)) as (client, _):
        replay = await client.replays.start(AGAIN, events_per_second=20)
        await log.until("position > 3 FROM replays")
    stopped_at = log.query("SELECT position FROM replays")

    async with serving(routing_of(bus)) as (client, _):
        end = await ended(client, replay)

    assert 3 < stopped_at < 40
    assert end.published_events == 40
    assert positions_of(await bus.receive_events(AGAIN, positions)) == sorted(positions)


async def test_a_replay_survives_its_databases_death(
    mortal_database: TestDatabase, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL is killed in the middle and started again; all comes, in order, and each counts once."""
    for name, value in mortal_database.variables().items():
        monkeypatch.setenv(name, value)
    appender = Appender(Login(Environment()), on_appended=lambda: None)
    appending = asyncio.create_task(appender.run())
    log = Log(appender, mortal_database.superuser)
    aggregates = [str(uuid4()) for _ in range(4)]
    positions = {p for number in range(20) for a in aggregates for p in await log.append(a, "First", number)}
    appender.stop()
    await appending
    async with serving(routing_of(bus)) as (client, _):
        replay = await client.replays.start(AGAIN, events_per_second=40)
        await log.until("position > 5 FROM replays")

        kill(mortal_database.postgres)
        await asyncio.to_thread(mortal_database.postgres.start)

        await assert_whole(client, bus, replay, positions)


async def test_a_replay_survives_lost_connections(client: Client, bus: Bus, log: Log) -> None:
    """It connects again and goes on where it was."""
    positions = set(await log.append(str(uuid4()), "First", *range(60)))
    replay = await client.replays.start(AGAIN, events_per_second=40)
    for position in (5, 20):
        await log.until(f"position > {position} FROM replays")
        log.terminate("query <> ''")

    await assert_whole(client, bus, replay, positions)


async def test_a_replay_survives_the_death_of_pubsub(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says what is in the way, waits, and goes on from there when Pub/Sub is back."""
    port = free_port()
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", f"127.0.0.1:{port}")
    await log.append(str(uuid4()), "First", *range(60))
    async with AsyncExitStack() as service:
        async with PubSubServer(port=port) as server, bus_at(server.address) as bus:
            await bus.create(AGAIN)
            client, _ = await service.enter_async_context(serving(routing_of(bus)))
            replay = await client.replays.start(AGAIN, events_per_second=30)
            await bus.receive_events(AGAIN, {3})
        await log.until("error LIKE '%UNAVAILABLE%' FROM replays")
        stuck_at = (await client.replays.get(replay.replay_id)).position
        async with PubSubServer(port=port) as server, bus_at(server.address, bus) as bus:
            await bus.create(AGAIN)
            await bus.seek_to_the_beginning(AGAIN)  # the replay may be faster than the subscription
            end = await ended(client, replay)
            messages = await bus.receive_events(AGAIN, set(range(stuck_at + 1, 61)))

    assert positions_of(messages) == list(range(stuck_at + 1, 61))
    assert (end.state, end.published_events, end.error) == (ReplayState.FINISHED, 60, "")


async def test_a_missing_topic_is_told_and_holds_up_no_other_replay(
    client: Client, bus: Bus, log: Log
) -> None:
    """The replay goes on when the topic is made; a pause works meanwhile."""
    positions = set(await log.append(str(uuid4()), "First", 1, 2, 3))
    await bus.delete(AGAIN)
    replay = await client.replays.start(AGAIN)
    await until_told(client, replay, "NOT_FOUND")
    nothing = EventFilter(event_types=("Never",))
    assert (await ended(client, await client.replays.start(AGAIN, event_filter=nothing))).error == ""
    assert (await client.replays.pause(replay.replay_id)).error == ""
    await log.until("NOT EXISTS (SELECT FROM replays WHERE lease_owner IS NOT NULL)")
    await client.replays.resume(replay.replay_id)

    await bus.create(AGAIN)
    await bus.seek_to_the_beginning(AGAIN)  # the replay may be faster than the subscription

    end = await ended(client, replay)
    assert (end.state, end.error, end.published_events) == (ReplayState.FINISHED, "", 3)
    assert set(positions_of(await bus.receive_events(AGAIN, positions))) == positions


async def test_a_topic_that_is_no_topic_for_replays_any_more_holds_its_replay(
    idle_client: Client, bus: Bus, log: Log, start_replayer: StartReplayer
) -> None:
    """Gone from the topology, or with a route to it: old events never come among new ones, and it is told."""
    positions = set(await log.append(str(uuid4()), "First", 1))
    replay = await idle_client.replays.start(AGAIN)
    with_route = replace(routing_of(bus), routes=(Route("First", "*", (AGAIN,)),))
    for routing, why in ((bus.routing(), "no longer in the topology"), (with_route, "a route leads to")):
        replayer = await start_replayer(routing)
        await until_told(idle_client, replay, why)
        replayer.stop()
    assert (await idle_client.replays.get(replay.replay_id)).published_events == 0

    await start_replayer(routing_of(bus))

    await assert_whole(idle_client, bus, replay, positions)


async def test_nothing_is_replayed_beyond_a_hole_in_the_log(client: Client, bus: Bus, log: Log) -> None:
    """A missing event is told, and the replay stays before it."""
    await log.append(str(uuid4()), "First", 1, 2, 3)
    log.query("ALTER TABLE events DISABLE TRIGGER append_only")
    log.query("DELETE FROM events WHERE global_position = 2")
    await client.replays.start(AGAIN)

    await log.until("error LIKE '%no event at position 2%' FROM replays")

    assert log.query("SELECT state || position FROM replays") in ("running0", "running1")
    assert positions_of(await bus.rest(AGAIN)) in ([], [1])


async def test_a_replay_of_more_than_a_restore_left_says_so(
    idle_client: Client, bus: Bus, log: Log, start_replayer: StartReplayer
) -> None:
    """Its range ends beyond the log, which has become shorter: nothing is published."""
    await log.append(str(uuid4()), "First", 1, 2, 3)
    await idle_client.replays.start(AGAIN)
    log.query("ALTER TABLE events DISABLE TRIGGER append_only")
    log.query("DELETE FROM events WHERE global_position > 1")
    log.query("UPDATE log_head SET position = 1")

    await start_replayer(routing_of(bus))

    await log.until("error LIKE '%ends at position 3, above the head of the log, 1%' FROM replays")
    assert await bus.rest(AGAIN) == []
