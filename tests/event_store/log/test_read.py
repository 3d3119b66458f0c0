"""What a read promises: order, completeness, bounds, and an alarm where the log has a hole."""

import asyncio
from contextlib import aclosing, nullcontext
from itertools import product
from typing import Any
from uuid import uuid4

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from event_store.database.pool import Database
from event_store.environment import Environment
from event_store.log.page import Page, read_page
from event_store.log.reader import Reader
from event_store.model.event_filter import EventFilter
from event_store.v1 import event_store_pb2 as pb
from tests.event_store.conftest import Service
from tests.event_store.requests import append, event

PATIENCE_SECONDS = 30.0


@pytest.fixture(autouse=True)
def pages_of_a_hundred_events(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small ones, so that reads of few events go over their edges."""
    monkeypatch.setattr("event_store.log.gap_check.PAGE_EVENTS", 100)
    monkeypatch.setattr("event_store.log.reader.PAGE_EVENTS", 100)


async def test_an_empty_log_is_one_message_without_events(service: Service) -> None:
    """Every read is answered at least once, with the head."""
    parts = [part async for part in service.stub.ReadAll(pb.ReadAllRequest())]
    backwards = [part async for part in service.stub.ReadAll(pb.ReadAllRequest(backwards=True))]
    aggregate = [
        part async for part in service.stub.ReadAggregate(pb.ReadAggregateRequest(aggregate_id=str(uuid4())))
    ]

    assert parts == backwards == [pb.ReadAllResponse(head_position=0)]
    assert aggregate == [pb.ReadAggregateResponse(head_position=0)]


@pytest.mark.parametrize(
    ("start", "limit", "backwards", "numbers"),
    [
        (0, 0, False, range(1, 251)),
        (1, 3, False, range(1, 4)),
        (100, 0, False, range(100, 251)),
        (101, 100, False, range(101, 201)),
        (250, 0, False, range(250, 251)),
        (251, 0, False, range(0)),
        (0, 0, True, range(250, 0, -1)),
        (0, 1, True, range(250, 249, -1)),
        (120, 0, True, range(120, 0, -1)),
        (100, 100, True, range(100, 0, -1)),
        (1, 0, True, range(1, 0, -1)),
        (9999, 2, True, range(250, 248, -1)),
    ],
)
async def test_reads_from_any_point_in_both_directions(
    any_service: Service, start: int, limit: int, backwards: bool, numbers: range
) -> None:
    """The log and an aggregate, read from inside pages and at their edges, forwards and backwards."""
    aggregate_id = str(uuid4())
    await any_service.append(append(aggregate_id, 250))

    log = await any_service.read_all(from_position=start, limit=limit, backwards=backwards)
    aggregate = await any_service.read_aggregate(
        aggregate_id, from_version=start, limit=limit, backwards=backwards
    )

    assert [each.global_position for each in log] == list(numbers)
    assert [each.event_version for each in aggregate] == list(numbers)


async def test_an_event_comes_back_as_it_was_appended(service: Service) -> None:
    """Every field of an event is kept, and the store adds its positions and its clock."""
    one = append(events=[event(b'{"a":1}', metadata=b'{"by":"me"}')])
    result = (await service.append(one))[0]

    (stored,) = await service.read_aggregate(one.aggregate_id.upper())

    assert stored.created_at.seconds > 0
    stored.ClearField("created_at")
    assert stored == pb.RecordedEvent(
        event_id=one.events[0].event_id,
        event_type="WordAdded",
        event_data=b'{"a": 1}',
        metadata=b'{"by": "me"}',
        occurred_at=one.events[0].occurred_at,
        aggregate_id=one.aggregate_id,
        aggregate_type="Vocabulary",
        event_version=1,
        global_position=result.first_global_position,
    )


async def test_messages_stay_below_what_grpc_clients_take(service: Service) -> None:
    """Large events come in several messages, each small enough for a client's default of 4 MiB."""
    data = b'"' + b"x" * 1_000_000 + b'"'
    for _ in range(4):
        await service.append(append(events=[event(data) for _ in range(3)]))

    parts = [part async for part in service.stub.ReadAll(pb.ReadAllRequest())]

    assert sum(len(part.events) for part in parts) == 12
    assert max(part.ByteSize() for part in parts) < 4 * 1_048_576


async def test_large_pages_come_in_messages_of_a_hundred_events(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each with the checkpoint of its last event; the order goes through messages and pages."""
    monkeypatch.setattr("event_store.log.gap_check.PAGE_EVENTS", 250)
    await service.append(append(None, 620))

    parts = [part async for part in service.stub.ReadAll(pb.ReadAllRequest())]

    assert [len(part.events) for part in parts] == [100, 100, 50, 100, 100, 50, 100, 20]
    assert [part.last_scanned_position for part in parts] == [100, 200, 250, 350, 450, 500, 600, 620]
    assert [event.global_position for part in parts for event in part.events] == list(range(1, 621))


async def test_a_slow_client_has_one_page_read_ahead(
    service: Service, environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a page is with the client the next one is read, and no more; nothing runs once it goes away."""
    await service.append(append(None, 950))
    begun = running = 0
    has_read = asyncio.Semaphore(0)

    async def counted(*arguments: Any) -> Page:
        nonlocal begun, running
        begun += 1
        running += 1
        try:
            if begun == 5:
                await asyncio.Event().wait()
            return await read_page(*arguments)
        finally:
            running -= 1
            has_read.release()

    monkeypatch.setattr("event_store.log.reader.read_page", counted)
    database = Database(environment, connections=2)
    await database.open()
    async with asyncio.timeout(PATIENCE_SECONDS):
        async with aclosing(Reader(database).read_all(None, 0, EventFilter())) as responses:
            await anext(responses)
            await has_read.acquire()
            for number in range(2, 5):
                await has_read.acquire()
                await asyncio.sleep(0)
                assert begun == number
                await anext(responses)
            await asyncio.sleep(0)
            assert (begun, running) == (5, 1)
        assert running == 0
    await database.close()


async def test_a_bad_aggregate_id_is_named(service: Service) -> None:
    """A read of something that is no UUID is INVALID_ARGUMENT."""
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await service.read_aggregate("x")

    assert raised.value.code() == grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize("hole", [1, 150, 151, 250])
@pytest.mark.parametrize("backwards", [False, True])
async def test_a_hole_in_the_log_is_an_error_and_an_alarm(
    service: Service, caplog: pytest.LogCaptureFixture, hole: int, backwards: bool
) -> None:
    """A row that somebody deleted ends every read that should have met it, at the start, middle and end."""
    aggregate_id = str(uuid4())
    await service.append(append(aggregate_id, 250))
    service.execute("ALTER TABLE events DISABLE TRIGGER append_only")
    service.execute(f"DELETE FROM events WHERE global_position = {hole}")  # noqa: S608 # a number

    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await service.read_all(backwards=backwards)
    with pytest.raises(grpc.aio.AioRpcError) if hole < 250 else nullcontext() as aggregate:
        await service.read_aggregate(aggregate_id, backwards=backwards)

    assert raised.value.code() == grpc.StatusCode.DATA_LOSS
    assert aggregate is None or aggregate.value.code() == grpc.StatusCode.DATA_LOSS
    assert any(record.levelname == "CRITICAL" for record in caplog.records)


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize(
    ("aggregate_types", "event_types", "expected"),
    [
        (["Vocabulary"], [], {("Vocabulary", "WordAdded"), ("Vocabulary", "Word_Moved")}),
        ([], ["WordAdded"], {("Vocabulary", "WordAdded"), ("Progress", "WordAdded")}),
        (["Voc*"], ["Word_*"], {("Vocabulary", "Word_Moved")}),
        (["Vocabulary", "Prog*"], ["WordA*", "x"], {("Vocabulary", "WordAdded"), ("Progress", "WordAdded")}),
        (
            ["*"],
            ["Word*"],
            {("Vocabulary", "WordAdded"), ("Vocabulary", "Word_Moved"), ("Progress", "WordAdded")},
        ),
        ([r"Tax\%"], [], {(r"Tax\%", "Paid")}),
        (["Voc"], [], set()),
    ],
)
async def test_a_filter_takes_types_and_beginnings_of_types(
    any_service: Service,
    aggregate_types: list[str],
    event_types: list[str],
    expected: set[tuple[str, str]],
    backwards: bool,
) -> None:
    """Both lists must pass; "*" ends a beginning; nothing else in a type is special."""
    stored = [("Vocabulary", "WordAdded"), ("Vocabulary", "Word_Moved"), ("Progress", "WordAdded")]
    for aggregate_type, event_type in [*stored, (r"Tax\%", "Paid"), ("Taxi", "Paid")]:
        events = [event(event_type=event_type) for _ in range(60)]
        await any_service.append(append(events=events, aggregate_type=aggregate_type))
    chosen = pb.EventFilter(aggregate_types=aggregate_types, event_types=event_types)

    read = await any_service.read_all(filter=chosen, backwards=backwards)
    some = await any_service.read_all(filter=chosen, backwards=backwards, limit=101)

    positions = [each.global_position for each in read]
    assert {(each.aggregate_type, each.event_type) for each in read} == expected
    assert len(positions) == 60 * len(expected)
    assert positions == sorted(positions, reverse=backwards)
    assert [each.global_position for each in some] == positions[:101]


@pytest.mark.parametrize(
    "chosen",
    [
        {"event_types": ["*Added"]},
        {"event_types": [""]},
        {"aggregate_types": ["x" * 102]},
        {"aggregate_types": ["x"] * 101},
    ],
)
async def test_a_filter_outside_its_limits_is_named(service: Service, chosen: dict[str, list[str]]) -> None:
    """A filter that cannot be meant is INVALID_ARGUMENT, not an empty answer."""
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await service.read_all(filter=pb.EventFilter(**chosen))

    assert raised.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert next(iter(chosen)) in str(raised.value.details())


@pytest.mark.parametrize("backwards", [False, True])
async def test_a_sparse_filter_advances(
    any_service: Service, monkeypatch: pytest.MonkeyPatch, backwards: bool
) -> None:
    """Work is done in bounded steps, each says how far it came, and going on there leaves nothing out."""
    monkeypatch.setattr("event_store.log.reader.SCAN_POSITIONS", 100)
    for number in range(10):
        rare = [event(event_type="Rare")] if number == 5 else []
        await any_service.append(append(events=[*rare, *(event() for _ in range(50 - len(rare)))]))
    chosen = pb.EventFilter(event_types=["Rare"])

    call = any_service.stub.ReadAll(pb.ReadAllRequest(filter=chosen, backwards=backwards))
    parts = [part async for part in call]

    scanned = [part.last_scanned_position for part in parts]
    assert scanned == ([401, 301, 201, 101, 1] if backwards else [100, 200, 300, 400, 500])
    assert [(each.global_position, part.last_scanned_position) for part in parts for each in part.events] == [
        (251, 201 if backwards else 300)
    ]
    rest = await any_service.read_all(filter=chosen, backwards=backwards, from_position=251)
    assert [each.global_position for each in rest] == [251]
    assert [part.head_position for part in parts] == [500] * 5


async def test_the_checkpoint_of_a_read_is_the_same_with_and_without_a_filter(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A filter that every event passes reads the same events and arrives at the same places."""
    monkeypatch.setattr("event_store.log.reader.SCAN_POSITIONS", 100)
    await service.append(append(events=250))
    starts, limits = (0, 1, 100, 101, 250, 251, 9999, 2**64 - 1), (0, 1, 100, 120)
    for start, limit, backwards in product(starts, limits, (False, True)):
        request = pb.ReadAllRequest(from_position=start, backwards=backwards, limit=limit)
        filtered = pb.ReadAllRequest(filter=pb.EventFilter(event_types=["*"]))
        filtered.MergeFrom(request)

        plain = [part async for part in service.stub.ReadAll(request)]
        passed = [part async for part in service.stub.ReadAll(filtered)]

        assert [e for part in plain for e in part.events] == [e for part in passed for e in part.events]
        assert plain[-1].last_scanned_position == passed[-1].last_scanned_position
        ends = [
            (part.events[-1].global_position, part.last_scanned_position) for part in plain if part.events
        ]
        assert all(last == scanned for last, scanned in ends)


async def test_a_read_begins_at_a_time(any_service: Service) -> None:
    """Forwards with the first event recorded then or later, backwards with the last one then or earlier."""
    for _ in range(20):
        await any_service.append(append(events=2))
    recorded = [each.created_at for each in await any_service.read_all()]
    before, after = Timestamp(seconds=0), Timestamp(seconds=4_000_000_000)

    async def positions(time: Timestamp, nanos: int = 0, **request: Any) -> list[int]:
        moment = Timestamp()
        moment.FromNanoseconds(time.ToNanoseconds() + nanos)
        read = await any_service.read_all(from_time=moment, **request)
        return [each.global_position for each in read]

    assert await positions(before) == await positions(recorded[0]) == list(range(1, 41))
    assert await positions(recorded[10]) == await positions(recorded[10], -1) == list(range(11, 41))
    assert await positions(recorded[10], 1) == list(range(13, 41))
    assert await positions(after) == []
    assert await positions(before, backwards=True) == await positions(recorded[0], -1, backwards=True) == []
    assert await positions(recorded[10], backwards=True) == list(range(12, 0, -1))
    assert await positions(recorded[10], 1, backwards=True) == list(range(12, 0, -1))
    assert await positions(after, backwards=True, limit=2) == [40, 39]
    rare = pb.EventFilter(event_types=["Word*"])
    assert await positions(recorded[10], backwards=True, filter=rare) == list(range(12, 0, -1))


async def test_a_time_in_an_empty_log_is_no_event(service: Service) -> None:
    """There is nothing to find and nothing to complain about."""
    assert await service.read_all(from_time=Timestamp(seconds=1)) == []
    assert await service.read_all(from_time=Timestamp(seconds=1), backwards=True) == []


async def test_status_tells_the_head_and_the_schema(service: Service) -> None:
    """GetStatus names the head, the relay's place, and the versions of service and schema."""
    await service.append(append(events=3))

    status = await service.stub.GetStatus(pb.GetStatusRequest())

    assert (status.head_position, status.relay_position, status.relay_owner) == (3, 0, "")
    assert status.service_version
    assert status.schema_revision
