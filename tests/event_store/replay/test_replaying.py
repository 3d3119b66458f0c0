"""A replay publishes its part of the log again, to a topic of its own, as it was."""

import asyncio
import random
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from event_store.client.client import Client
from event_store.model.event_filter import EventFilter
from event_store.model.replay import Replay, ReplayState
from event_store.topology import Ordering
from tests.event_store.outbox.bus import PATIENCE_SECONDS, Bus, assert_in_order, positions_of
from tests.event_store.outbox.log import Log
from tests.event_store.replay.conftest import AGAIN, routing_of, serving


async def ended(client: Client, replay: Replay) -> Replay:
    """Wait for the end of a replay."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        async for each in client.replays.watch(replay.replay_id):
            replay = each
    return replay


async def test_a_replay_publishes_every_event_again_in_the_order_of_its_aggregate(
    any_bus: Bus, log: Log
) -> None:
    """With the data, attributes and key of the first time, and the replay's id; other topics get nothing."""
    aggregates = [str(uuid4()) for _ in range(10)]
    positions = {p for n in range(5) for a in aggregates for p in await log.append(a, "First", n)}
    async with serving(routing_of(any_bus)) as (client, _):
        first_time = await any_bus.receive_events("first", positions)

        replay = await ended(client, await client.replays.start(AGAIN))

        messages = await any_bus.receive_events(AGAIN, positions)
    assert sorted(positions_of(messages)) == sorted(positions)
    assert_in_order(messages)
    before = {message.attributes["event_id"]: message for message in first_time}
    for message in messages:
        as_before = before[message.attributes["event_id"]]
        assert (message.data, message.ordering_key) == (as_before.data, as_before.ordering_key)
        assert dict(message.attributes) == {**as_before.attributes, "replay_id": replay.replay_id}
    assert await any_bus.rest("first") == []
    assert (replay.state, replay.position, replay.error) == (ReplayState.FINISHED, 50, "")
    assert (replay.published_events, replay.parked_events, replay.total_events) == (50, 0, 50)


async def test_a_replay_has_the_range_that_was_asked_for(client: Client, bus: Bus, log: Log) -> None:
    """By positions, both inclusive; up to the head of the time of the call where no end is given."""
    await log.append(str(uuid4()), "First", *range(10))

    middle = await ended(client, await client.replays.start(AGAIN, from_position=3, to_position=5))
    rest = await client.replays.start(AGAIN, from_position=9, to_position=1000)
    await log.append(str(uuid4()), "First", 11)

    assert (middle.from_position, middle.to_position, middle.total_events) == (3, 5, 3)
    assert (await ended(client, rest)).published_events == 2
    assert sorted(positions_of(await bus.receive_events(AGAIN, {3, 4, 5, 9, 10}))) == [3, 4, 5, 9, 10]
    assert await bus.rest(AGAIN) == []


async def test_a_range_may_be_given_by_times_of_recording(client: Client, bus: Bus, log: Log) -> None:
    """From the first event that was recorded then or later to the last one that was then or earlier."""
    for number in range(5):
        await log.append(str(uuid4()), "First", number)
    times = [event.created_at async for event in client.read_all()]

    replay = await ended(client, await client.replays.start(AGAIN, from_time=times[1], to_time=times[3]))
    future = datetime(9999, 1, 1, tzinfo=UTC)
    none = await client.replays.start(AGAIN, from_time=future)

    assert (replay.from_position, replay.to_position) == (2, 4)
    assert sorted(positions_of(await bus.receive_events(AGAIN, {2, 3, 4}))) == [2, 3, 4]
    assert (none.state, none.from_position, none.to_position) == (ReplayState.FINISHED, 6, 5)
    assert none.total_events == 0


async def test_a_filter_leaves_out_the_other_events(client: Client, bus: Bus, log: Log) -> None:
    """By aggregate and event types, with beginnings; what is left out is neither published nor counted."""
    for number in range(4):
        for aggregate_type in ("First", "Second", "Finally"):
            await log.append(str(uuid4()), aggregate_type, number)

    chosen = EventFilter(aggregate_types=("Fi*",), event_types=("Happened",))
    replay = await ended(client, await client.replays.start(AGAIN, from_position=2, event_filter=chosen))
    nothing = EventFilter(event_types=("Never",))
    empty = await ended(client, await client.replays.start(AGAIN, event_filter=nothing))

    expected = [3, 4, 6, 7, 9, 10, 12]
    assert sorted(positions_of(await bus.receive_events(AGAIN, set(expected)))) == expected
    assert (replay.published_events, replay.total_events, replay.event_filter) == (7, 7, chosen)
    assert (empty.position, empty.published_events, empty.total_events) == (12, 0, 0)
    assert await bus.rest(AGAIN) == []


async def test_a_sparse_filter_looks_beyond_what_it_scans_at_once(
    client: Client, bus: Bus, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Steps of the scan, pages and steps of the count do not change what is replayed."""
    monkeypatch.setattr("event_store.replay.term.SCAN_POSITIONS", 7)
    monkeypatch.setattr("event_store.replay.term.PAGE_BYTES", 1)  # a page for each event
    monkeypatch.setattr("event_store.replay.store.COUNT_POSITIONS", 5)
    expected = set()
    for number in range(60):
        (position,) = await log.append(str(uuid4()), "First" if number % 11 == 3 else "Second", number)
        expected |= {position} if number % 11 == 3 else set()

    event_filter = EventFilter(aggregate_types=("First",))
    replay = await ended(client, await client.replays.start(AGAIN, event_filter=event_filter))
    everything = await ended(client, await client.replays.start(AGAIN, from_position=2, to_position=58))

    assert (replay.published_events, replay.total_events, replay.position) == (6, 6, 60)
    assert everything.published_events == 57
    messages = await bus.receive_events(AGAIN, set(range(2, 59)))
    by_replay = {message.attributes["replay_id"]: set[int]() for message in messages}
    for message in messages:
        by_replay[message.attributes["replay_id"]].add(int(message.attributes["global_position"]))
    assert by_replay == {replay.replay_id: expected, everything.replay_id: set(range(2, 59))}


async def test_a_dry_run_counts_and_publishes_nothing(client: Client, bus: Bus, log: Log) -> None:
    """It says what the replay would be, and leaves no trace."""
    await log.append(str(uuid4()), "First", *range(5))
    await log.append(str(uuid4()), "Second", *range(3))
    second = EventFilter(aggregate_types=("Second",))

    counted = await client.replays.start(AGAIN, event_filter=second, dry_run=True)
    everything = await client.replays.start(AGAIN, from_position=2, dry_run=True)

    assert (counted.state, counted.total_events, counted.created_at) == (ReplayState.COUNTED, 3, None)
    assert (everything.from_position, everything.to_position, everything.total_events) == (2, 8, 7)
    assert await client.replays.list() == ()
    assert await bus.rest(AGAIN) == []


async def test_a_topics_ordering_decides_the_keys_of_its_replays(bus: Bus, log: Log) -> None:
    """Partitions keep the order of aggregates in few keys."""
    positions = {p for n in range(10) for p in await log.append(str(uuid4()), "First", n, n)}
    async with serving(routing_of(bus, Ordering("partitions", 2))) as (client, _):
        await ended(client, await client.replays.start(AGAIN))
    messages = await bus.receive_events(AGAIN, positions)

    assert {message.ordering_key for message in messages} == {"partition-0", "partition-1"}
    assert_in_order(messages)


async def test_no_more_events_a_second_are_published_than_were_asked_for(
    client: Client, bus: Bus, log: Log
) -> None:
    """By Pub/Sub's own times, in any stretch of the replay."""
    positions = set(await log.append(str(uuid4()), "First", *range(40)))

    await ended(client, await client.replays.start(AGAIN, events_per_second=20))

    messages = await bus.receive_events(AGAIN, positions)
    times = sorted(message.publish_time.timestamp() for message in messages)  # type: ignore[attr-defined] # a datetime
    assert times[-1] - times[0] >= 39 / 20 - 0.2
    for first, time in enumerate(times):
        assert sum(time <= other <= time + 1 for other in times[first:]) <= 2 * 20


async def test_appends_and_the_relay_go_on_beside_a_replay(client: Client, bus: Bus, log: Log) -> None:
    """What is appended meanwhile reaches its own topic, before the replay is over."""
    aggregate_id = str(uuid4())
    await log.append(aggregate_id, "Private", *range(200))
    replay = await client.replays.start(AGAIN, events_per_second=20)

    fresh = set(await log.append(str(uuid4()), "First", *range(50)))
    messages = await bus.receive_events("first", fresh)

    assert sorted(positions_of(messages)) == sorted(fresh)
    assert (await client.replays.get(replay.replay_id)).state is ReplayState.RUNNING


@pytest.mark.parametrize("types", [(), ("First",)])
async def test_a_page_of_a_replay_that_was_cut_by_its_bytes_is_not_the_last_one(
    client: Client, bus: Bus, log: Log, types: tuple[str, ...]
) -> None:
    """Of text that does not compress four events are a page: the rest is replayed, each once."""
    positions: set[int] = set()
    for seed in range(8):
        text = random.Random(seed).randbytes(170_000).hex()  # noqa: S311 # no secret
        positions.update(await log.append(str(uuid4()), "First", text))

    replay = await client.replays.start(AGAIN, event_filter=EventFilter(aggregate_types=types))
    replay = await ended(client, replay)

    messages = await bus.receive_events(AGAIN, positions)
    assert sorted(positions_of(messages)) == sorted(positions)
    assert (replay.state, replay.published_events) == (ReplayState.FINISHED, 8)
