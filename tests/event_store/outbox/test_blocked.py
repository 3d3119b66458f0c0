"""A topic that blocks: nothing of an ordering key overtakes a message that cannot be published."""

import asyncio
import signal
import sys
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from event_store.client.client import Client
from event_store.errors import InvalidArgumentError
from event_store.outbox import queries
from event_store.outbox.lease import LeaseLostError
from event_store.outbox.parked_messages import ParkedMessages
from event_store.outbox.parking import Parking
from event_store.outbox.publish_loop import Pending
from event_store.outbox.relay_lease import RelayLease
from event_store.outbox.watermark import Publication
from event_store.pubsub.messages_pb2 import PubsubMessage
from event_store.pubsub.publisher import Publisher
from event_store.topology import Ordering, Routing
from tests.event_store.command import run
from tests.event_store.outbox.bus import PATIENCE_SECONDS, Bus, assert_in_order, positions_of
from tests.event_store.outbox.conftest import StartRelay
from tests.event_store.outbox.log import Log
from tests.event_store.outbox.relay.test_takeover import StartProcess, start_process

__all__ = ["start_process"]  # the fixture

PARKED = "SELECT jsonb_agg(global_position ORDER BY global_position) FROM parked_messages"
BLOCKED = "SELECT count(*) FROM blocked_keys"


@pytest.fixture
def routing(bus: Bus) -> Routing:
    """Topics that block."""
    return bus.routing(unpublishable="block")


@pytest.fixture
async def aggregate_id(log: Log) -> str:
    """An aggregate with four events, of which the second cannot be published, and one of another."""
    aggregate_id = str(uuid4())
    await log.append(aggregate_id, "First", 1)
    log.insert_oversize(aggregate_id, "First")
    await log.append(aggregate_id, "First", 3, 4)
    await log.append(str(uuid4()), "First", 5)
    return aggregate_id


async def test_what_follows_is_parked_and_no_other_key_waits(
    bus: Bus, log: Log, start_relay: StartRelay, routing: Routing, aggregate_id: str, address: str
) -> None:
    """The checkpoint moves on, other keys are published, and what comes later is parked behind."""
    await start_relay(routing)

    assert sorted(positions_of(await bus.receive_events("first", {1, 5}))) == [1, 5]
    await log.until("position = 5 FROM relays")
    await log.append(aggregate_id, "First", 6)
    await log.until("position = 6 FROM relays")

    assert log.query(PARKED) == [2, 3, 4, 6]
    assert log.query("SELECT ordering_key FROM blocked_keys") == aggregate_id
    assert await bus.rest("first") == []
    found = await run("parked", "list", "--json")
    shown = await run("parked", "list")
    async with asyncio.timeout(PATIENCE_SECONDS), Client(address) as client:
        status = await client.status()
    assert [line["is_blocked"] for line in found.lines] == [True] * 4
    assert [line["attempts"] for line in found.lines] == [1, 0, 0, 0]
    assert f"key {aggregate_id} is blocked  message: has" in shown.out
    assert [(each.parked_messages, each.blocked_keys, each.lag_events) for each in status.topics] == [
        (4, 1, 0),
        (0, 0, 0),
    ]
    assert ", 1 keys blocked" in (await run("status", "--target", address)).out


async def test_a_blocked_key_stays_blocked_for_the_next_relay(
    bus: Bus, log: Log, start_relay: StartRelay, routing: Routing, aggregate_id: str
) -> None:
    """Whatever its topology says by then: only a retry unblocks."""
    former = await start_relay(routing)
    await log.until("position = 5 FROM relays")
    former.stop()
    await log.until("lease_owner IS NULL FROM relays")
    await start_relay(bus.routing())

    await log.append(aggregate_id, "First", 6)
    await log.until("position = 6 FROM relays")

    assert log.query(PARKED) == [2, 3, 4, 6]


async def test_a_retry_publishes_in_order_and_the_relay_goes_on(
    bus: Bus, log: Log, start_relay: StartRelay, routing: Routing, aggregate_id: str
) -> None:
    """The key is unblocked when its last message is published, and new events follow by the relay."""
    await start_relay(routing)
    await log.until("position = 5 FROM relays")
    log.mend()

    retried = await run("parked", "retry", "--json")
    await log.append(aggregate_id, "First", 6)
    messages = await bus.receive_events("first", {1, 2, 3, 4, 5, 6})

    assert (retried.code, retried.err) == (0, "")
    assert [(line["global_position"], line["published"]) for line in retried.lines] == [
        (2, True),
        (3, True),
        (4, True),
    ]
    assert [p for p in positions_of(messages) if p != 5] == [1, 2, 3, 4, 6]
    assert (log.query(PARKED), log.query(BLOCKED)) == (None, 0)


async def test_a_retry_with_a_limit_leaves_the_rest_blocked(
    bus: Bus, log: Log, start_relay: StartRelay, routing: Routing, aggregate_id: str
) -> None:
    """The next one goes on behind it."""
    await start_relay(routing)
    await log.until("position = 5 FROM relays")
    log.mend()

    await run("parked", "retry", "--limit", "2")
    await log.append(aggregate_id, "First", 6)
    await log.until("position = 6 FROM relays")
    rest = log.query(PARKED)
    await run("parked", "retry")

    messages = await bus.receive_events("first", {1, 2, 3, 4, 5, 6})
    assert rest == [4, 6]
    assert [p for p in positions_of(messages) if p != 5] == [1, 2, 3, 4, 6]
    assert log.query(BLOCKED) == 0


async def test_a_key_that_is_refused_again_keeps_no_other_from_being_retried(
    bus: Bus, log: Log, start_relay: StartRelay, routing: Routing, aggregate_id: str
) -> None:
    """Its first message is tried once; what is behind it stays; another key is published whole."""
    other = str(uuid4())
    log.insert_oversize(other, "First")
    await log.append(other, "First", 7)
    await start_relay(routing)
    await log.until("position = 7 FROM relays")
    log.mend()
    log.query("UPDATE events SET event_data = to_jsonb(repeat('x', 10000000)) WHERE global_position = 3")

    retried = await run("parked", "retry", "--json")

    assert retried.code == 1
    assert [(line["global_position"], line["published"]) for line in retried.lines] == [
        (2, True),
        (3, False),
        (6, True),
        (7, True),
    ]
    assert log.query(PARKED) == [3, 4]
    assert log.query("SELECT ordering_key FROM blocked_keys") == aggregate_id
    received = positions_of(await bus.receive_events("first", {1, 2, 5, 6, 7}))
    assert received.index(6) < received.index(7)


async def test_a_message_that_is_dropped_lets_those_behind_it_be_retried(
    bus: Bus, log: Log, start_relay: StartRelay, routing: Routing
) -> None:
    """Only after --yes; the last one of a key unblocks it at once; the events stay in the log."""
    one, other = str(uuid4()), str(uuid4())
    log.insert_oversize(one, "First")
    log.insert_oversize(other, "First")
    await log.append(one, "First", 3)
    await start_relay(routing)
    await log.until("position = 3 FROM relays")
    first, second = log.query(
        "SELECT jsonb_agg(event_id ORDER BY global_position) FROM parked_messages LIMIT 2"
    )[:2]

    unsure = await run("parked", "drop", "--event-id", first)
    dropped = await run("parked", "drop", "--event-id", first, "--event-id", second, "--yes", "--json")
    left = (log.query(PARKED), log.query("SELECT ordering_key FROM blocked_keys"))
    again = await run("parked", "drop", "--event-id", first, "--yes")
    retried = await run("parked", "retry")
    await log.append(other, "First", 4)

    assert (unsure.code, "add --yes" in unsure.err) == (2, True)
    assert [(line["global_position"], line["dropped"]) for line in dropped.lines] == [(1, True), (2, True)]
    assert left == ([3], one)
    assert (again.code, f"no parked message of event {first}" in again.err) == (1, True)
    assert retried.code == 0
    assert sorted(positions_of(await bus.receive_events("first", {3, 4}))) == [3, 4]
    assert (log.query(PARKED), log.query(BLOCKED)) == (None, 0)
    assert log.query("SELECT count(*) FROM events") == 4


async def test_a_retry_and_the_relay_never_overtake_each_other(
    bus: Bus, log: Log, start_relay: StartRelay, routing: Routing
) -> None:
    """While events come for blocked keys and are retried, each is published after the one before it."""
    aggregates = [str(uuid4()) for _ in range(3)]
    for aggregate_id in aggregates:
        log.insert_oversize(aggregate_id, "First")
    await start_relay(routing)
    await log.until("position = 3 FROM relays")
    log.mend()
    publisher = Publisher()

    async def append() -> None:
        for number in range(60):
            for aggregate_id in aggregates:
                await log.append(aggregate_id, "First", number)

    async with (
        asyncio.timeout(PATIENCE_SECONDS),
        await psycopg.AsyncConnection.connect(autocommit=True) as connection,
        asyncio.TaskGroup() as tasks,
    ):
        appending = tasks.create_task(append())
        messages = ParkedMessages(connection, publisher)
        retried = 0
        while not appending.done() or log.query(BLOCKED):
            async for _, fault in messages.retry("", 1000):
                assert not fault
                retried += 1
            await asyncio.sleep(0)
    await publisher.close()

    received = await bus.receive_events("first", set(range(1, 184)))
    assert_in_order(received)
    assert retried >= 3
    assert (log.query(PARKED), log.query(BLOCKED)) == (None, 0)


@pytest.mark.parametrize("is_retried_between", [False, True])
@pytest.mark.parametrize("point", ["after parking", "after parking behind"])
async def test_a_relay_that_dies_over_a_blocked_key_loses_nothing(  # fixtures
    bus: Bus,
    log: Log,
    start_relay: StartRelay,
    start_process: StartProcess,
    routing: Routing,
    aggregate_id: str,
    point: str,
    *,
    is_retried_between: bool,
) -> None:
    """Wherever it is killed, and though a retry comes before the next relay, the order holds."""
    dying = await start_process(point, routing)
    async with asyncio.timeout(PATIENCE_SECONDS):
        assert await dying.wait() == -signal.SIGKILL
    assert log.query(BLOCKED) == 1
    log.expire_lease()
    log.mend()
    if is_retried_between:
        assert (await run("parked", "retry")).code == 0
        assert log.query(BLOCKED) == 0

    await start_relay(routing)
    await log.append(aggregate_id, "First", 6)
    await log.until("position = 6 FROM relays")
    assert (await run("parked", "retry")).code == 0

    messages = await bus.receive_events("first", {1, 2, 3, 4, 5, 6})
    assert_in_order(messages)
    assert (log.query(PARKED), log.query(BLOCKED)) == (None, 0)


@pytest.mark.parametrize("point", ["before removing", "before unblocking"])
async def test_a_retry_that_dies_loses_nothing(
    bus: Bus, log: Log, start_relay: StartRelay, routing: Routing, point: str
) -> None:
    """The key stays blocked, and the next retry publishes what was not removed and what came since."""
    aggregate_id = str(uuid4())
    log.insert_oversize(aggregate_id, "First")
    await start_relay(routing)
    await log.until("position = 1 FROM relays")
    log.mend()
    script = str(Path(__file__).with_name("crashing_retry.py"))
    dying = await asyncio.create_subprocess_exec(
        sys.executable, script, point, stdout=asyncio.subprocess.DEVNULL
    )
    async with asyncio.timeout(PATIENCE_SECONDS):
        assert await dying.wait() == -signal.SIGKILL
    assert log.query(PARKED) == ([1] if point == "before removing" else None)
    assert log.query(BLOCKED) == 1
    await log.append(aggregate_id, "First", 2)
    await log.until("position = 2 FROM relays")
    assert set(positions_of(await bus.receive_events("first", {1}))) == {1}

    assert (await run("parked", "retry")).code == 0
    await log.append(aggregate_id, "First", 3)

    assert [p for p in positions_of(await bus.receive_events("first", {2, 3})) if p != 1] == [2, 3]
    assert (log.query(PARKED), log.query(BLOCKED)) == (None, 0)


async def test_a_key_is_not_unblocked_while_the_relay_parks_behind(log: Log) -> None:
    """Whoever comes second waits for the first and sees what it did."""
    log.query("INSERT INTO blocked_keys (topic, ordering_key) VALUES ('t', 'k')")
    behind = {"topic": "t", "ordering_key": "k", "positions": [7], "event_ids": [str(uuid4())], "error": "e"}
    key = {"topic": "t", "ordering_key": "k"}
    waiting = "count(*) = 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND usename = 'runtime'"
    async with (
        await psycopg.AsyncConnection.connect() as relay,
        await psycopg.AsyncConnection.connect(autocommit=True) as retry,
    ):
        assert (await relay.execute(queries["relay_park_behind"], behind)).rowcount == 1
        unblocking = asyncio.create_task(retry.execute(queries["parked_unblock"], key))
        await log.until(waiting)
        await relay.commit()
        assert (await unblocking).rowcount == 0
        assert (log.query(PARKED), log.query(BLOCKED)) == ([7], 1)

        log.query("DELETE FROM parked_messages")
        await retry.set_autocommit(False)
        assert (await retry.execute(queries["parked_unblock"], key)).rowcount == 1
        parking = asyncio.create_task(relay.execute(queries["relay_park_behind"], behind))
        await log.until(waiting)
        await retry.commit()
        assert (await parking).rowcount == 0
        await relay.commit()
        assert (log.query(PARKED), log.query(BLOCKED)) == (None, 0)


async def test_a_former_holder_of_the_lease_blocks_nothing(log: Log, routing: Routing) -> None:
    """A relay that slept through its lease cannot park what the next one has published or parked itself."""
    topic = routing.topics["first"].path
    message = PubsubMessage(data=b"{}", ordering_key="k")
    pending = Pending(message, 1, str(uuid4()), Publication(topic, 1))
    async with await psycopg.AsyncConnection.connect(autocommit=True) as connection:
        former = await RelayLease.acquire(connection, "former")
        assert former is not None
        log.expire_lease()
        latter = await RelayLease.acquire(connection, "latter")
        assert latter is not None

        with pytest.raises(LeaseLostError):
            await Parking(former, routing).park(pending, InvalidArgumentError())
        assert (log.query(PARKED), log.query(BLOCKED)) == (None, 0)
        await Parking(latter, routing).park(pending, InvalidArgumentError())

    assert (log.query(PARKED), log.query(BLOCKED)) == ([1], 1)


@pytest.mark.usefixtures("aggregate_id")
async def test_a_blocked_partition_holds_all_its_aggregates(
    bus: Bus, log: Log, start_relay: StartRelay
) -> None:
    """The ordering key is what waits, whatever it stands for."""
    await start_relay(bus.routing(Ordering("partitions", 1), "block"))

    await log.until("position = 5 FROM relays")

    assert log.query(PARKED) == [2, 3, 4, 5]
    assert log.query("SELECT ordering_key FROM blocked_keys") == "partition-0"


async def test_what_has_no_ordering_key_blocks_nothing(bus: Bus, log: Log, start_relay: StartRelay) -> None:
    """Where there is no order, nothing has to wait behind a message that cannot be published."""
    log.insert_oversize(str(uuid4()), "First")
    await start_relay(bus.routing(Ordering("none"), "block"))
    await log.append(str(uuid4()), "First", 2)

    await log.until("position = 2 FROM relays")

    assert (log.query(PARKED), log.query(BLOCKED)) == ([1], 0)


async def test_a_key_that_was_unblocked_costs_one_statement(log: Log, routing: Routing) -> None:
    """From then on its messages are published without a question to the database."""
    topic = routing.topics["first"].path
    pending = Pending(PubsubMessage(data=b"{}", ordering_key="k"), 1, str(uuid4()), Publication(topic, 1))
    async with await psycopg.AsyncConnection.connect(autocommit=True) as connection:
        lease = await RelayLease.acquire(connection, "holder")
        assert lease is not None
        parking = Parking(lease, routing)
        await parking.park(pending, InvalidArgumentError())
        log.query("DELETE FROM blocked_keys")

        assert not await parking.park_behind([pending])
    assert not await parking.park_behind([pending])  # without a connection


async def test_a_long_reason_is_cut(log: Log, routing: Routing) -> None:
    """What Pub/Sub says has no bound of its own; its first 1,000 characters are kept."""
    topic = routing.topics["first"].path
    pending = Pending(PubsubMessage(data=b"{}"), 1, str(uuid4()), Publication(topic, 1))
    async with await psycopg.AsyncConnection.connect(autocommit=True) as connection:
        lease = await RelayLease.acquire(connection, "holder")
        assert lease is not None
        await Parking(lease, routing).park(pending, InvalidArgumentError.of("message", "x" * 5000))

    assert log.query("SELECT length(error) FROM parked_messages") == 1000
