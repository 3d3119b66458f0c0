"""What the client promises to who follows the log: everything once, whatever restarts meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

import event_store
from event_store.backoff import Backoff
from event_store.client.client import Client
from event_store.client.retrying import pause
from event_store.errors import EventStoreError, InvalidArgumentError, UnavailableError
from event_store.log.page import Page, read_page
from event_store.model.event_filter import EventFilter
from event_store.model.events import ExpectedVersion, NewEvent, RecordedEvent
from event_store.model.markers import CaughtUp, Checkpoint, Marker
from event_store.server.server import Server
from local_gcp.system.ports import free_port
from tests.conftest import TestDatabase
from tests.event_store.client.conftest import serving
from tests.event_store.command import PATIENCE_SECONDS


async def _append(client: Client, *data: object, event_type: str = "Happened") -> None:
    events = [NewEvent(event_type, value) for value in data]
    await client.append(str(uuid4()), "Order", events, expected_version=ExpectedVersion.ANY)


async def _next(messages: AsyncIterator[Any]) -> Any:
    async with asyncio.timeout(PATIENCE_SECONDS):
        return await anext(messages)


async def _positions(events: AsyncIterator[RecordedEvent], count: int) -> list[int]:
    return [(await _next(events)).global_position for _ in range(count)]


async def test_events_are_followed_from_a_checkpoint(client: Client) -> None:
    """What is there already and what is appended then come in one sequence, without the markers."""
    await _append(client, 1, 2, 3)
    events = client.subscribe(after_position=1)

    before = [await _next(events) for _ in range(2)]
    await _append(client, 4)
    after = await _next(events)
    await events.aclose()

    assert [event.event_data for event in [*before, after]] == [2, 3, 4]


async def test_markers_tell_the_checkpoint(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who asks for them hears when everything was given, and how far the log was scanned."""
    monkeypatch.setattr("event_store.server.subscribe_call.KEEP_ALIVE_SECONDS", 0.1)
    await _append(client, 1, 2)
    await _append(client, 3, event_type="Other")
    messages = client.subscribe(event_filter=EventFilter(event_types=("Oth*",)), markers=True)

    event, caught_up, checkpoint = [await _next(messages) for _ in range(3)]
    await messages.aclose()

    assert isinstance(event, RecordedEvent)
    assert event.event_data == 3
    assert isinstance(caught_up, CaughtUp)
    assert abs(caught_up.time - datetime.now(UTC)) < timedelta(minutes=1)
    assert (caught_up.position, checkpoint) == (3, Checkpoint(3))


async def test_a_restart_of_the_service_is_not_seen(client: Client, server: Server) -> None:
    """Stopped gracefully or cut off, in the middle of the log or at its head: nothing is lost or doubled."""
    for _ in range(3):
        await _append(client, *["x" * 5_000] * 300)
    events = client.subscribe()
    positions = await _positions(events, 10)
    await server.grpc.stop(None)
    await server.stop()

    async with serving(server.port) as second:
        positions += await _positions(events, 890)
        await _append(client, 1)
        positions += await _positions(events, 1)
        await second.stop()
    async with serving(server.port):
        await _append(client, 2)
        positions += await _positions(events, 1)
    await events.aclose()

    assert positions == list(range(1, 903))


async def test_each_outage_of_a_subscription_has_a_time_of_its_own(
    client: Client, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was received since begins it anew, however long the subscription has lasted."""
    deadlines: list[float] = []

    async def watched(error: EventStoreError, backoff: Backoff, deadline: float) -> None:
        deadlines.append(deadline)
        await pause(error, backoff, deadline)

    monkeypatch.setattr("event_store.client.log_subscription.pause", watched)
    await _append(client, 1)
    events = client.subscribe(after_position=0)
    assert await _positions(events, 1) == [1]
    await server.stop()
    async with serving(server.port):
        await _append(client, 2)
        assert await _positions(events, 1) == [2]
        first = max(deadlines)
    async with serving(server.port):
        await _append(client, 3)
        assert await _positions(events, 1) == [3]
    await events.aclose()

    assert max(deadlines) > first


async def test_a_restart_of_the_database_is_not_seen(
    mortal_database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Appends and a subscription go through two restarts of PostgreSQL: nothing is lost or doubled."""
    for name, value in mortal_database.variables().items():
        monkeypatch.setenv(name, value)
    async with serving() as server, Client(f"127.0.0.1:{server.port}", timeout_seconds=60) as client:
        events = client.subscribe()

        async def append_many() -> None:
            for number in range(150):
                await _append(client, number)

        appending = asyncio.create_task(append_many())
        received = []
        for _ in range(2):
            received += [await _next(events) for _ in range(50)]
            await asyncio.to_thread(mortal_database.postgres.stop)
            await asyncio.to_thread(mortal_database.postgres.start)
        received += [await _next(events) for _ in range(50)]
        await appending
        await events.aclose()

    assert [event.global_position for event in received] == list(range(1, 151))
    assert [event.event_data for event in received] == list(range(150))


async def test_a_service_that_is_silent_is_given_up(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection without keep-alives is replaced by another, which goes on at the checkpoint."""
    monkeypatch.setattr("event_store.client.log_subscription.SILENCE_SECONDS", 0.3)
    await _append(client, 1)
    messages = client.subscribe(markers=True)

    received: list[RecordedEvent | Marker] = [await _next(messages) for _ in range(4)]
    await _append(client, 2)
    while not isinstance(received[-1], RecordedEvent):
        received.append(await _next(messages))
    await messages.aclose()

    events = [each for each in received if isinstance(each, RecordedEvent)]
    assert [event.event_data for event in events] == [1, 2]
    assert len([each for each in received if isinstance(each, CaughtUp)]) >= 3


async def test_a_service_that_stays_away_is_told() -> None:
    """The client's timeout bounds how long a subscription looks for its service."""
    async with Client(f"127.0.0.1:{free_port()}", timeout_seconds=0.5) as client:
        with pytest.raises(UnavailableError):
            await _next(client.subscribe())


async def test_a_wrong_checkpoint_is_the_callers(client: Client) -> None:
    """A checkpoint of another log, or one that is no number of an event, is refused at once."""
    for position in (1, -1, 1 << 64):
        with pytest.raises(InvalidArgumentError, match="after_position"):
            await _next(client.subscribe(after_position=position))


async def test_reads_take_filters_and_times(client: Client) -> None:
    """The client passes on what the service can do, and refuses what has no meaning."""
    await _append(client, 1, 2, event_type="WordAdded")
    await _append(client, 3, event_type="Other")
    await _append(client, 4, event_type="WordMoved")
    words = EventFilter(event_types=("Word*",), aggregate_types=("Order",))
    events = [event async for event in client.read_all()]

    filtered = [event async for event in client.read_all(event_filter=words)]
    since = [event async for event in client.read_all(from_time=events[2].created_at)]
    until = client.read_all(from_time=events[2].created_at, backwards=True, event_filter=words)

    assert [event.event_data for event in filtered] == [1, 2, 4]
    assert [event.event_data for event in since] == [3, 4]
    assert [event.event_data async for event in until] == [2, 1]
    with pytest.raises(InvalidArgumentError, match="time zone"):
        client.read_all(from_time=datetime(2026, 1, 1))  # noqa: DTZ001 # what is refused
    with pytest.raises(InvalidArgumentError, match="from_position"):
        client.read_all(from_time=events[0].created_at, from_position=1)


async def test_a_read_with_a_sparse_filter_goes_on_after_a_restart(
    client: Client, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It does not begin again, forwards or backwards, though it had no event to remember its place by."""
    monkeypatch.setattr("event_store.log.reader.SCAN_POSITIONS", 10)
    pages = asyncio.Semaphore(0)

    async def counted(*arguments: Any) -> Page:
        page = await read_page(*arguments)
        pages.release()
        return page

    monkeypatch.setattr("event_store.log.reader.read_page", counted)
    await _append(client, *range(500))
    rare = EventFilter(event_types=("Rare",))
    reads = [
        asyncio.create_task(_all(client.read_all(event_filter=rare, backwards=backwards)))
        for backwards in (False, True)
    ]
    for _ in range(20):  # of a hundred
        await pages.acquire()
    await server.grpc.stop(None)
    await server.stop()

    async with serving(server.port), asyncio.timeout(PATIENCE_SECONDS):
        assert await asyncio.gather(*reads) == [[], []]


async def _all(events: AsyncIterator[RecordedEvent]) -> list[RecordedEvent]:
    return [event async for event in events]


def test_the_names_of_subscriptions_are_public() -> None:
    """What the client takes and gives can be imported from the package."""
    assert (event_store.EventFilter, event_store.CaughtUp) == (EventFilter, CaughtUp)
    assert event_store.Checkpoint is Checkpoint
    assert event_store.FellBehind(1).position == 1
