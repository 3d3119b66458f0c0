"""A replay is started once, paused, resumed and cancelled, and what is not allowed is told."""

import asyncio
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from event_store.client.client import Client
from event_store.errors import (
    ConfigurationError,
    InvalidArgumentError,
    ReplayAlreadyExistsError,
    ReplayEndedError,
    ReplayNotFoundError,
)
from event_store.model.event_filter import EventFilter
from event_store.model.replay import ReplayState
from event_store.replay import replayer
from event_store.replay.term import ReplayTerm
from tests.event_store.outbox.bus import Bus, positions_of
from tests.event_store.outbox.log import Log
from tests.event_store.replay.conftest import AGAIN, StartReplayer, routing_of, serving
from tests.event_store.replay.test_replaying import ended


async def test_starting_again_changes_nothing(idle_client: Client, log: Log) -> None:
    """Same id, same request: the first answer, though the head has moved; another request is refused."""
    replay_id = str(uuid4())
    await log.append(str(uuid4()), "First", 1, 2)
    first = await idle_client.replays.start(AGAIN, replay_id=replay_id, events_per_second=5)
    await log.append(str(uuid4()), "First", 3)

    again = await idle_client.replays.start(AGAIN, replay_id=replay_id.upper(), events_per_second=5)

    assert again == first
    assert (again.to_position, again.total_events) == (2, 2)
    changes: list[dict[str, Any]] = [
        {},
        {"events_per_second": 5, "to_position": 2},
        {"events_per_second": 5, "event_filter": EventFilter(event_types=("Happened",))},
    ]
    for changed in changes:
        with pytest.raises(ReplayAlreadyExistsError) as refused:
            await idle_client.replays.start(AGAIN, replay_id=replay_id, **changed)
        assert refused.value.replay_id == replay_id
    assert await idle_client.replays.list() == (first,)


async def test_of_many_starts_at_once_one_begins(idle_client: Client, log: Log) -> None:
    """All are answered alike."""
    await log.append(str(uuid4()), "First", 1, 2)
    replay_id = str(uuid4())

    starts = [idle_client.replays.start(AGAIN, replay_id=replay_id) for _ in range(10)]
    answers = await asyncio.gather(*starts)

    assert len(set(answers)) == 1
    assert len(await idle_client.replays.list()) == 1


async def test_a_topic_with_subscribers_of_new_events_is_refused(idle_client: Client) -> None:
    """So is one that is not declared; the message says which is allowed and how to add one."""
    for topic, why in (("first", "has a route"), ("unknown", "is not in the topology")):
        with pytest.raises(InvalidArgumentError) as refused:
            await idle_client.replays.start(topic)
        (violation,) = refused.value.violations
        assert violation.field == "topic"
        assert why in violation.description
        assert f"use a topic without routes ({AGAIN})" in violation.description


async def test_a_topic_that_blocks_is_refused(bus: Bus, log: Log) -> None:  # noqa: ARG001 # the log's login
    """A replay parks what can never be published, which would break what the topic promises."""
    routing = routing_of(bus)
    topics = {**routing.topics, AGAIN: replace(routing.topics[AGAIN], unpublishable="block")}
    async with serving(replace(routing, topics=topics)) as (client, _):
        with pytest.raises(
            InvalidArgumentError, match="is `unpublishable: block`: use a topic without routes"
        ):
            await client.replays.start(AGAIN)


async def test_all_that_is_wrong_with_a_start_is_told(idle_client: Client) -> None:
    """Each field by its name."""
    with pytest.raises(InvalidArgumentError) as refused:
        await idle_client.replays.start(AGAIN, replay_id="1", events_per_second=100_001)
    assert {each.field for each in refused.value.violations} == {"replay_id", "events_per_second"}
    for call in (idle_client.replays.list(1001), idle_client.replays.get("1"), idle_client.replays.pause("")):
        with pytest.raises(InvalidArgumentError):
            await call


async def test_a_service_without_a_bus_replays_nothing(log: Log) -> None:  # noqa: ARG001 # its login
    """It says so, and what to give it."""
    async with serving(None) as (client, _):
        with pytest.raises(ConfigurationError, match="has no routing"):
            await client.replays.start(AGAIN)


async def test_an_unknown_replay_is_not_found(idle_client: Client) -> None:
    """By none of the calls."""
    replay_id = str(uuid4())
    replays = idle_client.replays
    for call in (replays.get, replays.pause, replays.resume, replays.cancel):
        with pytest.raises(ReplayNotFoundError) as missing:
            await call(replay_id)
        assert missing.value.replay_id == replay_id


async def test_a_paused_replay_publishes_nothing_until_it_is_resumed(
    client: Client, bus: Bus, log: Log
) -> None:
    """What it had published is counted; then it goes on where it was, and nothing is missing or doubled."""
    positions = set(await log.append(str(uuid4()), "First", *range(60)))
    replay = await client.replays.start(AGAIN, events_per_second=20)
    messages = await bus.receive_events(AGAIN, {1})

    assert (await client.replays.pause(replay.replay_id)).state is ReplayState.PAUSED
    assert (await client.replays.pause(replay.replay_id)).state is ReplayState.PAUSED  # harmless
    await log.until("lease_owner IS NULL FROM replays")
    paused = await client.replays.get(replay.replay_id)
    messages += await bus.receive(AGAIN, lambda more: len(messages) + len(more) >= paused.published_events)
    assert await bus.rest(AGAIN) == []
    assert len(messages) == paused.published_events == paused.position < 60

    await client.replays.resume(replay.replay_id)
    await client.replays.resume(replay.replay_id)  # harmless
    after = await bus.receive_events(AGAIN, positions - set(positions_of(messages)))
    end = await ended(client, replay)
    assert positions_of([*messages, *after]) == sorted(positions)
    assert (end.state, end.published_events) == (ReplayState.FINISHED, 60)


async def test_a_paused_replay_is_let_go_though_its_topic_takes_nothing(
    client: Client, bus: Bus, log: Log
) -> None:
    """Whoever holds it learns of the pause with the next renewal, not with the next message."""
    await log.append(str(uuid4()), "First", 1)
    await bus.delete(AGAIN)
    replay = await client.replays.start(AGAIN)
    await log.until("error LIKE '%NOT_FOUND%' FROM replays")

    await client.replays.pause(replay.replay_id)

    await log.until("state = 'paused' AND lease_owner IS NULL FROM replays")


async def test_a_cancelled_replay_stops_for_good(client: Client, bus: Bus, log: Log) -> None:
    """It can be cancelled again without harm, but neither paused nor resumed."""
    await log.append(str(uuid4()), "First", *range(60))
    replay = await client.replays.start(AGAIN, events_per_second=20)
    messages = await bus.receive_events(AGAIN, {1})

    await client.replays.cancel(replay.replay_id)
    await log.until("lease_owner IS NULL FROM replays")
    cancelled = await client.replays.cancel(replay.replay_id)

    assert (cancelled.state, cancelled.error) == (ReplayState.CANCELLED, "")
    messages += await bus.receive(AGAIN, lambda more: len(messages) + len(more) >= cancelled.published_events)
    assert len(messages) == cancelled.published_events < 60
    for call in (client.replays.pause, client.replays.resume):
        with pytest.raises(ReplayEndedError) as refused:
            await call(replay.replay_id)
        assert refused.value.state == "cancelled"
    assert await bus.rest(AGAIN) == []


async def test_a_finished_replay_cannot_be_cancelled(client: Client, log: Log) -> None:
    """It is over, and says so."""
    await log.append(str(uuid4()), "First", 1)
    replay = await ended(client, await client.replays.start(AGAIN))

    with pytest.raises(ReplayEndedError) as refused:
        await client.replays.cancel(replay.replay_id)

    assert refused.value.state == "finished"


async def test_replays_are_listed_with_the_newest_first(idle_client: Client, log: Log) -> None:
    """As many as are wanted."""
    await log.append(str(uuid4()), "First", 1)
    started = [await idle_client.replays.start(AGAIN) for _ in range(3)]

    assert await idle_client.replays.list() == tuple(reversed(started))
    assert await idle_client.replays.list(1) == (started[-1],)


async def test_slow_replays_take_turns(
    idle_client: Client,
    bus: Bus,
    log: Log,
    start_replayer: StartReplayer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With fewer places than replays each gets on, and a short one ends before a long one does."""
    monkeypatch.setattr(replayer, "MOST_REPLAYS", 1)
    monkeypatch.setattr(replayer, "TURN_SECONDS", 0.1)
    most_at_once = 0
    run = ReplayTerm.run
    running: set[ReplayTerm] = set()

    async def watched(term: ReplayTerm) -> None:
        nonlocal most_at_once
        running.add(term)
        most_at_once = max(most_at_once, len(running))
        try:
            await run(term)
        finally:
            running.discard(term)

    monkeypatch.setattr(ReplayTerm, "run", watched)
    await log.append(str(uuid4()), "First", *range(1000))
    slow = [await idle_client.replays.start(AGAIN, events_per_second=1) for _ in range(2)]
    short = await idle_client.replays.start(AGAIN, to_position=3)
    await start_replayer(routing_of(bus))

    assert (await ended(idle_client, short)).state is ReplayState.FINISHED
    for replay in slow:
        async for each in idle_client.replays.watch(replay.replay_id):
            if each.published_events > 1:
                break
        assert (await idle_client.replays.cancel(replay.replay_id)).state is ReplayState.CANCELLED
    assert most_at_once == 1


async def test_a_dry_run_is_never_answered_by_a_replay(idle_client: Client, log: Log) -> None:
    """It counts what was asked for, though a running replay has the id, with other arguments or the same."""
    await log.append(str(uuid4()), "First", 1, 2, 3)
    start = idle_client.replays.start
    running = await start(AGAIN, events_per_second=1)

    same = await start(AGAIN, events_per_second=1, replay_id=running.replay_id, dry_run=True)
    other = await start(AGAIN, from_position=2, replay_id=running.replay_id, dry_run=True)

    assert (same.state, same.total_events) == (ReplayState.COUNTED, 3)
    assert (other.state, other.total_events) == (ReplayState.COUNTED, 2)
    assert (await idle_client.replays.get(running.replay_id)) == running
