"""Each event has its effect once, in order, and nothing is lost."""

import asyncio
import random
from itertools import chain
from typing import Any

import psycopg
import pytest

from event_store.client.client import Client
from event_store.consumer.projection import Projection
from event_store.errors import EventStoreError, UnavailableError
from event_store.model.events import RecordedEvent
from tests.conftest import TestDatabase
from tests.event_store.consumer.words import POISON, Words, append, read


async def test_an_event_that_comes_twice_has_its_effect_once(client: Client, words: Words) -> None:
    """A duplicate is skipped, whenever it comes."""
    aggregate_id = await append(client, "a", "b")
    first, second = await read(client, aggregate_id)
    projection = words.projection(client)

    for event in (first, first, second, first, second):
        await projection.handle(event, 1)

    assert words.effects() == {aggregate_id: ["a", "b"]}
    assert len(words.seen) == 2


async def test_a_gap_is_fetched_from_the_store_in_order(client: Client, words: Words) -> None:
    """Whoever hears of an aggregate late handles all of it, across pages."""
    aggregate_id = await append(client, *[str(number) for number in range(250)])
    events = await read(client, aggregate_id)
    projection = words.projection(client)
    await projection.handle(events[0], 1)

    await projection.handle(events[-1], 1)

    assert words.effects() == {aggregate_id: [str(number) for number in range(250)]}


async def test_a_gap_of_one_event_is_fetched(client: Client, words: Words) -> None:
    """The smallest gap is one, too."""
    aggregate_id = await append(client, "a", "b", "c")
    events = await read(client, aggregate_id)
    projection = words.projection(client)
    await projection.handle(events[0], 1)

    await projection.handle(events[2], 1)

    assert words.effects() == {aggregate_id: ["a", "b", "c"]}


async def test_many_tasks_and_any_order_of_arrival_change_nothing(client: Client, words: Words) -> None:
    """Events that come shuffled, doubled and at the same time have their effects once and in order."""
    ids = [await append(client, "a", "b", "c", "d") for _ in range(4)]
    events = list(chain.from_iterable([await read(client, aggregate_id) for aggregate_id in ids])) * 3
    random.Random(4).shuffle(events)  # noqa: S311 # a test's order is no secret
    projections = [words.projection(client) for _ in range(2)]

    await asyncio.gather(*[projections[n % 2].handle(event, 1) for n, event in enumerate(events)])

    assert words.effects() == {aggregate_id: ["a", "b", "c", "d"] for aggregate_id in ids}


async def test_other_aggregates_are_none_of_a_projections_business(client: Client, words: Words) -> None:
    """An aggregate type that it was not made for is skipped, live and in a rebuild."""
    other = await append(client, "a", kind="Progress")
    aggregate_id = await append(client, "b")
    projection = words.projection(client, aggregate_types=["Vocabulary"])

    for event in await read(client, other):
        await projection.handle(event, 1)
    await projection.rebuild()

    assert words.effects() == {aggregate_id: ["b"]}


async def test_a_refused_event_has_no_effect_and_holds_back_what_follows(
    client: Client, words: Words
) -> None:
    """Until its last delivery its aggregate waits, and nothing of the handler's work stays."""
    aggregate_id = await append(client, "a", POISON, "c")
    events = await read(client, aggregate_id)
    projection = words.projection(client)

    for event in (events[0], events[1], events[2]):
        if event.event_version > 1:
            with pytest.raises(ValueError, match="no word"):
                await projection.handle(event, 4)
        else:
            await projection.handle(event, 4)

    assert words.effects() == {aggregate_id: ["a"]}
    assert await projection.passed_over() == ()


async def test_an_event_refused_to_the_end_is_passed_over_and_handled_when_it_is_redriven(
    client: Client, words: Words
) -> None:
    """Its aggregate goes on; the event is noted, and handled once when it comes again and can be."""
    aggregate_id = await append(client, "a", POISON, "c")
    events = await read(client, aggregate_id)
    projection = words.projection(client)
    await projection.handle(events[0], 1)
    with pytest.raises(ValueError, match="no word"):
        await projection.handle(events[1], 5)

    await projection.handle(events[2], 1)
    assert words.effects() == {aggregate_id: ["a", "c"]}
    (left,) = await projection.passed_over()
    assert (left.event_id, left.event_version, left.error) == (events[1].event_id, 2, "ValueError: no word")

    with pytest.raises(ValueError, match="no word"):
        await projection.handle(events[1], 5)  # not cured yet
    words.cured = True
    await projection.handle(events[1], 1)
    await projection.handle(events[1], 1)
    assert words.effects() == {aggregate_id: ["a", "c", POISON]}
    assert await projection.passed_over() == ()


async def test_a_missing_event_that_is_refused_does_not_take_the_next_one_with_it(
    client: Client, words: Words
) -> None:
    """Fetched and refused to the end of the event that needs it, it is passed over, and retried on demand."""
    aggregate_id = await append(client, "a", POISON, "c")
    last = (await read(client, aggregate_id))[-1]
    projection = words.projection(client)

    await projection.handle(last, 5)

    assert words.effects() == {aggregate_id: ["a", "c"]}
    assert await projection.retry_passed_over() == 1
    words.cured = True
    assert await projection.retry_passed_over() == 0
    assert words.effects() == {aggregate_id: ["a", "c", POISON]}


async def test_a_rebuild_equals_what_was_handled_live(client: Client, words: Words) -> None:
    """A projection of a new name, rebuilt while events still come to it, ends like the one beside it."""
    ids = [await append(client, "a", "b", POISON, "c") for _ in range(40)]
    live, rebuilt = words.projection(client), words.projection(client, "rebuilt")
    events = [event async for event in client.read_all()]
    for event in events:
        if event.event_data == POISON:
            with pytest.raises(ValueError, match="no word"):
                await live.handle(event, 5)
        else:
            await live.handle(event, 1)

    await asyncio.gather(
        rebuilt.rebuild(), *[rebuilt.handle(event, 5) for event in events[1::40]], return_exceptions=False
    )
    assert await rebuilt.rebuild() == len(events)  # changes nothing more

    assert words.effects("rebuilt") == words.effects("words") == {each: ["a", "b", "c"] for each in ids}


async def test_an_outage_of_the_database_is_no_fault_of_the_event(
    client: Client, words: Words, database: TestDatabase
) -> None:
    """On its last delivery too, an event is kept that the database could not take just then."""
    aggregate_id = await append(client, "a")
    (event,) = await read(client, aggregate_id)
    projection = words.projection(client)
    interrupted = Projection("words", client, words.connect, _killing_its_connection)
    words.conninfo = f"{database.superuser} port=1"
    with pytest.raises(UnavailableError, match="the database of projection words is unreachable"):
        await projection.handle(event, 5)
    words.conninfo = database.superuser

    with pytest.raises(UnavailableError):
        await interrupted.handle(event, 5)

    assert await projection.passed_over() == ()
    await projection.handle(event, 5)
    assert words.effects() == {aggregate_id: ["a"]}


async def _killing_its_connection(connection: psycopg.AsyncConnection[Any], _: RecordedEvent) -> None:
    await connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")


@pytest.mark.parametrize("in_database", [False, True])
async def test_a_handler_that_hangs_is_refused_in_time(
    client: Client, words: Words, in_database: bool
) -> None:
    """It holds its transaction no longer than it was allowed to."""
    aggregate_id = await append(client, "a")

    async def handler(connection: psycopg.AsyncConnection[Any], _: RecordedEvent) -> None:
        if in_database:
            await connection.execute("SELECT pg_sleep(60)")
        await asyncio.Event().wait()

    projection = Projection("words", client, words.connect, handler, timeout_seconds=0.1)
    with pytest.raises(TimeoutError):
        await projection.handle((await read(client, aggregate_id))[0], 5)

    assert len(await projection.passed_over()) == 1


async def test_events_of_another_store_are_refused(client: Client, words: Words) -> None:
    """A gap that the store cannot fill is said, not skipped."""
    aggregate_id = await append(client, "a", "b", "c")
    third = (await read(client, aggregate_id))[2]
    fields = {name: getattr(third, name) for name in RecordedEvent.__slots__}
    alien = RecordedEvent(**fields | {"event_version": 9})

    with pytest.raises(EventStoreError, match="check that its client uses the store"):
        await words.projection(client).handle(alien, 1)
