"""Whatever is stored, what is read of it is bounded: in a message, in a page, and in the service's memory."""

import json
import random
from decimal import Decimal
from typing import Any, Final
from uuid import uuid4

import grpc
import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg.types.json import Jsonb

from event_store.contract.append_request import MOST_DATA_BYTES, MOST_METADATA_BYTES
from event_store.database.pool import Database
from event_store.environment import Environment
from event_store.log import queries
from event_store.log.page import LARGEST_MESSAGE_BYTES, PAGE_BYTES, Page, read_page
from event_store.v1 import event_store_pb2 as pb
from tests.conftest import TestDatabase
from tests.event_store.conftest import Service
from tests.event_store.imports import ImportCall, imported
from tests.event_store.requests import append, event


def filled(unit: str, most_bytes: int, begin: str = "[", end: str = "]") -> bytes:
    """Return the longest JSON text of so many bytes that repeats an element."""
    count = (most_bytes - len(begin) - len(end) + 1) // (len(unit) + 1)
    return (begin + ",".join([unit] * count) + end).encode()


def incompressible(size_bytes: int, seed: int = 0) -> bytes:
    """Return a JSON text that PostgreSQL cannot compress."""
    return b'"' + random.Random(seed).randbytes(size_bytes // 2).hex().encode() + b'"'  # noqa: S311 # no secret


def value(text: bytes) -> Any:
    """Return what a JSON text says, to the last digit of each number."""
    return json.loads(text, parse_float=Decimal, parse_int=Decimal)


async def read_every_way(service: Service, aggregate_id: str) -> list[list[pb.RecordedEvent]]:
    """Read the log, which has one aggregate, by each rpc that reads it, with default limits of gRPC."""
    stub, everything = service.stub, pb.EventFilter(event_types=["*"])
    loading = stub.LoadAggregate(pb.LoadAggregateRequest(aggregate_id=aggregate_id))
    read = [
        await service.read_all(),
        (await service.read_all(backwards=True))[::-1],
        await service.read_all(filter=everything),
        (await service.read_all(filter=everything, backwards=True))[::-1],
        await service.read_aggregate(aggregate_id),
        (await service.read_aggregate(aggregate_id, backwards=True))[::-1],
        [each async for part in loading for each in part.events],
    ]
    subscribed: list[pb.RecordedEvent] = []
    call = stub.Subscribe(pb.SubscribeRequest(after_position=0))
    async for response in call:
        subscribed += response.events.events
        if response.WhichOneof("kind") == "caught_up":
            break
    call.cancel()
    return [*read, subscribed]


async def test_what_was_accepted_is_read_by_a_client_of_default_limits(any_service: Service) -> None:
    """The texts that grow the most arrive by every rpc, with large metadata and next to a snapshot."""
    aggregate_id = str(uuid4())
    metadata = filled('"a":1e9', MOST_METADATA_BYTES // 2, '{"x":[{', "}]}")
    largest = [
        filled("1", MOST_DATA_BYTES),
        filled("[]", MOST_DATA_BYTES),
        filled("1e-05", MOST_DATA_BYTES),
        filled("1e99", 99_000),
        filled("1e4", MOST_DATA_BYTES // 8 * 7),
        incompressible(MOST_DATA_BYTES - 2),
    ]
    for data in largest:
        one = append(aggregate_id, [event(data, metadata=metadata)])
        await any_service.append(one)
    saved = await any_service.stub.SaveSnapshot(
        pb.SaveSnapshotRequest(
            aggregate_id=aggregate_id,
            aggregate_type="Vocabulary",
            event_version=1,
            snapshot_data=largest[0],
        )
    )
    assert saved.saved

    for read in await read_every_way(any_service, aggregate_id):
        assert [value(each.event_data) for each in read] == [value(data) for data in largest][-len(read) :]
        assert len(read) >= len(largest) - 1  # LoadAggregate leaves out what is in the snapshot
    written_out = (await any_service.read_aggregate(aggregate_id))[3].event_data
    assert len(written_out) > 2_000_000, "what is within the limit is not given in the compact form"
    parts = [
        part
        async for part in any_service.stub.LoadAggregate(pb.LoadAggregateRequest(aggregate_id=aggregate_id))
    ]
    assert value(parts[0].snapshot.snapshot_data) == value(largest[0])
    assert not any(part.HasField("snapshot") for part in parts[1:])
    assert max(part.ByteSize() for part in parts) < LARGEST_MESSAGE_BYTES


async def test_a_snapshot_and_an_event_that_are_too_large_together_come_apart(service: Service) -> None:
    """Each is within its limit, and both in one message would be above a client's default."""
    aggregate_id = str(uuid4())
    data, metadata = filled("1e99", 99_800), filled("1e99", 6_200, '{"a":[', "]}")
    await service.append(append(aggregate_id), append(str(uuid4())))
    await service.append(append(aggregate_id, [event(data, metadata=metadata)]))
    await service.stub.SaveSnapshot(
        pb.SaveSnapshotRequest(
            aggregate_id=aggregate_id, aggregate_type="Vocabulary", event_version=1, snapshot_data=data
        )
    )

    request = pb.LoadAggregateRequest(aggregate_id=aggregate_id)
    parts = [part async for part in service.stub.LoadAggregate(request)]

    assert sum(part.ByteSize() for part in parts) > LARGEST_MESSAGE_BYTES
    assert [(part.HasField("snapshot"), len(part.events)) for part in parts] == [(True, 0), (False, 1)]


@pytest.mark.parametrize("unit", ["1e99", "1E+50", "1e-99", "1e9", "0.1e-9", '{"a":1e99}'])
async def test_numbers_that_grow_beyond_the_limit_are_refused(service: Service, unit: str) -> None:
    """However small a number's exponent is, by every way in, the field is named."""
    aggregate_id = str(uuid4())
    await service.append(append(aggregate_id))
    data, metadata = filled(unit, MOST_DATA_BYTES), filled(unit, MOST_METADATA_BYTES, '{"a":[', "]}")
    for one, field in ((event(data), "event_data"), (event(metadata=metadata), "metadata")):
        with pytest.raises(grpc.aio.AioRpcError, match=f"{field}: is .* with its numbers written out"):
            await service.append(append(events=[one]))
    caller = ImportCall(service.stub)
    await caller.begin()
    await caller.send(pb.ImportEventsRequest(events=[imported(1, data=data)]))
    assert "event 1: event_data: is" in str((await caller.error()).details())
    snapshot = pb.SaveSnapshotRequest(
        aggregate_id=aggregate_id, aggregate_type="Vocabulary", event_version=1, snapshot_data=data
    )
    with pytest.raises(grpc.aio.AioRpcError, match=r"snapshot_data: is .* with its numbers written out"):
        await service.stub.SaveSnapshot(snapshot)


@pytest.mark.parametrize("unit", ["1e99", "1e15", "-1e-99"])
async def test_an_event_that_an_earlier_release_accepted_is_readable_again(
    any_service: Service, unit: str
) -> None:
    """1 MiB that PostgreSQL writes out in 21 MB arrives by every rpc, to the last digit."""
    aggregate_id = str(uuid4())
    data, metadata = filled(unit, MOST_DATA_BYTES), filled(unit, MOST_METADATA_BYTES, '{"a":[', "]}")
    await any_service.append(append(aggregate_id))
    with psycopg.connect(any_service.database.superuser, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO events SELECT gen_random_uuid(), aggregate_id, aggregate_type, event_type, 2, "
            "%(data)s, %(metadata)s, occurred_at, created_at, 2 FROM events",
            {"data": as_jsonb(data), "metadata": as_jsonb(metadata)},
        )
        connection.execute("UPDATE log_head SET position = 2")
        connection.execute(
            "INSERT INTO snapshots (aggregate_id, aggregate_type, snapshot_data, event_version) "
            "SELECT aggregate_id, aggregate_type, event_data, 2 FROM events WHERE event_version = 2"
        )
    await any_service.append(append(aggregate_id))

    *reads, loaded, subscribed = await read_every_way(any_service, aggregate_id)

    for read in (*reads, subscribed):
        assert [each.event_version for each in read] == [1, 2, 3]
        assert value(read[1].event_data) == value(data)
        assert value(read[1].metadata) == value(metadata)
    assert [each.event_version for each in loaded] == [3]
    found = await any_service.stub.GetSnapshot(pb.GetSnapshotRequest(aggregate_id=aggregate_id))
    assert value(found.snapshot.snapshot_data) == value(data)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.text(alphabet='0.e-"\\é', max_size=30)
    | st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**40), max_value=10**40)
    | st.builds(
        lambda digits, exponent: Decimal(digits).scaleb(exponent), st.integers(), st.integers(-300, 300)
    ),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(alphabet='0.e"\\', max_size=20), inner),
    max_leaves=10,
)


def test_the_compact_form_is_the_same_value_to_the_last_digit(any_database: TestDatabase) -> None:
    """Of any JSON value it is JSON, equal and of the same scale, and no longer than PostgreSQL's own form."""
    with psycopg.connect(any_database.runtime, autocommit=True) as connection:

        @settings(max_examples=300, deadline=None)
        @given(json_values)
        def is_same(given_value: Any) -> None:
            text = _dumped(given_value)
            row = connection.execute(
                "SELECT compact_json(v)::jsonb::text = v::text, length(compact_json(v)) <= length(v::text) "
                "FROM (SELECT %s::jsonb AS v) AS given",
                (text,),
            ).fetchone()
            assert row == (True, True)

        is_same()


def _dumped(given_value: Any) -> str:
    match given_value:
        case Decimal():
            return str(given_value)
        case list():
            return f"[{','.join(map(_dumped, given_value))}]"
        case dict():
            return (
                f"{{{','.join(f'{json.dumps(key)}:{_dumped(each)}' for key, each in given_value.items())}}}"
            )
    return json.dumps(given_value)


def as_jsonb(text: bytes) -> Jsonb:
    return Jsonb(text, dumps=lambda each: each)


PAGES: Final = ("read_all", "read_aggregate", "scan_log")


@pytest.mark.parametrize("direction", ["forwards", "backwards"])
@pytest.mark.parametrize("kind", PAGES)
async def test_a_page_is_bounded_by_its_text_however_well_it_is_compressed(
    service: Service, environment: Environment, kind: str, direction: str
) -> None:
    """Of events that take a hundredth on disk a page has as many as fit in memory, and tells of the rest."""
    aggregate_id = str(uuid4())
    for size_bytes in (MOST_DATA_BYTES, 600_000, 300_000, 10_000):
        data = b'"' + b"x" * (size_bytes - 2) + b'"'
        for _ in range(6):
            await service.append(append(aggregate_id, [event(data)]))
    assert service.execute("SELECT max(pg_column_size(event_data)) FROM events")[0][0] < 20_000
    database = Database(environment, connections=1)
    await database.open()

    pages: list[Page] = []
    read: list[int] = []
    step = 1 if direction == "forwards" else -1
    while not pages or pages[-1].has_more:
        start = read[-1] + step if read else (1 if step > 0 else 24)
        arguments: Any = (start, 500, PAGE_BYTES)
        if kind == "read_aggregate":
            arguments = (aggregate_id, *arguments)
        elif kind == "scan_log":
            types = {"aggregate_types": ["Voc%"], "event_types": None}
            arguments = types | {"first": start, "positions": 1000, "end": None, "events": 500}
            arguments |= {"bytes": PAGE_BYTES}
        pages.append(await read_page(database, queries[f"{kind}_{direction}"], arguments))
        read += [row[9] for row in pages[-1].rows]
    await database.close()

    assert read == list(range(1, 25))[::step]
    sizes = [[len(row[3]) + len(row[4]) for row in page.rows] for page in pages]
    for number, page in enumerate(sizes, 1):
        assert sum(page[:-1]) < PAGE_BYTES
        assert sum(page) >= PAGE_BYTES or number == len(sizes)


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("limit", [0, 1, 4, 5, 11])
async def test_a_page_that_was_cut_by_its_bytes_is_not_the_last_one(
    service: Service, monkeypatch: pytest.MonkeyPatch, *, backwards: bool, limit: int
) -> None:
    """Of text that does not compress five events are a page: the rest comes, once, up to the limit."""
    monkeypatch.setattr("event_store.log.reader.SCAN_POSITIONS", 7)
    aggregate_id = str(uuid4())
    for seed in range(12):
        await service.append(append(aggregate_id, [event(incompressible(PAGE_BYTES // 4 - 100, seed))]))
    expected = list(range(12, 0, -1) if backwards else range(1, 13))[: limit or 12]
    read = {"limit": limit, "backwards": backwards}

    for kind in ({}, {"filter": pb.EventFilter(event_types=["WordAdded"])}):
        log = await service.read_all(**read, **kind)
        assert [each.global_position for each in log] == expected
    aggregate = await service.read_aggregate(aggregate_id, **read)
    assert [each.event_version for each in aggregate] == expected


@pytest.mark.parametrize("limit", [0, 3, 500])
async def test_a_backwards_read_that_is_cut_after_version_1_ends_there(service: Service, limit: int) -> None:
    """The last page has version 1 as its last event, by bytes and by count: nothing is given twice."""
    aggregate_id = str(uuid4())
    for seed in range(3):
        await service.append(append(aggregate_id, [event(incompressible(PAGE_BYTES - 1000, seed))]))

    read = await service.read_aggregate(aggregate_id, backwards=True, limit=limit)
    log = await service.read_all(backwards=True, limit=limit)

    assert [each.event_version for each in read] == [3, 2, 1]
    assert [each.global_position for each in log] == [3, 2, 1]


async def test_the_replays_that_are_listed_fit_into_a_message(service: Service) -> None:
    """Of replays with the largest filters the newest come, as many as a client takes."""
    service.execute(
        "INSERT INTO replays (replay_id, request, topic, from_position, to_position, aggregate_types, "
        "event_types, events_per_second, position, total_events, created_at) "
        "SELECT gen_random_uuid(), '{}', 'projects/p/topics/t', number, 0, types, types, 0, 0, 0, "
        "now() + make_interval(secs => number) "
        "FROM generate_series(1, 150) AS number, (SELECT array_agg(repeat('é', 100)) AS types "
        "FROM generate_series(1, 100)) AS filter"
    )

    listed = await service.stub.ListReplays(pb.ListReplaysRequest(limit=1000))

    newest = [each.from_position for each in listed.replays]
    assert newest == list(range(150, 150 - len(newest), -1))
    assert LARGEST_MESSAGE_BYTES - 100_000 < listed.ByteSize() < LARGEST_MESSAGE_BYTES
