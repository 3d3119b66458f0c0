"""The client's import: one source, in order, from its beginning, through restarts and crashes."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from event_store.client.client import Client
from event_store.client.resume_point import find_difference
from event_store.errors import (
    EventAlreadyExistsError,
    ImportMovedError,
    InvalidArgumentError,
    UnavailableError,
    WrongExpectedVersionError,
)
from event_store.model.events import ImportedEvent, ImportProgress, RecordedEvent
from event_store.server.server import Server
from event_store.v1 import event_store_pb2 as pb
from tests.conftest import TestDatabase
from tests.event_store.client.conftest import serving
from tests.event_store.command import PATIENCE_SECONDS

TIME = datetime(1999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)


def history(size: int, data: object = None) -> list[ImportedEvent]:
    """Make a source of one aggregate."""
    aggregate_id = str(uuid4())
    return [
        ImportedEvent(
            aggregate_id=aggregate_id,
            aggregate_type="Order",
            event_version=version,
            event_type="Happened",
            event_data=data or version,
            occurred_at=TIME,
        )
        for version in range(1, size + 1)
    ]


async def stored(client: Client) -> list[RecordedEvent]:
    async with asyncio.timeout(PATIENCE_SECONDS):
        return [event async for event in client.read_all()]


async def test_a_source_is_imported_with_progress(client: Client) -> None:
    """Every event as it was given, and a word after each part of a thousand."""
    source = history(2500)
    told: list[ImportProgress] = []

    async with asyncio.timeout(PATIENCE_SECONDS):
        progress = await client.import_events("legacy", source, on_progress=told.append)

    found = await stored(client)
    assert told == [ImportProgress(n, n) for n in (0, 1000, 2000, 2500)]
    assert progress == ImportProgress(2500, 2500)
    assert [(e.event_id, e.event_data, e.event_version) for e in found] == [
        (e.event_id, e.event_data, e.event_version) for e in source
    ]
    assert {event.occurred_at for event in found} == {TIME}


async def test_large_events_make_small_parts(client: Client) -> None:
    """Of events of 1 MB four fit into a part."""
    told: list[int] = []

    async with asyncio.timeout(PATIENCE_SECONDS):
        await client.import_events(
            "legacy", history(10, "x" * 1_000_000), on_progress=lambda p: told.append(p.stored_events)
        )

    assert told == [0, 4, 8, 10]


async def test_an_import_reads_no_further_ahead_than_four_parts(
    database: TestDatabase, client: Client
) -> None:
    """While nothing is stored, four parts wait and a fifth is made, so a source may exceed the memory."""
    read = 0
    has_read = asyncio.Event()

    async def source() -> AsyncIterator[ImportedEvent]:
        nonlocal read
        for event in history(9000):
            read += 1
            if read > 5000:
                has_read.set()
            yield event

    async with await psycopg.AsyncConnection.connect(database.owner) as holder, asyncio.TaskGroup() as tasks:
        await holder.execute("SELECT position FROM log_head FOR UPDATE")
        importing = tasks.create_task(client.import_events("legacy", source()))
        async with asyncio.timeout(PATIENCE_SECONDS):
            await has_read.wait()
            for _ in range(20):  # in which a sixth part would be made
                await client.status()
        ahead = read
        await holder.rollback()

    assert ahead == 5001
    assert (await importing).stored_events == 9000


async def test_an_import_goes_on_where_it_was(client: Client) -> None:
    """The same source once more stores nothing; a longer one stores what is new; a shorter one is refused."""
    source = history(1500)

    async with asyncio.timeout(PATIENCE_SECONDS):
        first = await client.import_events("legacy", iter(source[:700]))
        again = await client.import_events("legacy", source[:700])
        longer = await client.import_events("legacy", source)
        with pytest.raises(InvalidArgumentError, match="the source: has 9 events, but the import"):
            await client.import_events("legacy", source[:9])

    assert (first, again, longer) == (
        ImportProgress(700, 700),
        ImportProgress(700, 700),
        ImportProgress(1500, 1500),
    )
    assert [event.event_id for event in await stored(client)] == [event.event_id for event in source]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        *(({"event_data": {"n": 7.0}}, "event_data"), ({"metadata": {"by": "me"}}, "metadata")),
        *(
            ({"event_type": "Done"}, "event_type"),
            ({"occurred_at": TIME.replace(microsecond=1)}, "occurred_at"),
        ),
        *(({"aggregate_id": str(uuid4())}, "aggregate_id"), ({"aggregate_type": "Bill"}, "aggregate_type")),
        ({"event_version": 8}, "event_version"),
    ],
)
@pytest.mark.parametrize("length", [700, 1500])
async def test_another_source_under_a_used_name_is_refused(
    client: Client, length: int, change: dict[str, object], field: str
) -> None:
    """As long as the first one or longer: the event that was stored last is not its own."""
    source = history(1500)
    other = [*source[:699], replace(source[699], **change), *source[700:length]]  # type: ignore[arg-type] # one of them

    async with asyncio.timeout(PATIENCE_SECONDS):
        await client.import_events("legacy", source[:700])
        with pytest.raises(InvalidArgumentError, match=f"the source: .* event 700 has another {field}"):
            await client.import_events("legacy", other)

    assert len(await stored(client)) == 700


def test_sources_are_told_apart_to_the_last_digit_of_a_number() -> None:
    """A double would not tell these from each other, nor what is not JSON from what is."""
    stored = pb.RecordedEvent(
        event_data=b'{"a": 0.12345678901234567890, "b": 12345678901234567890}', metadata=b"{}"
    )

    def difference(data: bytes) -> str:
        return find_difference(pb.ImportedEvent(event=pb.NewEvent(event_data=data)), stored)

    assert difference(b'{"b":12345678901234567890,"a":0.1234567890123456789}') == ""
    assert difference(b'{"b":12345678901234567890,"a":0.1234567890123456788}') == "event_data"
    assert difference(b'{"b":12345678901234567891,"a":0.1234567890123456789}') == "event_data"
    assert difference(b'{"b":12345678901234567890,"a":0.1234567890123456789') == "event_data"


async def test_the_same_source_with_new_ids_and_other_digits_goes_on(client: Client) -> None:
    """A source without ids gives new ones each time, and JSON is compared by value."""
    aggregate_id = str(uuid4())

    def source(size: int, data: bytes, metadata: bytes) -> Iterator[ImportedEvent]:
        for version in range(1, size + 1):
            yield replace(
                history(1)[0],
                aggregate_id=aggregate_id.upper(),
                event_version=version,
                event_data=data,
                metadata=metadata,
            )

    async with asyncio.timeout(PATIENCE_SECONDS):
        await client.import_events("legacy", source(3, b'{"a": 1e2, "b": 12345678901234567890.10}', b"{}"))
        progress = await client.import_events(
            "legacy", source(5, b'{"b":12345678901234567890.1, "a": 100}', b" { } ")
        )

    assert progress == ImportProgress(5, 5)


async def test_a_wrong_event_is_named_by_its_number(client: Client) -> None:
    """Whoever finds it, the service or the client; what came in the parts before it is stored."""
    gap = history(2500)
    del gap[2200]
    naive = history(1001)
    naive[1000] = ImportedEvent(
        aggregate_id=naive[0].aggregate_id,
        aggregate_type="Order",
        event_version=1001,
        event_type="A",
        event_data=1,
        occurred_at=datetime(2000, 1, 1),  # noqa: DTZ001 # what is refused
    )

    async with asyncio.timeout(PATIENCE_SECONDS):
        with pytest.raises(WrongExpectedVersionError, match=r"event 2201: aggregate .* is at version 2200"):
            await client.import_events("gap", gap)
        assert (await client.status()).head_position == 2000
        with pytest.raises(InvalidArgumentError, match="event 1001: occurred_at: has no time zone"):
            await client.import_events("naive", naive)
        assert (await client.status()).head_position == 3000
        with pytest.raises(EventAlreadyExistsError, match=f"event 1: event {gap[0].event_id}"):
            await client.import_events("other name", gap)


async def test_a_source_that_fails_loses_nothing_of_what_came_before(client: Client) -> None:
    """Its error is the caller's, after everything before it is stored."""

    def source() -> Iterator[ImportedEvent]:
        yield from history(1234)
        raise ZeroDivisionError

    async with asyncio.timeout(PATIENCE_SECONDS):
        with pytest.raises(ZeroDivisionError):
            await client.import_events("legacy", source())

    assert (await client.status()).head_position == 1234


async def test_an_import_outlives_a_restart_while_it_waits_for_its_source(
    server: Server, client: Client
) -> None:
    """The source is not read again and not ended by the loss of the connection."""
    events = history(1500)
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def source() -> AsyncIterator[ImportedEvent]:
        for event in events[:1100]:
            yield event
        asked.set()
        await go_on.wait()
        for event in events[1100:]:
            yield event

    async with asyncio.timeout(PATIENCE_SECONDS):
        importing = asyncio.create_task(client.import_events("legacy", source()))
        await asked.wait()
        await server.stop()
        async with serving(server.port):
            go_on.set()
            assert await importing == ImportProgress(1500, 1500)
            assert [event.event_id for event in await stored(client)] == [event.event_id for event in events]


async def test_an_import_without_progress_ends_in_time() -> None:
    """With no service there the caller gets an error within the client's timeout."""
    async with asyncio.timeout(PATIENCE_SECONDS), Client("127.0.0.1:1", timeout_seconds=0.5) as client:
        with pytest.raises(UnavailableError, match="cannot be reached"):
            await client.import_events("legacy", history(1))


async def test_an_import_that_another_caller_began_is_not_taken_back(client: Client) -> None:
    """Two of one name do not push each other aside for ever: the first ends with an error."""
    events, begun, go_on = history(2000), asyncio.Event(), asyncio.Event()

    async def source() -> AsyncIterator[ImportedEvent]:
        begun.set()
        await go_on.wait()
        for event in events:
            yield event

    async with asyncio.timeout(PATIENCE_SECONDS):
        first = asyncio.create_task(client.import_events("legacy", source()))
        await begun.wait()
        second = await client.import_events("legacy", events[:1000])
        go_on.set()
        with pytest.raises(ImportMovedError, match="another caller has taken over the import 'legacy'"):
            await first

    assert second == ImportProgress(1000, 1000)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"event_data": "x" * 6_000_000}, r"event 3: the size is 6\d{6} bytes, at most"),
        ({"event_data": "x" * 4_500_000}, r"event 3: the size is 4\d{6} bytes, at most"),
        ({"event_version": 0}, "event 3: event_version: invalid value 0"),
        ({"aggregate_id": "\ud800"}, "event 3: aggregate_id: has a lone surrogate"),
        ({"occurred_at": None}, "event 3: occurred_at: invalid value None"),
    ],
)
async def test_an_event_that_cannot_be_sent_is_named(
    client: Client, wrong: dict[str, Any], message: str
) -> None:
    """By its number in the source, however large it is; what came before is stored."""
    source = history(3)
    source[2] = replace(source[2], **wrong)

    async with asyncio.timeout(PATIENCE_SECONDS):
        with pytest.raises(InvalidArgumentError, match=message):
            await client.import_events("legacy", source)

    assert len(await stored(client)) == 2


async def test_a_source_that_is_a_text_is_refused(client: Client) -> None:
    """Its letters are no events."""
    with pytest.raises(
        InvalidArgumentError, match="events: invalid value 'events': use a list of ImportedEvent"
    ):
        await client.import_events("legacy", "events")  # type: ignore[arg-type] # what is refused
