"""`event-store replay` does what the client does, and shows it."""

import asyncio
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from event_store.client.client import Client
from tests.conftest import TestDatabase
from tests.event_store.command import PATIENCE_SECONDS, run, started
from tests.event_store.outbox.bus import Bus, positions_of
from tests.event_store.outbox.log import Log
from tests.event_store.replay.conftest import AGAIN, routing_of, serving
from tests.event_store.replay.test_replaying import ended

TOPOLOGY = """
topics:
  - name: first
    messageRetentionDuration: 10m
subscriptions:
  - name: first
    topic: first
routes:
  - aggregateType: First
    topics: [first]
"""


async def test_a_replay_is_started_shown_and_turned(bus: Bus, log: Log) -> None:
    """Counted first, then waited for; each action writes how it stands, as text or JSON."""
    await log.append(str(uuid4()), "First", 1, 2, 3)
    await log.append(str(uuid4()), "Second", 4)
    replay_id = str(uuid4())
    async with serving(routing_of(bus)) as (_, server):
        at = ("--target", f"127.0.0.1:{server.port}")

        counted = await run("replay", "start", AGAIN, "--aggregate-type", "First", "--dry-run", *at)
        waited = await run("replay", "start", AGAIN, "--from-position", "2", "--wait", "--json", *at)
        await log.append(str(uuid4()), "Second", *range(500))  # it must not be over before it is turned
        slow = await run("replay", "start", AGAIN, "--rate", "1", "--id", replay_id, *at)
        turned = [await run("replay", name, replay_id, *at) for name in ("pause", "resume", "cancel")]
        over = await run("replay", "show", replay_id, "--wait", *at)
        late = await run("replay", "pause", replay_id, *at)
        listed = await run("replay", "list", "--json", *at)

    assert counted.out.startswith("counted    0 of 3 events  0 of 1-4  projects/")
    assert waited.code == 0
    assert (waited.lines[0]["state"], waited.lines[-1]["state"]) == ("running", "finished")
    assert waited.lines[-1]["published_events"] == 3
    assert slow.out.startswith(f"{replay_id}  running ")
    assert [each.out.split()[1] for each in turned] == ["paused", "running", "cancelled"]
    assert over.code == 1  # it was waited for, and was cancelled
    assert late.code == 1
    assert "is cancelled and cannot be changed" in late.err
    assert [each["state"] for each in listed.lines] == ["cancelled", "finished"]


async def test_a_relay_in_a_process_of_its_own_runs_replays(
    idle_client: Client, bus: Bus, log: Log, tmp_path: Path
) -> None:
    """`event-store relay` does what `serve` does, and gives its leases back when it is stopped."""
    positions = set(await log.append(str(uuid4()), "First", *range(40)))
    topology = TOPOLOGY.replace("subscriptions:", f"  - name: {AGAIN}\nsubscriptions:")
    (tmp_path / "topology.yaml").write_text(topology)
    replay = await idle_client.replays.start(AGAIN, events_per_second=20)

    for _ in range(2):
        reached = log.query("SELECT position FROM replays")
        where = ("--topology", str(tmp_path / "topology.yaml"), "--project", bus.project)
        async with started("relay", *where) as process:
            await log.until(f"position >= {reached + 10} FROM replays")
            process.terminate()
            async with asyncio.timeout(PATIENCE_SECONDS):
                assert await process.wait() == 0
        assert log.query("SELECT lease_owner FROM replays") is None

    async with serving(routing_of(bus)) as (client, _):
        await ended(client, replay)
    assert positions_of(await bus.receive_events(AGAIN, positions)) == sorted(positions)


async def test_a_parked_message_of_a_replay_is_published_as_one(
    bus: Bus, log: Log, database: TestDatabase
) -> None:
    """`event-store parked retry` gives it the attribute that it would have had."""
    (position,) = await log.append(str(uuid4()), "First", 1)
    topic, replay_id = routing_of(bus).topics[AGAIN].path, str(uuid4())
    with psycopg.connect(database.superuser) as connection:
        connection.execute(
            "INSERT INTO parked_messages (global_position, topic, event_id, ordering_key, error, attempts, "
            "replay_id) SELECT global_position, %s, event_id, '', 'refused', 1, %s FROM events",
            (topic, replay_id),
        )

    retried = await run("parked", "retry", "--json")
    (message,) = await bus.receive_events(AGAIN, {position})

    assert [line["replay_id"] for line in retried.lines] == [replay_id]
    assert message.attributes["replay_id"] == replay_id


@pytest.mark.parametrize("by", ["time", "position"])
async def test_a_seek_delivers_again_what_one_subscription_had(
    bus: Bus, log: Log, tmp_path: Path, by: str
) -> None:
    """From an event on, though it was acknowledged; nobody else gets anything."""
    (tmp_path / "topology.yaml").write_text(TOPOLOGY)
    where = ("--topology", str(tmp_path / "topology.yaml"), "--project", bus.project)
    async with serving(routing_of(bus)) as (client, server):
        for number in range(4):
            await log.append(str(uuid4()), "Both", number)
            await bus.receive_events("first", {number + 1})
            await bus.receive_events("second", {number + 1})
        events = [event async for event in client.read_all()]
        place = (
            ("--from-time", events[2].created_at.isoformat()) if by == "time" else ("--from-position", "3")
        )

        sought = await run("replay", "seek", "first", *place, *where, "--target", f"127.0.0.1:{server.port}")

    assert (sought.code, sought.err) == (0, "")
    assert sought.out.startswith("first: messages published since 20")
    assert sorted(positions_of(await bus.receive_events("first", {3, 4}))) == [3, 4]
    assert await bus.rest("second") == []


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("first", "--from-time", "2020-01-01T00:00:00Z"), "Use `event-store replay start`"),
        (("first", "--from-time", "9999-01-01T00:00:00Z"), "is in the future"),
        (
            ("other", "--from-time", "2020-01-01T00:00:00Z"),
            "'other' is not in the topology: use one of first",
        ),
    ],
)
async def test_a_seek_that_cannot_do_what_it_should_is_refused(
    bus: Bus, tmp_path: Path, arguments: tuple[str, ...], why: str
) -> None:
    """Beyond the topic's retention, into the future, or of an unknown subscription."""
    (tmp_path / "topology.yaml").write_text(TOPOLOGY)
    where = ("--topology", str(tmp_path / "topology.yaml"), "--project", bus.project)

    refused = await run("replay", "seek", *arguments, *where)

    assert refused.code == 1
    assert why in refused.err
