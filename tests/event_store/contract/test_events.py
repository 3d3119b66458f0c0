"""The client's values say what the contract says, and nothing is lost between the two."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from event_store.client import messages
from event_store.errors import InvalidArgumentError
from event_store.model import events
from event_store.model.events import AggregateAppend, ExpectedVersion, NewEvent
from event_store.v1 import event_store_pb2 as pb


def _append(event: NewEvent, expected_version: ExpectedVersion | int = 0) -> pb.AggregateAppend:
    append = AggregateAppend(str(uuid4()), "Order", [event], expected_version)
    return messages.append_request([append]).appends[0]


def test_event_ids_are_uuid7_in_the_order_of_their_making() -> None:
    """An id has version 7, the time of its making, and sorts after those made a microsecond before."""
    before = datetime.now(UTC)
    ids = [UUID(events.new_event_id()) for _ in range(1000)]
    after = datetime.now(UTC)

    assert {(i.version, i.variant) for i in ids} == {(7, "specified in RFC 4122")}
    assert len(set(ids)) == 1000
    assert (
        before - timedelta(milliseconds=1) <= datetime.fromtimestamp((ids[0].int >> 80) / 1000, UTC) <= after
    )
    assert [i.int >> 64 for i in ids] == sorted(i.int >> 64 for i in ids)


def test_a_new_event_occurs_now_under_an_id_of_its_own() -> None:
    """Type and data are all that a caller has to give."""
    one, other = NewEvent("A", {}), NewEvent("A", {})

    assert one.event_id != other.event_id
    assert abs(one.occurred_at - datetime.now(UTC)) < timedelta(minutes=1)
    assert one.occurred_at.tzinfo is UTC


@pytest.mark.parametrize(
    ("expected_version", "kind"),
    [
        (ExpectedVersion.ANY, "any"),
        (ExpectedVersion.NO_STREAM, "no_stream"),
        (ExpectedVersion.EXISTS, "exists"),
        (0, "exact"),
        (2_147_483_647, "exact"),
    ],
)
def test_each_expected_version_has_its_form(expected_version: ExpectedVersion | int, kind: str) -> None:
    """Zero is a number like any other and never taken for something that was left out."""
    message = _append(NewEvent("A", 1), expected_version).expected_version

    assert message.WhichOneof("kind") == kind
    assert kind != "exact" or message.exact == expected_version


@pytest.mark.parametrize("expected_version", [-1, 2_147_483_648, True, None, "any"])
def test_another_expected_version_is_refused_by_its_path(expected_version: Any) -> None:
    """A wrong expectation never becomes another one."""
    with pytest.raises(InvalidArgumentError, match=r"^appends\[0\]\.expected_version: .* use ANY"):
        _append(NewEvent("A", 1), expected_version)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=5,
)


@given(_json, st.datetimes(timezones=st.just(UTC)))
def test_data_and_times_come_back_as_they_went(value: Any, moment: datetime) -> None:
    """Any JSON value, numbers of any size included, and any moment to the microsecond survives."""
    sent = _append(NewEvent("A", value, {"value": value}, moment)).events[0]

    event = messages.recorded_event(
        pb.RecordedEvent(event_data=sent.event_data, metadata=sent.metadata, occurred_at=sent.occurred_at)
    )

    assert (event.event_data, event.metadata, event.occurred_at) == (value, {"value": value}, moment)


def test_json_text_is_sent_as_it_is() -> None:
    """Bytes are JSON already and are not encoded again."""
    event = _append(NewEvent("A", b' {"a": 1.0}', b"{}")).events[0]

    assert (event.event_data, event.metadata) == (b' {"a": 1.0}', b"{}")


def test_a_moment_of_another_zone_is_the_same_moment() -> None:
    """The contract knows moments, not zones."""
    moment = datetime(2025, 8, 9, 12, tzinfo=timezone(timedelta(hours=9)))

    assert _append(NewEvent("A", 1, occurred_at=moment)).events[0].occurred_at.ToDatetime(UTC) == moment


@pytest.mark.parametrize(
    ("event", "message"),
    [
        (
            NewEvent("A", float("nan")),
            r"^appends\[0\]\.events\[0\]\.event_data: cannot be converted to JSON: Out of range",
        ),
        (NewEvent("A", {1, 2}), r"event_data: cannot be converted to JSON: Object of type set"),
        (NewEvent("A", "\ud800"), r"event_data: cannot be converted to JSON: .*surrogates not allowed"),
        (NewEvent("A", 1, {"a": object()}), r"metadata: cannot be converted to JSON: Object of type object"),
        (NewEvent("\ud800", 1), r"event_type: has a lone surrogate"),
        (NewEvent("A", 1, occurred_at=datetime(2025, 8, 9)), r"occurred_at: has no time zone"),  # noqa: DTZ001 # what is tested
    ],
)
def test_what_has_no_form_in_the_contract_is_refused_by_its_path(event: NewEvent, message: str) -> None:
    """The error names the field, before anything is sent."""
    with pytest.raises(InvalidArgumentError, match=message):
        _append(event)


def test_a_recorded_event_and_results_are_read_whole() -> None:
    """Every field of the contract's messages arrives in the client's values."""
    moment = datetime(2025, 8, 9, 1, 2, 3, 456789, tzinfo=UTC)
    message = pb.RecordedEvent(
        event_id="e",
        event_type="t",
        event_data=json.dumps([1]).encode(),
        metadata=b"{}",
        aggregate_id="a",
        aggregate_type="y",
        event_version=2,
        global_position=3,
    )
    message.occurred_at.FromDatetime(moment)
    message.created_at.FromDatetime(moment)
    response = pb.AppendEventsResponse(
        results=[
            pb.AppendResult(
                aggregate_id="a",
                event_version=2,
                first_global_position=3,
                last_global_position=4,
                duplicate=True,
            )
        ]
    )

    assert messages.recorded_event(message) == events.RecordedEvent(
        global_position=3,
        aggregate_id="a",
        aggregate_type="y",
        event_version=2,
        event_id="e",
        event_type="t",
        event_data_json=b"[1]",
        metadata_json=b"{}",
        occurred_at=moment,
        created_at=moment,
    )
    assert messages.append_results(response) == (events.AppendResult("a", 2, 3, 4, duplicate=True),)
