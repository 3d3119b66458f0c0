"""What an append promises."""

import asyncio
from uuid import uuid4

import grpc
import orjson
import psycopg
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from event_store.v1 import event_store_pb2 as pb
from tests.event_store.conftest import Service
from tests.event_store.imports import ImportCall, history
from tests.event_store.requests import ANY, EXISTS, NO_STREAM, append, event, exact, request


async def refused(service: Service, *appends: pb.AggregateAppend) -> tuple[grpc.StatusCode, dict[str, str]]:
    """Append in vain; return the status and the details' metadata."""
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await service.append(*appends)
    status = rpc_status.from_call(raised.value)
    info = error_details_pb2.ErrorInfo()
    assert status.details[0].Unpack(info)
    assert info.domain == "event-store"
    return raised.value.code(), {"reason": info.reason, **info.metadata}


async def test_positions_and_versions_begin_at_one_and_have_no_gap(any_service: Service) -> None:
    """The first event has position 1; each aggregate has versions of its own; results follow the request."""
    first, second = str(uuid4()), str(uuid4())

    results = await any_service.append(append(first, 3), append(second, 2))
    again = await any_service.append(append(first, 1))

    assert results == [
        pb.AppendResult(aggregate_id=first, event_version=3, first_global_position=1, last_global_position=3),
        pb.AppendResult(
            aggregate_id=second, event_version=2, first_global_position=4, last_global_position=5
        ),
    ]
    assert (again[0].event_version, again[0].first_global_position) == (4, 6)


@pytest.mark.parametrize(
    ("expected", "on_new", "on_existing"),
    [
        (ANY, True, True),
        (NO_STREAM, True, False),
        (EXISTS, False, True),
        (exact(0), True, False),
        (exact(2), False, True),
        (exact(1), False, False),
        (exact(3), False, False),
        (exact(2_147_483_647), False, False),
    ],
    ids=["any", "no_stream", "exists", "exact-0", "exact-2", "exact-1", "exact-3", "exact-highest"],
)
async def test_expected_version_lets_through_only_what_it_names(
    any_service: Service, expected: pb.ExpectedVersion, *, on_new: bool, on_existing: bool
) -> None:
    """Every form of the expected version, on an aggregate without events and on one at version 2."""
    existing = str(uuid4())
    await any_service.append(append(existing, 2))

    for aggregate_id, version, stored in ((str(uuid4()), 0, on_new), (existing, 2, on_existing)):
        if stored:
            results = await any_service.append(append(aggregate_id, 1, expected))
            assert results[0].event_version == version + 1
        else:
            code, details = await refused(any_service, append(aggregate_id, 1, expected))
            assert code == grpc.StatusCode.ABORTED
            assert details["reason"] == "WRONG_EXPECTED_VERSION"
            assert details["aggregate_id"] == aggregate_id
            assert details["actual_version"] == str(version)


async def test_several_aggregates_are_stored_together_or_not_at_all(any_service: Service) -> None:
    """One conflict among three aggregates stores nothing of the request and leaves no gap."""
    existing = str(uuid4())
    await any_service.append(append(existing))

    code, details = await refused(any_service, append(), append(existing, 1, NO_STREAM), append())
    results = await any_service.append(append())

    assert (code, details["aggregate_id"]) == (grpc.StatusCode.ABORTED, existing)
    assert results[0].first_global_position == 2
    assert len(await any_service.read_all()) == 2


async def test_an_aggregate_keeps_its_type(any_service: Service) -> None:
    """Events of another type are refused, and the answer names the type that the aggregate has."""
    aggregate_id = str(uuid4())
    await any_service.append(append(aggregate_id))

    code, details = await refused(any_service, append(aggregate_id, aggregate_type="Progress"))

    assert code == grpc.StatusCode.FAILED_PRECONDITION
    assert details["reason"] == "WRONG_AGGREGATE_TYPE"
    assert (details["aggregate_type"], details["actual_type"]) == ("Progress", "Vocabulary")


async def test_the_same_request_again_is_answered_with_the_first_positions(any_service: Service) -> None:
    """A repeated request stores nothing, whatever version it expects, and says so."""
    appends = [append(events=3, expected=NO_STREAM), append(events=1, expected=NO_STREAM)]
    first = await any_service.append(*appends)
    await any_service.append(append(appends[0].aggregate_id, 2))

    again = await any_service.append(*appends)

    assert not any(result.duplicate for result in first)
    assert all(result.duplicate for result in again)
    for result in again:
        result.duplicate = False
    assert again == first
    assert len(await any_service.read_all()) == 6


async def test_equal_json_is_the_same_content(any_service: Service) -> None:
    """White space and the order of keys make no other event, nor do times below the microsecond."""
    one = append(events=[event(b'{"a": 1, "b": [1, 2]}')])
    await any_service.append(one)
    one.events[0].event_data = b'{"b":[1,2],"a":1.0}'
    one.events[0].occurred_at.nanos += 999

    assert (await any_service.append(one))[0].duplicate


TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
OTHER_TRACE = "00-1bf7651916cd43dd8448eb211c80319c-c8ad6b7169203331-00"


def traced(trace: str, state: str = "") -> bytes:
    return orjson.dumps({"by": "me", "traceparent": trace} | ({"tracestate": state} if state else {}))


@pytest.mark.parametrize("metadata", [traced(OTHER_TRACE, "a=b"), b'{"by": "me"}'])
@pytest.mark.parametrize("way", ["append", "stream"])
async def test_a_request_that_was_built_anew_gets_the_answer_of_the_first(
    any_service: Service, metadata: bytes, way: str
) -> None:
    """A later time and another or no trace context make no other event; the first ones stay in the log."""
    aggregates = [append(events=[event(metadata=traced(TRACE))]) for _ in range(2)]
    first = await any_service.append(*aggregates)
    log = await any_service.read_all()

    for each in aggregates:
        each.events[0].metadata = metadata
        each.events[0].occurred_at.seconds += 60
    if way == "append":
        again = await any_service.append(*aggregates)
    else:
        call = any_service.stub.AppendEventsStream()
        await call.write(request(*aggregates))
        again = list((await call.read()).response.results)
        call.cancel()

    assert all(result.duplicate for result in again)
    assert [each.first_global_position for each in again] == [each.first_global_position for each in first]
    assert await any_service.read_all() == log


@pytest.mark.parametrize(
    ("change", "field"),
    [
        *(("event_data", "event_data"), ("metadata", "metadata"), ("event_type", "event_type")),
        *(("aggregate", "aggregate_id"), ("type", "aggregate_type"), ("second", "event_data")),
        *(("order", ""), ("fewer", ""), ("more", "")),
    ],
)
async def test_a_known_id_with_anything_else_is_refused_and_the_field_named(
    any_service: Service, change: str, field: str
) -> None:
    """An id that is stored already, with other content, in other company or order, is an error."""
    before, one = append(), append(events=2)
    await any_service.append(before, one)
    known = {each.event_id for each in one.events}
    match change:
        case "event_data":
            one.events[1].event_data = b'{"word": "cat"}'
        case "metadata":
            one.events[1].metadata = b'{"by": "me"}'
        case "event_type":
            one.events[1].event_type = "WordLearned"
        case "second":  # of two appends the one that differs is told
            one.events[1].event_data = b"{}"
        case "aggregate":
            one.aggregate_id = str(uuid4())
        case "type":
            one.aggregate_type = "Progress"
        case "order":
            first, second = one.events[0], one.events[1]
            one = append(one.aggregate_id, [second, first])
        case "fewer":
            one.events[0].event_id = event().event_id
        case "more":
            one.events.append(event())

    code, details = await refused(any_service, *([before] if change == "second" else []), one)

    assert code == grpc.StatusCode.ALREADY_EXISTS
    assert details["reason"] == "EVENT_ALREADY_EXISTS"
    assert details["event_id"] in known
    assert details["field"] == field
    assert len(await any_service.read_all()) == 3


async def test_concurrent_requests_with_the_same_ids_store_once(any_service: Service) -> None:
    """Twenty times the same request at once: one stores, all get its positions."""
    one = append(events=2, expected=NO_STREAM)

    answers = await asyncio.gather(*(any_service.append(one) for _ in range(20)))

    assert {answer[0].first_global_position for answer in answers} == {1}
    assert sum(not answer[0].duplicate for answer in answers) == 1
    assert len(await any_service.read_all()) == 2


async def test_a_refusal_harms_no_neighbour_and_leaves_no_gap(any_service: Service) -> None:
    """In a batch of conflicts, duplicates, bad JSON and good requests each gets its own verdict."""
    existing = str(uuid4())
    duplicate = append()
    await any_service.append(append(existing), duplicate)
    good = [append() for _ in range(20)]
    bad = [append(existing, 1, NO_STREAM), duplicate, append(events=[event(rb'"\u0000"')])]

    answers = await asyncio.gather(
        *(any_service.append(each) for each in [*good[:10], *bad, *good[10:]]), return_exceptions=True
    )

    outcomes = [
        answer.code().name if isinstance(answer, grpc.aio.AioRpcError) else "OK" for answer in answers
    ]
    assert outcomes == ["OK"] * 10 + ["ABORTED", "OK", "INVALID_ARGUMENT"] + ["OK"] * 10
    positions = [each.global_position for each in await any_service.read_all()]
    assert positions == list(range(1, 23))


async def test_2000_concurrent_appends_of_64_clients_are_gapless(any_service: Service) -> None:
    """64 clients, 100 aggregates, 2,000 appends: no event lost or doubled, no gap anywhere."""
    aggregates = [str(uuid4()) for _ in range(100)]
    numbers = iter(range(2000))
    sent: dict[str, str] = {}

    async def client() -> None:
        for number in numbers:
            one = append(aggregates[number % 100])
            sent[one.events[0].event_id] = one.aggregate_id
            await any_service.append(one)

    await asyncio.gather(*(client() for _ in range(64)))

    stored = await any_service.read_all()
    assert [each.global_position for each in stored] == list(range(1, 2001))
    assert {each.event_id: each.aggregate_id for each in stored} == sent
    for aggregate_id in aggregates:
        versions = [each.event_version for each in stored if each.aggregate_id == aggregate_id]
        assert versions == list(range(1, 21))


@pytest.mark.parametrize("ahead", [1, 2])
async def test_a_log_that_is_ahead_of_its_head_is_told_and_not_written_over(
    any_service: Service, ahead: int
) -> None:
    """Where somebody else wrote an event beyond the head, an append and an import end with LOG_CORRUPTED."""
    await any_service.append(append())
    with psycopg.connect(any_service.database.superuser, autocommit=True) as somebody:
        somebody.execute(
            "INSERT INTO events SELECT gen_random_uuid(), gen_random_uuid(), 'Foreign', event_type, 1, "
            "event_data, metadata, now(), now(), global_position + %s FROM events",
            (ahead,),
        )

    code, details = await refused(any_service, append(events=2))
    caller = ImportCall(any_service.stub)
    await caller.begin()
    await caller.send(pb.ImportEventsRequest(events=history(2)))
    error = await caller.error()

    assert (code, details) == (grpc.StatusCode.DATA_LOSS, {"reason": "LOG_CORRUPTED"})
    assert error.code() is grpc.StatusCode.DATA_LOSS
    assert "has events beyond its head" in str(error.details())
    assert any_service.execute("SELECT count(*), max(position) FROM events, log_head") == [(2, 1)]


async def test_what_two_requests_have_stored_is_no_repetition_of_one(any_service: Service) -> None:
    """With another event between them in the log, one answer could not tell where both are."""
    aggregate_id, first, second = str(uuid4()), event(), event()
    await any_service.append(append(aggregate_id, [first]))
    await any_service.append(append())
    await any_service.append(append(aggregate_id, [second]))

    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await any_service.append(append(aggregate_id, [first, second]))

    assert raised.value.code() == grpc.StatusCode.ALREADY_EXISTS
