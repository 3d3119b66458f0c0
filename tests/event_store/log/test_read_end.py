"""A read of the log ends where the log ended when it began, however much is appended meanwhile."""

import asyncio
from contextlib import aclosing
from uuid import uuid4

import pytest

from event_store.database.pool import Database
from event_store.environment import Environment
from event_store.log.reader import Reader
from event_store.model.event_filter import EventFilter
from event_store.v1 import event_store_pb2 as pb
from tests.event_store.conftest import Service
from tests.event_store.requests import append

PATIENCE_SECONDS = 20.0
EVERYTHING = pb.EventFilter(event_types=["Word*"])
FAR = 1 << 62


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a read has several, and appends come between them."""
    monkeypatch.setattr("event_store.log.gap_check.PAGE_EVENTS", 2)
    monkeypatch.setattr("event_store.log.reader.PAGE_EVENTS", 2)
    monkeypatch.setattr("event_store.log.reader.SCAN_POSITIONS", 2)


@pytest.mark.parametrize("types", [(), ("Word*",)], ids=["everything", "a filter"])
async def test_a_read_of_a_log_that_grows_ends_at_its_head(
    service: Service, environment: Environment, types: tuple[str, ...]
) -> None:
    """At the head that its first message tells of: it would not end otherwise."""
    aggregate_id = str(uuid4())
    await service.append(append(aggregate_id, 7))
    database = Database(environment, connections=2)
    await database.open()
    positions: list[int] = []
    async with asyncio.timeout(PATIENCE_SECONDS):
        async with aclosing(Reader(database).read_all(None, 0, EventFilter((), types))) as parts:
            async for part in parts:
                positions += [event.global_position for event in part.events]
                await service.append(append(aggregate_id, 3))
    await database.close()

    assert positions == list(range(1, 8))


@pytest.mark.parametrize("chosen", [None, EVERYTHING], ids=["everything", "a filter"])
async def test_a_read_from_beyond_the_head_is_empty(service: Service, chosen: pb.EventFilter | None) -> None:
    """And names the head as where to go on; backwards it begins at the head."""
    await service.append(append(events=3))

    async with asyncio.timeout(PATIENCE_SECONDS):
        call = service.stub.ReadAll(pb.ReadAllRequest(from_position=FAR, filter=chosen))
        (part,) = [part async for part in call]
        backwards = await service.read_all(from_position=FAR, backwards=True, filter=chosen)

    assert (len(part.events), part.head_position, part.last_scanned_position) == (0, 3, 3)
    assert [event.global_position for event in backwards] == [3, 2, 1]


async def test_the_highest_version_that_can_be_asked_for_is_no_error(service: Service) -> None:
    """It is beyond every aggregate's last one."""
    aggregate_id = str(uuid4())
    await service.append(append(aggregate_id, 3))
    highest = (1 << 32) - 1

    assert await service.read_aggregate(aggregate_id, from_version=highest) == []
    backwards = await service.read_aggregate(aggregate_id, from_version=highest, backwards=True)
    assert [event.event_version for event in backwards] == [3, 2, 1]
