"""What the relay does when the bus, the database or a message gives trouble: wait, never lose, never die."""

import asyncio
import logging
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from event_store.database.login import Login
from event_store.errors import UnavailableError
from event_store.outbox import lease
from event_store.outbox.paging import PageSize
from event_store.outbox.relay import Relay
from event_store.outbox.relay_term import PAGE_EVENTS
from event_store.topology import Routing
from local_gcp.system.ports import free_port
from pubsub_emulator import PubSubServer
from tests.conftest import TestDatabase
from tests.event_store.outbox.bus import PATIENCE_SECONDS, Bus, assert_in_order, bus_at, positions_of
from tests.event_store.outbox.conftest import StartRelay
from tests.event_store.outbox.log import Log
from tests.event_store.outbox.relay.test_takeover import StartProcess, start_process
from tests.proxy import Proxy

__all__ = ["start_process"]  # the fixture


class _Logged(logging.Handler):
    """Gives a signal for each message that is logged."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[str] = []
        self.errors: list[str] = []
        self.came = asyncio.Event()

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())
        if record.levelno >= logging.ERROR:
            self.errors.append(record.getMessage())
        self.came.set()

    async def until(self, text: str) -> None:
        """Wait for a message with a text."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not any(text in message for message in self.messages):
                self.came.clear()
                await self.came.wait()


@pytest.fixture
def logged() -> Iterator[_Logged]:
    """What the relay logs."""
    handler = _Logged()
    logger = logging.getLogger("event_store")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield handler
    logger.setLevel(logging.NOTSET)
    logger.removeHandler(handler)


async def test_nothing_is_lost_while_pubsub_is_away(
    log: Log, start_relay: StartRelay, logged: _Logged, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The relay waits for Pub/Sub, checkpoints nothing meanwhile, and then publishes all of it."""
    port = free_port()
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", f"127.0.0.1:{port}")
    aggregates = [str(uuid4()) for _ in range(3)]
    async with PubSubServer(port=port) as server, bus_at(server.address) as bus:
        await start_relay(bus.routing())
        before = {p for a in aggregates for p in await log.append(a, "First", 1)}
        assert set(positions_of(await bus.receive_events("first", before))) == before
        await log.until("position = 3 FROM relays")
    meanwhile = {p for n in (2, 3) for a in aggregates for p in await log.append(a, "First", n)}
    await logged.until("cannot publish, retrying")
    assert log.checkpoint == 3

    async with PubSubServer(port=port) as server, bus_at(server.address, bus) as bus:
        messages = await bus.receive_events("first", meanwhile)
        assert set(positions_of(messages)) == meanwhile
        assert [m.attributes["event_version"] for m in messages if m.ordering_key == aggregates[0]] == [
            "2",
            "3",
        ]
        await log.until("position = 9 FROM relays")
        await logged.until("publishing again")


async def test_a_missing_topic_holds_up_only_itself(
    bus: Bus, log: Log, start_relay: StartRelay, logged: _Logged
) -> None:
    """Other topics go on; the checkpoint waits; nothing is parked, and all comes when the topic is there."""
    await bus.delete("second")
    await log.append(str(uuid4()), "First", 1)
    await log.append(str(uuid4()), "Second", 2, 3)
    await log.append(str(uuid4()), "First", 4)
    await start_relay(bus.routing())

    assert set(positions_of(await bus.receive_events("first", {1, 4}))) == {1, 4}
    await logged.until("NOT_FOUND")
    await log.until("position = 1 FROM relays")
    await bus.create("second")
    await bus.seek_to_the_beginning("second")  # the relay may be faster than the subscription

    assert positions_of(await bus.receive_events("second", {2, 3})) == [2, 3]
    await log.until("position = 4 FROM relays")
    assert log.query("SELECT count(*) FROM parked_messages") == 0


async def test_a_message_that_can_never_be_published_is_parked_and_its_key_goes_on(
    bus: Bus, log: Log, start_relay: StartRelay, logged: _Logged
) -> None:
    """It is set aside with its reason before the checkpoint passes it; what follows it is published."""
    aggregate_id = str(uuid4())
    await log.append(aggregate_id, "First", 1)
    log.insert_oversize(aggregate_id, "First")
    await log.append(aggregate_id, "First", 3)
    await start_relay(bus.routing())

    assert positions_of(await bus.receive_events("first", {1, 3})) == [1, 3]
    await log.until("position = 3 FROM relays")
    await logged.until("message rejected by Pub/Sub and parked")
    parked = log.query(
        "SELECT jsonb_build_array(global_position, topic, ordering_key, attempts, error) FROM parked_messages"
    )
    assert parked[:4] == [2, bus.routing().topics["first"].path, aggregate_id, 1]
    assert "bytes with its attributes, at most 9900000" in parked[4]


async def test_a_message_is_parked_once_though_the_relay_dies_over_it(
    bus: Bus, log: Log, start_relay: StartRelay, start_process: StartProcess
) -> None:
    """A crash between parking and the checkpoint parks nothing twice and loses nothing."""
    aggregate_id = str(uuid4())
    log.insert_oversize(aggregate_id, "Both")
    await log.append(aggregate_id, "Both", 2)
    dying = await start_process("after parking", bus.routing())
    async with asyncio.timeout(PATIENCE_SECONDS):
        await dying.wait()
    assert log.checkpoint == 0
    log.expire_lease()

    await start_relay(bus.routing())

    assert 2 in positions_of(await bus.receive_events("first", {2}))
    assert 2 in positions_of(await bus.receive_events("second", {2}))
    await log.until("position = 2 FROM relays")
    assert log.query("SELECT count(*) FROM parked_messages") == 2


async def test_lost_connections_to_the_database_cost_nothing(
    bus: Bus, log: Log, start_relay: StartRelay
) -> None:
    """The relay connects again and goes on where it was."""
    aggregate_id = str(uuid4())
    await start_relay(bus.routing())
    positions = set(await log.append(aggregate_id, "First", 1))
    await log.until("position = 1 FROM relays")
    for number in range(3):
        log.terminate("query <> ''")
        positions.update(await log.append_again(aggregate_id, "First", number))

    messages = await bus.receive_events("first", positions)

    assert_in_order(messages)
    await log.until("position = 4 FROM relays")


async def test_a_relay_that_cannot_listen_polls(
    bus: Bus, log: Log, start_relay: StartRelay, logged: _Logged
) -> None:
    """Without its listening connection events still arrive, without a word from their appender."""
    aggregate_id = str(uuid4())
    await start_relay(bus.routing())
    await log.until(
        "count(*) = 1 FROM pg_stat_activity WHERE usename = 'runtime' AND query LIKE '%LISTEN event%'"
    )
    log.terminate("query LIKE '%LISTEN event%'")
    await logged.until("cannot listen for appends, polling instead")

    positions = set(await log.append(aggregate_id, "First", 1))

    assert set(positions_of(await bus.receive_events("first", positions))) == positions


async def test_nothing_is_published_beyond_a_hole_in_the_log(
    bus: Bus, log: Log, start_relay: StartRelay, logged: _Logged
) -> None:
    """A missing event is an alarm, in the middle of the log and at its end; the relay stays before it."""
    aggregate_id = str(uuid4())
    await log.append(aggregate_id, "First", 1, 2, 3)
    log.query("ALTER TABLE events DISABLE TRIGGER append_only")
    log.query("DELETE FROM events WHERE global_position = 2")
    await start_relay(bus.routing())

    await logged.until("the log has no event at position 2")
    assert "the log has no event at position 2" in logged.errors[0]
    assert log.checkpoint <= 1
    log.query("DELETE FROM events WHERE global_position = 3")
    logged.messages.clear()
    await logged.until("the log has no event at position 2")
    assert positions_of(await bus.rest("first")) in ([], [1])


async def test_a_relay_without_routes_passes_over_everything(log: Log, start_relay: StartRelay) -> None:
    """A store without a bus needs no Pub/Sub to stay in step."""
    await log.append(str(uuid4()), "Private", 1, 2)

    await start_relay(Routing({}, (), "store-only"))

    await log.until("position = 2 FROM relays")


async def test_a_page_too_large_for_its_time_is_read_in_smaller_ones(  # fixtures
    log: Log, start_relay: StartRelay, monkeypatch: pytest.MonkeyPatch, bus: Bus, database: TestDatabase
) -> None:
    """Events that take far more room in a message than on disk hold nothing up forever."""
    monkeypatch.setattr(lease, "STATEMENT_SECONDS", 0.5)
    log.insert_large("Nowhere", 12, size_bytes=100_000)
    await log.append(str(uuid4()), "First", 13)  # on a connection that is as fast as ever

    async with Proxy(database.postgres.port, answer_bytes_per_second=2_000_000) as proxy:
        monkeypatch.setenv("PGPORT", str(proxy.port))
        await start_relay(bus.routing())

        assert positions_of(await bus.receive_events("first", {13})) == [13]


async def test_the_size_of_a_page_follows_the_time_that_it_takes(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A quarter after a page that took too long, down to one event; else twice as many, up to the most."""
    size = PageSize(PAGE_EVENTS)
    sizes = []

    async def read(connection: psycopg.AsyncConnection[Any]) -> None:
        try:
            await size.read(connection, "read_all_forwards", (1, size.events, 1))
        finally:
            sizes.append(size.events)

    monkeypatch.setattr(lease, "STATEMENT_SECONDS", 0.05)
    async with await psycopg.AsyncConnection.connect(log._conninfo) as locking:
        await locking.execute("LOCK TABLE log_head")
        for _ in range(6):
            async with await psycopg.AsyncConnection.connect(autocommit=True) as connection:
                with pytest.raises(UnavailableError):
                    await read(connection)
    monkeypatch.setattr(lease, "STATEMENT_SECONDS", PATIENCE_SECONDS)
    async with await psycopg.AsyncConnection.connect(autocommit=True) as connection:
        for _ in range(11):
            await read(connection)

    assert sizes == [250, 62, 15, 3, 1, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, PAGE_EVENTS, PAGE_EVENTS]


async def test_a_relay_that_worked_meanwhile_waits_shortly_after_the_next_failure(
    bus: Bus, log: Log, start_relay: StartRelay
) -> None:
    """Its waits begin anew with each lease."""
    await log.append(str(uuid4()), "First", 1)
    relay = await start_relay(bus.routing())
    for position in (1, 2, 3):
        await log.until(f"lease_owner IS NOT NULL AND position = {position} FROM relays")
        log.terminate("query <> ''")
        await log.append_again(str(uuid4()), "First", position)
    await log.until("position = 4 FROM relays")

    assert relay._backoff._failures == 0


async def test_a_relay_that_is_stopped_drops_its_connection_to_pubsub(
    bus: Bus, log: Log, login: Login
) -> None:
    """A service that is stopped leaves none open."""
    relay = Relay(login, bus.routing())
    running = asyncio.create_task(relay.run())
    await log.until("lease_owner IS NOT NULL FROM relays")
    relay.stop()
    async with asyncio.timeout(PATIENCE_SECONDS):
        await running

    assert relay._publisher._channel is None
