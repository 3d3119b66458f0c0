"""The appender's queue and its batches are bounded in requests, events and bytes, and keep their order."""

import asyncio
from uuid import uuid4

import psycopg
import pytest

from event_store.contract.append_request import prepare_request
from event_store.errors import OverloadedError
from event_store.log import appender as module
from tests.conftest import TestDatabase
from tests.event_store.log.test_group_commit import (
    PATIENCE_SECONDS,
    Writer,
    batch_in_flight,
    held_log,
    prepared,
    stored,
    writer,
)
from tests.event_store.requests import append, exact, request

__all__ = ["writer"]  # the fixture


async def test_a_full_queue_refuses_at_once(
    writer: Writer, any_database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond the bound a request is refused with a time to come back; those that wait are stored."""
    monkeypatch.setattr(module, "QUEUE_REQUESTS", 3)
    with psycopg.connect(any_database.superuser) as blocker:
        blocker.execute("SELECT FROM log_head FOR UPDATE")
        first = asyncio.create_task(writer.appender.append(prepared()))
        await batch_in_flight(any_database)
        waiting = [asyncio.create_task(writer.appender.append(prepared())) for _ in range(3)]
        await asyncio.sleep(0)
        with pytest.raises(OverloadedError) as raised:
            await writer.appender.append(prepared())
        assert raised.value.retry_after_seconds > 0

    await asyncio.wait_for(asyncio.gather(first, *waiting), PATIENCE_SECONDS)
    assert len(stored(any_database)) == 4


async def test_a_queue_that_is_full_in_bytes_refuses_too(
    writer: Writer, any_database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A few large requests fill it; what a batch took, or a caller who left, is room again."""
    one = prepared()
    monkeypatch.setattr(module, "QUEUE_BYTES", 2 * one.size_bytes)
    async with held_log(any_database):
        first = asyncio.create_task(writer.appender.append(one))
        await batch_in_flight(any_database)
        waiting = [writer.appender.enqueue(prepared()) for _ in range(2)]
        with pytest.raises(OverloadedError, match=f"2 appends of {2 * one.size_bytes} bytes are waiting"):
            writer.appender.enqueue(prepared())
        waiting[0].cancel()
    await first
    await waiting[1]

    aggregate_id = str(uuid4())
    for _ in range(3):  # two for one aggregate do not share a batch: one is put back
        await asyncio.gather(*(writer.appender.append(prepared(aggregate_id)) for _ in range(2)))

    assert (writer.appender._queue_bytes, writer.appender._queue_events) == (0, 0)


async def test_a_batch_is_bounded_in_events_and_in_bytes(
    writer: Writer, any_database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What does not fit into one comes into the next; a request that is larger than any has its own."""
    monkeypatch.setattr(module, "BATCH_EVENTS", 10)
    hints = []
    for requests in ([prepared(events=6), prepared(events=6)], [], [prepared(events=20)]):
        async with held_log(any_database):
            before = asyncio.create_task(writer.appender.append(prepared()))
            await batch_in_flight(any_database)
            waiting = [writer.appender.enqueue(each) for each in requests]
        await asyncio.wait_for(asyncio.gather(before, *waiting), PATIENCE_SECONDS)
        hints.append(writer.hints)

    monkeypatch.setattr(module, "BATCH_BYTES", 3 * prepared().size_bytes)
    async with held_log(any_database):
        before = asyncio.create_task(writer.appender.append(prepared()))
        await batch_in_flight(any_database)
        waiting = [writer.appender.enqueue(prepared()) for _ in range(7)]
    await asyncio.wait_for(asyncio.gather(before, *waiting), PATIENCE_SECONDS)

    assert hints == [3, 4, 6]
    assert writer.hints == 6 + 4  # of 1, 3, 3 and 1 requests


async def test_of_requests_that_share_an_aggregate_the_first_is_stored_first(
    writer: Writer, any_database: TestDatabase
) -> None:
    """Also where the second waits only for a third one's sake, which shares another with it."""
    one, other = str(uuid4()), str(uuid4())
    both = prepare_request(request(append(one, 1), append(other, 1)), None)
    async with held_log(any_database):
        before = asyncio.create_task(writer.appender.append(prepared()))
        await batch_in_flight(any_database)
        waiting = [writer.appender.enqueue(each) for each in (prepared(one), both, prepared(other))]
    await asyncio.wait_for(asyncio.gather(before, *waiting), PATIENCE_SECONDS)

    versions = [[each.event_version for each in answer.result().results] for answer in waiting]
    assert versions == [[1], [2, 1], [2]]
    assert writer.hints == 4


async def test_a_request_that_was_put_back_comes_before_those_behind_it(
    writer: Writer, any_database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those too that the full batch before did not look at."""
    monkeypatch.setattr(module, "BATCH_EVENTS", 2)
    one = str(uuid4())
    async with held_log(any_database):
        before = asyncio.create_task(writer.appender.append(prepared()))
        await batch_in_flight(any_database)
        waiting = [
            writer.appender.enqueue(each)
            for each in (
                prepared(one),
                prepared(one, expected=exact(1)),
                prepared(events=2),
                prepared(one, expected=exact(2)),
            )
        ]
    answers = await asyncio.wait_for(asyncio.gather(before, *waiting), PATIENCE_SECONDS)

    assert [answer.results[0].event_version for answer in answers] == [1, 1, 2, 2, 3]


async def test_whoever_waits_for_room_is_let_go_by_a_stop(
    writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next step is then refused, since the service stops."""
    monkeypatch.setattr(module, "QUEUE_REQUESTS", 0)
    waiting = asyncio.create_task(writer.appender.wait_for_room(prepared()))
    await asyncio.sleep(0)
    assert not waiting.done()

    writer.appender.stop()

    await asyncio.wait_for(waiting, PATIENCE_SECONDS)
