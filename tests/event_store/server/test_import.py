"""What `ImportEvents` promises: own times, the rules of the log, progress, and an end that loses nothing."""

import asyncio
import os
import signal
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import grpc
import psycopg
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from event_store.environment import Environment
from event_store.errors import InvalidArgumentError
from event_store.log import import_writer
from event_store.log.import_writer import prepare_part
from event_store.server import import_call
from event_store.v1 import event_store_pb2 as pb
from tests.conftest import TestDatabase
from tests.event_store.conftest import Service, running
from tests.event_store.imports import PATIENCE_SECONDS, ImportCall, history, imported, parts, run_import
from tests.event_store.log.test_group_commit import batch_in_flight
from tests.event_store.requests import append


async def test_events_keep_their_own_times_and_everything_else(any_service: Service) -> None:
    """From year 1 to 9999, with every kind of text in data and types, an event is read as it was given."""
    times = (-62_135_596_800, -1, 0, 946_684_799, 253_402_300_799)
    aggregate_id = str(uuid4())
    events = [
        imported(
            version,
            aggregate_id,
            data='{"a": "\\\\ \\t\\u0001 größe 😀"}'.encode(),
            metadata=b'{"user":\t7}',
            event_type="Wort\\Gemerkt ö",
            occurred_at=Timestamp(seconds=seconds, nanos=123_456_789),
        )
        for version, seconds in enumerate(times, 1)
    ]

    assert await run_import(any_service, events, size=2) == [0, 2, 4, 5]

    found = await any_service.read_all()
    assert [each.global_position for each in found] == [1, 2, 3, 4, 5]
    for given, stored in zip(events, found, strict=True):
        assert (stored.event_id, stored.event_type) == (given.event.event_id, "Wort\\Gemerkt ö")
        assert (stored.aggregate_id, stored.aggregate_type) == (aggregate_id, "Vocabulary")
        assert stored.event_version == given.event_version
        assert (stored.event_data, stored.metadata) == (given.event.event_data, b'{"user": 7}')
        assert stored.occurred_at.seconds == given.event.occurred_at.seconds
        assert stored.occurred_at.nanos == 123_456_000


async def test_an_import_that_begins_again_is_told_what_is_stored(service: Service) -> None:
    """The same name goes on behind what is stored, another name begins at nothing."""
    events = history(7, aggregates=2)
    await service.append(append())

    assert await run_import(service, events[:4]) == [0, 4]
    caller = ImportCall(service.stub)
    await caller.send(pb.ImportEventsRequest(import_id="legacy"))
    begun = await caller.call.read()
    (last,) = await service.read_all(from_position=5)
    assert begun == pb.ImportEventsResponse(stored_events=4, last_global_position=5, last_event=last)
    assert last.event_id == events[3].event.event_id
    caller.call.cancel()

    assert await run_import(service, events) == [4, 7]
    assert await run_import(service, events) == [7]
    assert await ImportCall(service.stub, "another").begin() == 0
    stored = [each.event_id for each in await service.read_all(from_position=2)]
    assert stored == [each.event.event_id for each in events]


KNOWN = "0198c2a4-5b1c-7cc0-a6ab-3f6ad1e0b00e"
AGGREGATE, OTHER, NEW = str(uuid4()), str(uuid4()), str(uuid4())
WRONG_VERSION, WRONG_TYPE, EXISTS = "WRONG_EXPECTED_VERSION", "WRONG_AGGREGATE_TYPE", "EVENT_ALREADY_EXISTS"


@pytest.mark.parametrize(
    ("part", "number", "reason"),
    [
        ([imported(2, AGGREGATE), imported(1, OTHER), imported(4, AGGREGATE)], 6, WRONG_VERSION),
        ([imported(1, OTHER), imported(1, AGGREGATE)], 5, WRONG_VERSION),
        ([imported(1, OTHER), imported(2, NEW), imported(7, AGGREGATE)], 5, WRONG_VERSION),
        ([imported(2, AGGREGATE), imported(2, AGGREGATE)], 5, WRONG_VERSION),
        ([imported(2, AGGREGATE, aggregate_type="Order")], 4, WRONG_TYPE),
        ([imported(1, NEW), imported(2, NEW, aggregate_type="Order")], 5, WRONG_TYPE),
        ([imported(1, OTHER), imported(1, NEW, event_id=KNOWN)], 5, EXISTS),
        ([imported(1, OTHER, event_id=NEW), imported(1, NEW, event_id=NEW.upper())], 5, EXISTS),
        ([imported(1, NEW), imported(2, NEW, data=b"{")], 5, "event 5: event_data"),
        ([imported(1, "no uuid")], 4, "event 4: aggregate_id"),
        ([imported(0, NEW)], 4, "event 4: event_version"),
        ([imported(1, NEW, aggregate_type="*")], 4, "event 4: aggregate_type"),
        ([imported(1, NEW, occurred_at=None)], 4, "event 4: occurred_at"),
        ([imported(1, NEW), imported(1, OTHER, data=b"0." + b"1" * 20_000)], 5, "event 5: event_data"),
    ],
)
async def test_an_event_against_the_rules_ends_the_import_before_its_part(
    any_service: Service, part: Sequence[pb.ImportedEvent], number: int, reason: str
) -> None:
    """The error names the event by its number in the source; the parts before it stay, nothing else does."""
    first = [imported(1, AGGREGATE, event_id=KNOWN), *history(2)]
    caller = ImportCall(any_service.stub)
    await caller.begin()

    await caller.send(pb.ImportEventsRequest(events=first), pb.ImportEventsRequest(events=part))
    assert await caller.answer() == 3
    error = await caller.error()

    assert (error.details() or "").startswith(f"event {number}: ")
    assert _reason(error) == reason
    assert [each.global_position for each in await any_service.read_all()] == [1, 2, 3]
    assert (await any_service.append(append()))[0].first_global_position == 4
    assert await ImportCall(any_service.stub).begin() == 3


@pytest.mark.parametrize(
    ("change", "field"),
    [
        *(({"data": b"1"}, "event_data"), ({"metadata": b'{"by": "me"}'}, "metadata")),
        *(({"event_type": "WordLearned"}, "event_type"), ({"aggregate_type": "Order"}, "aggregate_type")),
        *(({"aggregate_id": OTHER}, "aggregate_id"), ({"version": 2}, "event_version")),
        *(({}, ""), ({"occurred_at": Timestamp(seconds=1)}, "")),
    ],
)
async def test_an_imported_event_whose_id_is_stored_is_refused_and_the_field_named(
    any_service: Service, change: dict[str, Any], field: str
) -> None:
    """What is stored under the id says the same or names the first field that differs, as for an append."""
    said: dict[str, Any] = {"version": 1, "aggregate_id": AGGREGATE, "event_id": KNOWN}
    await run_import(any_service, [imported(**said)])
    caller = ImportCall(any_service.stub, "another")
    await caller.begin()

    await caller.send(pb.ImportEventsRequest(events=[imported(**(said | change))]))
    error = await caller.error()

    assert error.code() is grpc.StatusCode.ALREADY_EXISTS
    assert dict(_info(error).metadata) == {"event_id": KNOWN, "field": field}


async def test_a_wrong_version_is_told_with_the_actual_one(service: Service) -> None:
    """What a caller needs to find its mistake stands in the details."""
    aggregate_id = str(uuid4())
    await service.append(append(aggregate_id, events=3))
    caller = ImportCall(service.stub)
    await caller.begin()

    await caller.send(pb.ImportEventsRequest(events=[imported(7, aggregate_id)]))
    error = await caller.error()

    assert error.code() is grpc.StatusCode.ABORTED
    assert dict(_info(error).metadata) == {
        "aggregate_id": aggregate_id,
        "expected_version": "6",
        "actual_version": "3",
    }


@pytest.mark.parametrize(
    ("requests", "field"),
    [
        ([pb.ImportEventsRequest()], "import_id"),
        ([pb.ImportEventsRequest(import_id="x" * 101)], "import_id"),
        ([pb.ImportEventsRequest(import_id="a\0b")], "import_id"),
        ([pb.ImportEventsRequest(import_id="a", events=[imported(1)])], "events"),
        ([pb.ImportEventsRequest(import_id="a"), pb.ImportEventsRequest(import_id="a")], "import_id"),
        ([pb.ImportEventsRequest(import_id="a"), pb.ImportEventsRequest()], "events"),
        ([pb.ImportEventsRequest(import_id="a"), *parts(history(1001), 1001)], "events"),
        ([pb.ImportEventsRequest(import_id="a"), *parts(history(5, data=b"1" + b"0" * 900_000), 5)], ""),
    ],
)
async def test_a_request_outside_the_contract_is_refused(
    service: Service, requests: Sequence[pb.ImportEventsRequest], field: str
) -> None:
    """The first request is the name, the others are 1 to 1,000 events of 4 MiB at the most."""
    caller = ImportCall(service.stub)
    await caller.send(*requests)

    error = await caller.error()

    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert _reason(error) == field


def test_an_event_that_no_topic_takes_is_refused_as_in_an_append() -> None:
    """Where the topology refuses what it does not route, an import is no way around it."""
    with pytest.raises(InvalidArgumentError, match=r"event 12: event_type: no route of the topology accepts"):
        prepare_part(pb.ImportEventsRequest(events=history(3)), 12, lambda _aggregate, _event: True)


async def test_appends_go_on_between_the_parts_without_a_gap(any_service: Service) -> None:
    """Beside a running import appends are stored, versions and positions have no hole, times follow them."""
    source = history(3000, aggregates=30)
    mine = str(uuid4())
    importing = asyncio.create_task(run_import(any_service, source, size=50))
    appended = 0
    while not importing.done():
        await any_service.append(append(mine))
        appended += 1
    assert (await importing)[-1] == 3000

    rows = any_service.execute(
        "SELECT global_position, event_id::text, aggregate_id::text, created_at FROM events ORDER BY 1"
    )

    assert appended > 3
    assert [row[0] for row in rows] == list(range(1, 3001 + appended))
    assert [row[1] for row in rows if row[2] != mine] == [each.event.event_id for each in source]
    times = [row[3] for row in rows]
    assert times == sorted(times)
    places = [index for index, row in enumerate(rows) if row[2] == mine]
    assert places != list(range(places[0], places[0] + appended))  # they were between the parts


async def test_of_two_callers_of_one_import_the_later_goes_on(any_service: Service) -> None:
    """The earlier one is refused at its next part, by name; nothing is stored twice or left out."""
    events = history(30)
    earlier, later = ImportCall(any_service.stub), ImportCall(any_service.stub)
    assert await earlier.begin() == 0
    await earlier.send(pb.ImportEventsRequest(events=events[:10]))
    assert await earlier.answer() == 10

    assert await later.begin() == 10
    await earlier.send(pb.ImportEventsRequest(events=events[10:20]))
    error = await earlier.error()
    await later.send(pb.ImportEventsRequest(events=events[10:]))
    assert await later.answer() == 30

    assert (error.code(), _reason(error)) == (grpc.StatusCode.ABORTED, "IMPORT_MOVED")
    assert len(await any_service.read_all()) == 30


async def test_who_begins_waits_for_the_part_in_flight(service: Service) -> None:
    """A caller that went away in the middle of a part leaves a count that is true all the same."""
    events = history(20)
    earlier, later = ImportCall(service.stub), ImportCall(service.stub)
    await earlier.begin()
    with psycopg.connect(service.database.superuser) as blocker:
        blocker.execute("SELECT FROM log_head FOR UPDATE")
        await earlier.send(pb.ImportEventsRequest(events=events[:10]))
        await batch_in_flight(service.database)
        beginning = asyncio.create_task(later.begin())
        await _waiting_for_locks(service, 2)
        blocker.rollback()

    stored = await beginning

    assert stored == 10
    assert await earlier.answer() == 10
    assert len(await service.read_all()) == 10


async def test_a_source_is_read_no_faster_than_it_is_stored(service: Service) -> None:
    """Of a source of 60 MB no more than a few parts and what gRPC holds is taken while the log is locked."""
    source = parts(history(3000, data=b'"' + b"x" * 20_000 + b'"'), 3)
    caller = ImportCall(service.stub)
    await caller.begin()
    with psycopg.connect(service.database.superuser) as blocker:
        blocker.execute("SELECT FROM log_head FOR UPDATE")
        sending = asyncio.create_task(caller.send(*source))
        await batch_in_flight(service.database)
        most = 0
        for _ in range(20):
            await asyncio.sleep(0.02)
            most = max(most, _held(service))
        assert not sending.done()
        assert most == import_call.PARTS_AHEAD
        blocker.rollback()
    await sending

    assert (await caller.end())[-1] == 3000


async def test_a_stop_ends_the_stream_after_the_part_in_hand(
    database: TestDatabase, environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is being stored is answered, what waits is not, and an idle caller holds nobody up."""
    events = history(30)
    async with running(database, environment, monkeypatch) as service:
        idle, silent, busy = (ImportCall(service.stub, name) for name in ("idle", "silent", "busy"))
        await idle.begin()
        await silent.call.wait_for_connection()
        await busy.begin()
        with psycopg.connect(database.superuser) as blocker:
            blocker.execute("SELECT FROM log_head FOR UPDATE")
            await busy.send(*parts(events, 10))
            await batch_in_flight(database)
            stopping = asyncio.create_task(service.server.stop())
            errors = [await each.error() for each in (idle, silent)]
        assert await busy.answer() == 10
        errors.append(await busy.error())
        async with asyncio.timeout(5):  # less than the grace of calls in flight
            await stopping

    assert [error.code() for error in errors] == [grpc.StatusCode.UNAVAILABLE] * 3


async def test_a_database_that_does_not_answer_ends_the_stream_in_time(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection that hangs in a part is given up; the count is true when it has ended."""
    monkeypatch.setattr(import_writer, "ANSWER_SECONDS", 1.0)
    events = history(20)
    caller = ImportCall(service.stub)
    await caller.begin()
    await caller.send(pb.ImportEventsRequest(events=events[:10]))
    assert await caller.answer() == 10
    [(pid,)] = service.execute(
        "SELECT pid FROM pg_stat_activity WHERE usename = 'runtime' AND query LIKE '%store_import_part(%'"
    )
    os.kill(pid, signal.SIGSTOP)
    try:
        await caller.send(pb.ImportEventsRequest(events=events[10:]))
        error = await caller.error()
    finally:
        os.kill(pid, signal.SIGCONT)

    assert error.code() is grpc.StatusCode.UNAVAILABLE
    assert (await run_import(service, events))[-1] == 20
    assert len(await service.read_all()) == 20


async def test_a_client_that_goes_away_breaks_nothing(service: Service) -> None:
    """Its connection is closed, others go on, and nothing of it keeps the service from stopping."""
    caller = ImportCall(service.stub)
    await caller.begin()
    await caller.send(*parts(history(10), 5))
    assert await caller.answer() == 5
    caller.call.cancel()

    assert await ImportCall(service.stub).begin() in (5, 10)
    # The one that went on has read the event that was stored last.
    of_imports = "(query LIKE '%import%' OR query LIKE '%read_page%')"
    await _connections(service, f"application_name = 'event-store' AND {of_imports}", 1)
    async with asyncio.timeout(5):
        await service.server.stop()


async def test_there_are_only_so_many_imports_at_a_time(service: Service) -> None:
    """One more is told to come back, and does once another has ended."""
    callers = [ImportCall(service.stub, f"import {n}") for n in range(import_call.MOST_IMPORTS)]
    for caller in callers:
        await caller.begin()
    one_more = ImportCall(service.stub, "one more")
    await one_more.send(pb.ImportEventsRequest(import_id="one more"))

    error = await one_more.error()
    await callers[0].end()

    assert (error.code(), _reason(error)) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "OVERLOADED")
    assert await ImportCall(service.stub, "one more").begin() == 0


def _held(service: Service) -> int:
    """Return how many parts the service has read and not begun to store."""
    return sum(len(each._parts) for each in service.server._servicer._importers)


async def _connections(service: Service, condition: str, count: int) -> None:
    find = f"SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND {condition}"  # noqa: S608 # ours
    async with asyncio.timeout(PATIENCE_SECONDS):
        while service.execute(find) != [(count,)]:  # noqa: ASYNC110 # the database gives no signal for it
            await asyncio.sleep(0.02)


async def _waiting_for_locks(service: Service, count: int) -> None:
    await _connections(service, "wait_event_type = 'Lock'", count)


def _status(error: grpc.aio.AioRpcError) -> status_pb2.Status:
    status = rpc_status.from_call(error)
    assert status is not None
    return status


def _info(error: grpc.aio.AioRpcError) -> Any:
    info = error_details_pb2.ErrorInfo()
    assert _status(error).details[0].Unpack(info)
    return info


def _reason(error: grpc.aio.AioRpcError) -> str:
    """Return the reason, or of a bad request the wrong field."""
    request = error_details_pb2.BadRequest()
    if _status(error).details[0].Unpack(request):
        return str(request.field_violations[0].field)
    return str(_info(error).reason)
