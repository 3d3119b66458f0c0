"""The client against a real service: what it promises about appends, reads, repetition and errors."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

import event_store
from event_store.client.client import Client
from event_store.errors import (
    ConfigurationError,
    EventAlreadyExistsError,
    EventStoreError,
    InvalidArgumentError,
    UnavailableError,
    WrongAggregateTypeError,
    WrongExpectedVersionError,
)
from event_store.model.events import AggregateAppend, AppendResult, ExpectedVersion, NewEvent, RecordedEvent

PATIENCE_SECONDS = 20.0


async def _collect(events: AsyncIterator[RecordedEvent]) -> list[RecordedEvent]:
    async with asyncio.timeout(PATIENCE_SECONDS):
        return [event async for event in events]


async def _append(client: Client, aggregate_id: str, *data: object) -> AppendResult:
    events = [NewEvent("Happened", value) for value in data]
    return await client.append(aggregate_id, "Order", events, expected_version=ExpectedVersion.ANY)


def _id() -> str:
    return str(uuid4())


async def test_what_is_appended_is_read_back(client: Client) -> None:
    """Every field of an event returns as it went, with its version and position."""
    aggregate_id = _id()
    events = [NewEvent("WordAdded", {"word": "ahoj"}, {"user": 1}), NewEvent("WordRemoved", [None, 1.5])]

    result = await client.append(
        aggregate_id, "Vocabulary", events, expected_version=ExpectedVersion.NO_STREAM
    )
    read = await _collect(client.read_aggregate(aggregate_id))

    assert result == AppendResult(aggregate_id, 2, 1, 2, duplicate=False)
    assert [event.event_id for event in read] == [event.event_id for event in events]
    assert [event.event_data for event in read] == [{"word": "ahoj"}, [None, 1.5]]
    assert [event.metadata for event in read] == [{"user": 1}, {}]
    assert [event.occurred_at for event in read] == [event.occurred_at for event in events]
    assert [(event.event_version, event.global_position) for event in read] == [(1, 1), (2, 2)]
    assert {(event.aggregate_id, event.aggregate_type) for event in read} == {(aggregate_id, "Vocabulary")}
    assert all(event.created_at.tzinfo for event in read)


async def test_several_aggregates_are_appended_whole_or_not_at_all(client: Client) -> None:
    """One conflict refuses the whole request."""
    one, other = _id(), _id()

    results = await client.append_all(
        [
            AggregateAppend(one, "Order", [NewEvent("A", 1)], 0),
            AggregateAppend(other, "Order", [NewEvent("B", 2), NewEvent("C", 3)], 0),
        ]
    )
    with pytest.raises(WrongExpectedVersionError) as raised:
        await client.append_all(
            [
                AggregateAppend(one, "Order", [NewEvent("D", 1)], 1),
                AggregateAppend(other, "Order", [NewEvent("E", 1)], 1),
            ]
        )

    assert [(result.aggregate_id, result.event_version) for result in results] == [(one, 1), (other, 2)]
    assert (raised.value.aggregate_id, raised.value.actual_version) == (other, 2)
    assert len(await _collect(client.read_all())) == 3


async def test_repeating_an_append_changes_nothing(client: Client) -> None:
    """The same events under the same ids are answered with their first positions."""
    aggregate_id, events = _id(), [NewEvent("A", 1)]

    first = await client.append(aggregate_id, "Order", events, expected_version=0)
    again = await client.append(aggregate_id, "Order", events, expected_version=0)

    assert again == AppendResult(aggregate_id, 1, first.first_global_position, 1, duplicate=True)


async def test_each_refusal_is_an_error_of_its_own(client: Client) -> None:
    """A caller can tell a conflict, another type, a used id and wrong input apart."""
    aggregate_id = _id()
    event = NewEvent("A", 1)
    await client.append(aggregate_id, "Order", [event], expected_version=0)

    with pytest.raises(WrongExpectedVersionError, match="is at version 1, expected"):
        await client.append(aggregate_id, "Order", [NewEvent("B", 1)], expected_version=0)
    with pytest.raises(WrongAggregateTypeError, match="is of type 'Order', not 'Invoice'"):
        await client.append(aggregate_id, "Invoice", [NewEvent("B", 1)], expected_version=1)
    with pytest.raises(EventAlreadyExistsError, match=event.event_id):
        await client.append(_id(), "Order", [NewEvent("B", 2, event_id=event.event_id)], expected_version=0)
    with pytest.raises(InvalidArgumentError) as raised:
        await client.append("no uuid", "Order", [NewEvent("", 1)], expected_version=0)
    assert {"appends[0].aggregate_id", "appends[0].events[0].event_type"} <= {
        violation.field for violation in raised.value.violations
    }


async def test_reads_begin_end_and_turn_where_they_are_told(client: Client) -> None:
    """From, limit and backwards hold for an aggregate and for the log."""
    one, other = _id(), _id()
    for number in range(3):
        await _append(client, one, number)
        await _append(client, other, number)

    async def versions(from_version: int = 0, limit: int = 0, *, backwards: bool = False) -> list[int]:
        events = client.read_aggregate(one, from_version=from_version, limit=limit, backwards=backwards)
        return [event.event_version for event in await _collect(events)]

    async def positions(from_position: int = 0, limit: int = 0, *, backwards: bool = False) -> list[int]:
        events = client.read_all(from_position=from_position, limit=limit, backwards=backwards)
        return [event.global_position for event in await _collect(events)]

    assert await versions() == [1, 2, 3]
    assert await versions(2, 1) == [2]
    assert await versions(backwards=True) == [3, 2, 1]
    assert await positions() == [1, 2, 3, 4, 5, 6]
    assert await positions(3, 2) == [3, 4]
    assert await positions(backwards=True, limit=2) == [6, 5]
    assert await positions(2, backwards=True) == [2, 1]
    assert await positions(7) == []
    assert await _collect(client.read_aggregate(_id())) == []


async def test_the_status_names_head_and_versions(client: Client) -> None:
    """An operator sees how far the log is and what runs."""
    await _append(client, _id(), 1, 2)

    found = await client.status()

    assert (found.head_position, found.relay_position, found.relay_owner, found.parked_messages) == (
        2,
        0,
        "",
        0,
    )
    assert found.lag_events == 2
    assert 0 < found.lag_age_seconds < PATIENCE_SECONDS
    assert found.topics == ()
    assert found.service_version
    assert found.schema_revision


async def test_a_service_that_is_not_there_is_unavailable_within_the_deadline() -> None:
    """The client gives up in time and says what it could not reach."""
    async with asyncio.timeout(PATIENCE_SECONDS), Client("127.0.0.1:1", timeout_seconds=0.5) as client:
        with pytest.raises(UnavailableError, match="cannot be reached"):
            await client.status()
        with pytest.raises(UnavailableError, match="cannot be reached"):
            await _collect(client.read_all())


async def test_a_client_out_of_its_context_says_how_to_use_it() -> None:
    """Forgetting `async with` is no mystery."""
    with pytest.raises(EventStoreError, match="use it as `async with Client"):
        await Client("127.0.0.1:1").status()


@pytest.mark.parametrize(
    "target",
    [
        "",
        "localhost",
        "example.com:8080",
        "ftp://localhost:1",
        "127.0.0.1:",
        "127.0.0.1:0",
        "127.0.0.1:65536",
        "http://name",
        "a b:1",
    ],
)
async def test_a_target_that_is_none_is_refused(target: str) -> None:
    """Nothing goes unencrypted to another machine by accident."""
    with pytest.raises(ConfigurationError, match="invalid target"):
        async with Client(target):
            pass


@pytest.mark.parametrize("target", ["localhost:1", "[::1]:1", "127.0.0.1:1", "http://example.com:8080/"])
async def test_a_target_is_taken_in_each_of_its_forms(target: str) -> None:
    """Loopback needs no scheme; another machine without encryption must be meant."""
    async with Client(target):
        pass


def test_the_package_exports_the_client() -> None:
    """`from event_store import …` has what the documentation uses, and nothing that does not exist."""
    for name in event_store.__all__:
        assert getattr(event_store, name).__name__ == name
    with pytest.raises(AttributeError, match="has no attribute 'Nothing'"):
        event_store.Nothing  # noqa: B018 # that is the point
