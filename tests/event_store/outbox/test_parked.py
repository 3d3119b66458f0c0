"""What an operator does with parked messages: see them, by topic, and publish them after all."""

import asyncio
import re
from dataclasses import replace
from uuid import uuid4

import psycopg
import pytest

from event_store.client.client import Client
from event_store.environment import Environment
from event_store.server.server import Server
from local_gcp.system.ports import free_port
from tests.conftest import TestDatabase
from tests.event_store.command import run
from tests.event_store.outbox.bus import PATIENCE_SECONDS, Bus, positions_of
from tests.event_store.outbox.log import Log


@pytest.fixture
async def parked(log: Log, bus: Bus, database: TestDatabase) -> list[int]:
    """Three events of one aggregate, each parked for topic `first` as if Pub/Sub had refused it."""
    positions = await log.append(str(uuid4()), "First", 1, 2, 3)
    with psycopg.connect(database.superuser) as connection:
        connection.execute(
            "INSERT INTO parked_messages (global_position, topic, event_id, ordering_key, error, attempts) "
            "SELECT global_position, %s, event_id, aggregate_id, 'refused', 1 FROM events",
            (bus.routing().topics["first"].path,),
        )
    return positions


async def test_parked_messages_are_listed_by_topic(parked: list[int], bus: Bus) -> None:
    """Each with its event, topic, key and reason; a topic goes by its name or path."""
    path = bus.routing().topics["first"].path

    found = await run("parked", "list", "--json")
    shown = await run("parked", "list", "--topic", "first", "--limit", "1")
    by_path = await run("parked", "list", "--topic", path)
    of_other = await run("parked", "list", "--topic", "second")

    assert [(line["global_position"], line["topic"], line["error"]) for line in found.lines] == [
        (position, path, "refused") for position in parked
    ]
    assert len(shown.out.splitlines()) == 1
    assert len(by_path.out.splitlines()) == 3
    assert (of_other.code, of_other.out) == (0, "")


async def test_a_retry_publishes_under_the_same_key_and_parks_no_more(
    parked: list[int], bus: Bus, log: Log
) -> None:
    """The messages are those that the relay would have published, in their order."""
    aggregate_id = log.query("SELECT aggregate_id::text FROM events LIMIT 1")

    retried = await run("parked", "retry", "--json")
    messages = await bus.receive_events("first", set(parked))

    assert (retried.code, retried.err) == (0, "")
    assert [line["published"] for line in retried.lines] == [True] * 3
    assert positions_of(messages) == parked
    assert {message.ordering_key for message in messages} == {aggregate_id}
    assert log.query("SELECT count(*) FROM parked_messages") == 0


async def test_a_message_that_is_refused_again_stays_parked(parked: list[int], bus: Bus, log: Log) -> None:
    """Its reason and attempts are renewed, and those behind it are published."""
    log.query("DELETE FROM parked_messages WHERE global_position > 1")
    log.insert_oversize(str(uuid4()), "First")
    log.query(
        "INSERT INTO parked_messages SELECT e.global_position, topic, e.event_id, '', 'old', 1 "
        "FROM parked_messages, events AS e WHERE e.global_position = 4"
    )

    retried = await run("parked", "retry")

    assert retried.code == 1
    assert "1 message was rejected again and remains parked" in retried.err
    assert positions_of(await bus.receive_events("first", {parked[0]})) == parked[:1]
    row = log.query("SELECT jsonb_build_array(global_position, attempts, error) FROM parked_messages")
    assert row[:2] == [4, 2]
    assert "bytes with its attributes, at most" in row[2]


async def test_a_retry_loses_nothing_while_pubsub_is_away(
    parked: list[int], log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One message says so, and all stay parked."""
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", f"127.0.0.1:{free_port()}")

    retried = await run("parked", "retry")

    assert retried.code == 1
    assert "cannot publish to" in retried.err
    assert log.query("SELECT count(*) FROM parked_messages") == len(parked)


async def test_the_status_counts_them_by_topic(parked: list[int], bus: Bus) -> None:
    """Every topic of the routing, with how many are parked and since when; the relay's lag beside it."""
    server = Server(replace(Environment(), port=0, relay="off"), bus.routing())
    await server.start()
    try:
        async with asyncio.timeout(PATIENCE_SECONDS), Client(f"127.0.0.1:{server.port}") as client:
            status = await client.status()
        shown = await run("status", "--target", f"127.0.0.1:{server.port}")
        as_json = await run("status", "--json", "--target", f"127.0.0.1:{server.port}")
    finally:
        await server.stop()

    first, second = (bus.routing().topics[name].path for name in ("first", "second"))
    assert (status.parked_messages, status.lag_events) == (3, len(parked))
    assert [(each.topic, each.parked_messages) for each in status.topics] == [(first, 3), (second, 0)]
    assert status.topics[0].oldest_parked_at is not None
    assert status.topics[1].oldest_parked_at is None
    assert re.search(rf"^{first}: 3 events behind for \d+ s, 3 parked since 20", shown.out, re.MULTILINE)
    assert re.search(rf"^{second}: 3 events behind for \d+ s, 0 parked$", shown.out, re.MULTILINE)
    assert [each["parked_messages"] for each in as_json.lines[0]["topics"]] == [3, 0]


async def test_all_parked_messages_are_listed_and_retried_page_by_page(
    log: Log, bus: Bus, database: TestDatabase
) -> None:
    """However many there are; a limit that leaves some says so."""
    events = 620
    for first in range(0, events, 310):
        await log.append(str(uuid4()), "First", *range(first, first + 310))
    path = bus.routing().topics["first"].path
    with psycopg.connect(database.superuser) as connection:
        connection.execute(
            "INSERT INTO parked_messages (global_position, topic, event_id, ordering_key, error, attempts) "
            "SELECT global_position, %s, event_id, aggregate_id, 'refused', 1 FROM events",
            (path,),
        )

    listed = await run("parked", "list", "--json")
    some = await run("parked", "list", "--json", "--limit", "600")
    few = await run("parked", "retry", "--json", "--limit", "10")
    rest = await run("parked", "retry", "--json")
    none = await run("parked", "list")

    assert [line["global_position"] for line in listed.lines] == list(range(1, events + 1))
    assert (listed.code, listed.err) == (0, "")
    assert len(some.lines) == 600
    assert some.err == few.err == "there may be more: raise or omit --limit\n"
    assert [line["global_position"] for line in few.lines] == list(range(1, 11))
    assert [line["global_position"] for line in rest.lines] == list(range(11, events + 1))
    assert (rest.code, rest.err, none.out) == (0, "", "")
