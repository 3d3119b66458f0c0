"""Where an event comes from is checked on the way in, and only valid values travel on."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from event_store.contract.append_request import prepare_request
from event_store.errors import InvalidArgumentError
from event_store.model.correlation import correlation_of, find_correlation_fault
from event_store.model.events import NewEvent, RecordedEvent
from tests.event_store.requests import append, event, request

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
VALID: list[dict[str, Any]] = [
    {"correlation_id": "x"},
    {"correlation_id": "😀" * 256, "causation_id": "?"},
    {"traceparent": PARENT},
    {"traceparent": PARENT, "tracestate": "congo=t61rcWkgMzE, t1@rojo=0 0,,a*/-_=~"},
    {"traceparent": PARENT, "tracestate": ",".join(["a=1"] * 32)},
]
WRONG: list[dict[str, Any]] = [
    *({"correlation_id": each} for each in (7, None, "", "x" * 257, ["x"])),
    *({"causation_id": each} for each in (7, None, "", "x" * 257, ["x"])),
    *(
        {"traceparent": each}
        for each in (7, "", PARENT[:-1], PARENT + "-x", PARENT.upper(), "ff" + PARENT[2:])
    ),
    {"traceparent": "00-" + "0" * 32 + PARENT[35:]},
    {"traceparent": PARENT[:36] + "0" * 16 + PARENT[52:]},
    *(
        {"traceparent": PARENT, "tracestate": each}
        for each in (7, "", "a", "a=", "a=1 =", "A=1", "a=1=2", "1a=1", "a=é", "a=" + "x" * 511, "a=1," * 33)
    ),
    {"tracestate": "a=1"},
]


@pytest.mark.parametrize("metadata", WRONG, ids=str)
def test_a_value_that_has_no_place_is_refused(metadata: dict[str, Any]) -> None:
    """The violation is of the metadata, and names the key."""
    with pytest.raises(InvalidArgumentError) as raised:
        prepare_request(request(append(events=[event(metadata=json.dumps(metadata).encode())])), None)

    (violation,) = raised.value.violations
    assert violation.field == "appends[0].events[0].metadata"
    assert list(metadata)[-1] in violation.description


@pytest.mark.parametrize("metadata", VALID, ids=str)
def test_a_valid_value_travels_as_it_is(metadata: dict[str, Any]) -> None:
    """It is taken, and each key is an attribute that Pub/Sub takes."""
    text = json.dumps({"user": 7, **metadata}, ensure_ascii=False)

    assert find_correlation_fault(text.encode()) == ""
    assert correlation_of(text) == metadata
    assert all(len(value.encode()) <= 1024 for value in metadata.values())


def test_a_key_in_escapes_is_found() -> None:
    """JSON has other ways to write a key, and PostgreSQL keeps one."""
    assert "correlation_id" in find_correlation_fault(rb'{"correlation\u005fid": 7}')
    assert find_correlation_fault(rb'{"x": "\u0041"}') == ""


@given(
    st.dictionaries(
        st.sampled_from(["correlation_id", "causation_id", "traceparent", "tracestate", "x"]),
        st.none() | st.integers() | st.text() | st.just(PARENT) | st.just("a=1"),
    )
)
def test_what_is_wrong_in_an_old_event_stays_behind(metadata: dict[str, Any]) -> None:
    """Whatever is stored, what travels would be taken, and all that would be taken travels."""
    travels = correlation_of(json.dumps(metadata))

    assert find_correlation_fault(json.dumps(travels).encode()) == ""
    if find_correlation_fault(json.dumps(metadata).encode()) == "":
        assert travels == {key: value for key, value in metadata.items() if key != "x"}


def test_a_number_of_any_length_beside_it_does_no_harm() -> None:
    """PostgreSQL keeps numbers that Python's int refuses to read."""
    assert correlation_of('{"correlation_id": "x", "n": ' + "1" * 5000 + "}") == {"correlation_id": "x"}


@pytest.mark.parametrize(
    ("inherited", "expected"),
    [
        ({}, {}),
        ({"correlation_id": "c", "causation_id": "old", "user": 7}, {"correlation_id": "c"}),
        ({"traceparent": PARENT, "tracestate": "a=1"}, {"traceparent": PARENT, "tracestate": "a=1"}),
        ({"correlation_id": 7}, {}),
    ],
)
def test_an_event_carries_on_what_its_cause_belongs_to(
    inherited: dict[str, Any], expected: dict[str, Any]
) -> None:
    """Correlation and trace context of the cause, or its id, and always its id as the causation."""
    cause = _recorded(inherited)

    caused = NewEvent.caused_by(cause, "LessonPlanned", {"words": 3}, {"user": 8})

    assert (caused.event_type, caused.event_data) == ("LessonPlanned", {"words": 3})
    assert caused.metadata == {
        "correlation_id": cause.event_id,
        **expected,
        "causation_id": cause.event_id,
        "user": 8,
    }
    assert find_correlation_fault(json.dumps(caused.metadata).encode()) == ""


def test_a_recorded_event_says_where_it_comes_from() -> None:
    """Each key by its name, None where there is none."""
    found = _recorded({"correlation_id": "a", "causation_id": "b", "traceparent": PARENT})
    none = _recorded({"correlation_id": 7})

    assert (found.correlation_id, found.causation_id, found.traceparent) == ("a", "b", PARENT)
    assert (none.correlation_id, none.causation_id, none.traceparent) == (None, None, None)


def _recorded(metadata: dict[str, Any]) -> RecordedEvent:
    now = datetime.now(UTC)
    return RecordedEvent(
        global_position=1,
        aggregate_id=str(uuid4()),
        aggregate_type="Vocabulary",
        event_version=1,
        event_id=str(uuid4()),
        event_type="WordAdded",
        event_data_json=b"{}",
        metadata_json=json.dumps(metadata).encode(),
        occurred_at=now,
        created_at=now,
    )
