"""What the service takes, and that it says of everything else which field is wrong."""

import asyncio
import json
from typing import Any
from uuid import uuid4

import grpc
import orjson
import psycopg
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg.types.json import Jsonb

from event_store.contract.append_request import prepare_request
from event_store.contract.json_rules import find_fault
from event_store.errors import InvalidArgumentError
from event_store.v1 import event_store_pb2 as pb
from tests.conftest import TestDatabase
from tests.event_store.conftest import Service
from tests.event_store.requests import NO_STREAM, append, event, request

UUID = "0190a0a0-0000-7000-8000-000000000001"


def violations(*appends: pb.AggregateAppend, refused: bool = False) -> list[str]:
    """Return the paths of the fields that are found wrong."""
    with pytest.raises(InvalidArgumentError) as raised:
        prepare_request(request(*appends), (lambda _aggregate, _event: True) if refused else None)
    return [violation.field for violation in raised.value.violations]


WRONG_FIELDS = {
    "event_id": ["", "x", UUID[:-1], UUID + "0", UUID.replace("-", ""), "{" + UUID[2:] + "}", "g" + UUID[1:]],
    "event_type": ["", "x" * 101, "Word*", "Word\nAdded", "\x7f"],
    "event_data": [
        *(b"", b"{", b"nul", b"{}{}", b"NaN", b"01", b'"\n"'),
        *(b"\xff", b'"\xed\xa0\x80"', rb'"\ud800"', rb'"\udc00\ud800"'),
        *(rb'"\u0000"', rb'{"a\\\u0000": 1}'),
        *(b"1e309", b"-1e309", b"1e-401", b"[" + b",".join([b"1e308"] * 300) + b"]"),
        *(b"[1.5E-401]", b'{"a": -2e-500 }', b"[0e-401,1]", b"1e-401\n"),
        *(b"1e-" + b"0" * 5000 + b"1" * 5000, b"0e99999"),
        *(b"[" * 101 + b"]" * 101, b'"' + b"x" * 1_048_575 + b'"'),
    ],
    "metadata": [b"[]", b"1", b" null", b'"{}"', b'{"x": "' + b"x" * 65_530 + b'"}'],
    "occurred_at": [
        *(None, Timestamp(seconds=253_402_300_800), Timestamp(seconds=-62_135_596_801)),
        *(Timestamp(nanos=-1), Timestamp(nanos=1_000_000_000)),
    ],
}
DATA_AT_THE_LIMITS = [
    *(b"null", b"0", b"-0.0", b'""', b" [1 , 2] ", b'{"a":1,"a":2}'),
    *(b"1e308", b"5e-324", b"1e-400", b"1e" + b"0" * 5000 + b"1", b"[" + b",".join([b"1e100"] * 600) + b"]"),
    *(b"123456789012345678901234567890", b'"5e-9999 and 1e99999999"'),
    *(rb'"\\u0000"', rb'"\ud83d\ude00"', '"čeština 😀"'.encode()),
    *(b"[" * 100 + b"]" * 100, b'"' + b"[{" * 200 + b'"', b'"' + b"x" * 1_048_574 + b'"'),
]


@pytest.mark.parametrize(("field", "values"), WRONG_FIELDS.items(), ids=WRONG_FIELDS)
def test_a_wrong_field_of_an_event_is_named(field: str, values: list[Any]) -> None:
    """Each wrong value of each field of an event is found, and nothing else is."""
    for value in values:
        wrong = append(events=[event(), event(**{field: value})])

        assert violations(append(), wrong) == [f"appends[1].events[1].{field}"], value


@pytest.mark.parametrize("data", DATA_AT_THE_LIMITS, ids=range(len(DATA_AT_THE_LIMITS)))
async def test_data_at_the_limits_comes_back(service: Service, data: bytes) -> None:
    """What the contract allows is stored, and read back equal."""
    one = append(events=[event(data)])
    await service.append(one)

    (stored,) = await service.read_aggregate(one.aggregate_id)

    assert orjson.loads(stored.event_data) == orjson.loads(data)


@pytest.mark.parametrize(
    ("wrong", "fields"),
    [
        (append("x"), ["appends[0].aggregate_id"]),
        (append(aggregate_type=""), ["appends[0].aggregate_type"]),
        (append(aggregate_type="*"), ["appends[0].aggregate_type"]),
        (append(events=0), ["appends[0].events"]),
        (append(expected=pb.ExpectedVersion()), ["appends[0].expected_version"]),
        (append(expected=pb.ExpectedVersion(exact=2**31)), ["appends[0].expected_version.exact"]),
        (
            append(events=[event(event_id=UUID), event(event_id=UUID.upper())]),
            ["appends[0].events[1].event_id"],
        ),
    ],
)
def test_a_wrong_append_is_named(wrong: pb.AggregateAppend, fields: list[str]) -> None:
    """Each wrong field of an append is found."""
    assert violations(wrong) == fields


def test_a_request_of_small_events_counts_for_what_it_takes_in_memory() -> None:
    """Python's objects around each event take more than the event: the queue's bound is in memory."""
    small = request(append(events=1000))

    assert prepare_request(small, None).size_bytes >= small.ByteSize() + 1000 * 500


def test_counts_and_sizes_are_limited() -> None:
    """No append, too many appends, too many events, too many bytes, one aggregate twice."""
    assert violations() == ["appends"]
    assert violations(*(append() for _ in range(101))) == ["appends"]
    assert violations(append(events=1000), append(events=1)) == ["appends"]
    assert violations(append(UUID), append(UUID.upper())) == ["appends[1].aggregate_id"]
    large = [event(b'"' + b"x" * 1_048_000 + b'"') for _ in range(5)]
    assert violations(append(events=large)) == [""]
    prepare_request(request(*(append(events=10) for _ in range(100))), None)


def test_all_violations_are_told_together() -> None:
    """A request with many faults names each of them; how many travel is the status's own bound."""
    wrong = append("x", [event(b"{", event_type="") for _ in range(50)])

    fields = violations(wrong)

    assert fields[:3] == [
        "appends[0].aggregate_id",
        "appends[0].events[0].event_type",
        "appends[0].events[0].event_data",
    ]
    assert len(fields) == 1 + 50 * 2


def test_an_event_without_a_route_is_refused_where_the_topology_says_so() -> None:
    """The field that no route takes is named, and the ways out are in the description."""
    assert violations(append(), refused=True) == ["appends[0].events[0].event_type"]


async def test_violations_travel_as_bad_request(service: Service) -> None:
    """A client finds the field's path in the details of INVALID_ARGUMENT."""
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await service.append(append(events=[event(b"{")]))

    status = rpc_status.from_call(raised.value)
    details = error_details_pb2.BadRequest()
    assert raised.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert status.details[0].Unpack(details)
    assert details.field_violations[0].field == "appends[0].events[0].event_data"


async def test_every_time_of_the_contract_comes_back_to_the_microsecond(service: Service) -> None:
    """The first and the last moment, and one before 1970, are read as they were written."""
    times = [
        Timestamp(seconds=-62_135_596_800),
        Timestamp(seconds=-1, nanos=999_999_000),
        Timestamp(seconds=253_402_300_799, nanos=999_999_000),
    ]
    one = append(events=[event(occurred_at=time) for time in times])
    await service.append(one)

    assert [each.occurred_at for each in await service.read_aggregate(one.aggregate_id)] == times


json_texts = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
).map(lambda value: json.dumps(value).encode())


async def test_what_passes_our_checks_postgresql_holds(any_database: TestDatabase) -> None:
    """JSON of any shape, mangled or not: whatever we let through, JSONB takes."""
    with psycopg.connect(any_database.runtime, autocommit=True) as connection:

        @settings(max_examples=300)
        @given(
            json_texts
            | st.binary(max_size=30)
            | st.text(alphabet='{}[]",:\\u0d8e-+E19 ', max_size=20).map(str.encode)
        )
        def holds(text: bytes) -> None:
            if not find_fault(text, most_bytes=1000):
                connection.execute("SELECT %s", (Jsonb(text, dumps=lambda each: each),))

        await asyncio.to_thread(holds)


async def test_types_of_any_script_and_quoting_come_back(service: Service) -> None:
    """Quotes, backslashes, braces and letters of every script are kept in the types' names."""
    name = "Slovíčko\\\"{',}😀"
    one = append(str(uuid4()), [event(event_type=name)], NO_STREAM, aggregate_type=name)
    await service.append(one)

    (stored,) = await service.read_aggregate(one.aggregate_id)

    assert (stored.aggregate_type, stored.event_type) == (name, name)
