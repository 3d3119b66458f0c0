"""Whatever a caller gives that has no place in the contract is an InvalidArgumentError that names it."""

import math
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from typing import Any

import pytest

from event_store.client.client import Client
from event_store.consumer.dead_letters import DeadLetters
from event_store.errors import InvalidArgumentError
from event_store.model.events import AggregateAppend, NewEvent
from event_store.topology import Subscription

AGGREGATE = "0198c2a4-5b1c-7cc0-a6ab-3f6ad1e0b001"
NO_NUMBERS = (-1, 1 << 64, 10**5000, True, 1.5, math.nan, "1", None)
NO_TEXTS = ("\ud800", None, 7, b"a")
NO_TIMES = (math.nan, math.inf, -math.inf, 0, -1, 1e9, True, "1", None)
LARGE = "x" * 6_000_000


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    """A client whose service is not there: what is refused is refused before anything is sent."""
    async with Client("127.0.0.1:1", timeout_seconds=0.5) as client:
        yield client


async def _first(events: AsyncIterator[Any]) -> object:
    return await anext(events)


CALLS: dict[str, tuple[tuple[Any, ...], str, Callable[[Client, Any], Awaitable[object]]]] = {
    "read_aggregate from": (
        NO_NUMBERS,
        "from_version",
        lambda c, v: _first(c.read_aggregate(AGGREGATE, from_version=v)),
    ),
    "read_aggregate limit": (NO_NUMBERS, "limit", lambda c, v: _first(c.read_aggregate(AGGREGATE, limit=v))),
    "read_aggregate id": (NO_TEXTS, "aggregate_id", lambda c, v: _first(c.read_aggregate(v))),
    "read_all from": (NO_NUMBERS, "from_position", lambda c, v: _first(c.read_all(from_position=v))),
    "read_all limit": (NO_NUMBERS, "limit", lambda c, v: _first(c.read_all(limit=v))),
    "read_all filter": (
        ("A", None, ("A",)),
        "event_filter",
        lambda c, v: _first(c.read_all(event_filter=v)),
    ),
    "subscribe filter": (
        ("A", None, ("A",)),
        "event_filter",
        lambda c, v: _first(c.subscribe(event_filter=v)),
    ),
    "subscribe": (NO_NUMBERS, "after_position", lambda c, v: _first(c.subscribe(after_position=v))),
    "append id": (NO_TEXTS, "aggregate_id", lambda c, v: c.append(v, "A", [], expected_version=0)),
    "append type": (NO_TEXTS, "aggregate_type", lambda c, v: c.append(AGGREGATE, v, [], expected_version=0)),
    "append version": (
        NO_NUMBERS,
        "expected_version",
        lambda c, v: c.append(AGGREGATE, "A", [NewEvent("A", 1)], expected_version=v),
    ),
    "append events": (
        ("A", b"A", None, 7, ["A"]),
        "events",
        lambda c, v: c.append(AGGREGATE, "A", v, expected_version=0),
    ),
    "append_all": (("A", b"A", None, 7, ["A"]), "appends", lambda c, v: c.append_all(v)),
    "append time": (
        (None, "now", 7, datetime(2020, 1, 1)),  # noqa: DTZ001 # what is refused
        "occurred_at",
        lambda c, v: c.append(AGGREGATE, "A", [NewEvent("A", 1, occurred_at=v)], expected_version=0),
    ),
    "append size": (
        (LARGE,),
        "bytes, at most",
        lambda c, v: c.append(AGGREGATE, "A", [NewEvent("A", v)], expected_version=0),
    ),
    "append_all size": (
        (LARGE,),
        "bytes, at most",
        lambda c, v: c.append_all([AggregateAppend(AGGREGATE, "A", [NewEvent("A", v)], 0)]),
    ),
    "save_snapshot version": (
        (*NO_NUMBERS, 0),
        "event_version",
        lambda c, v: c.save_snapshot(AGGREGATE, "A", v, {}),
    ),
    "save_snapshot size": (
        (LARGE,),
        "bytes, at most",
        lambda c, v: c.save_snapshot(AGGREGATE, "A", 1, v),
    ),
    "get_snapshot": (NO_TEXTS, "aggregate_id", lambda c, v: c.get_snapshot(v)),
    "load_aggregate": (NO_TEXTS, "aggregate_id", lambda c, v: c.load_aggregate(v)),
    "import_events id": (NO_TEXTS, "import_id", lambda c, v: c.import_events(v, [])),
    "replays.start topic": (NO_TEXTS, "topic", lambda c, v: c.replays.start(v)),
    "replays.start id": (NO_TEXTS[:1], "replay_id", lambda c, v: c.replays.start("a", replay_id=v)),
    "replays.start from": (NO_NUMBERS, "from_position", lambda c, v: c.replays.start("a", from_position=v)),
    "replays.start to": (NO_NUMBERS, "to_position", lambda c, v: c.replays.start("a", to_position=v)),
    "replays.start rate": (
        NO_NUMBERS,
        "events_per_second",
        lambda c, v: c.replays.start("a", events_per_second=v),
    ),
    "replays.list": ((*NO_NUMBERS, 0, 1001), "limit", lambda c, v: c.replays.list(v)),
    "replays.get": (NO_TEXTS, "replay_id", lambda c, v: c.replays.get(v)),
    "replays.pause": (NO_TEXTS, "replay_id", lambda c, v: c.replays.pause(v)),
    "replays.resume": (NO_TEXTS, "replay_id", lambda c, v: c.replays.resume(v)),
    "replays.cancel": (NO_TEXTS, "replay_id", lambda c, v: c.replays.cancel(v)),
    "replays.watch": (NO_TEXTS, "replay_id", lambda c, v: _first(c.replays.watch(v))),
}


@pytest.mark.parametrize("call", CALLS)
async def test_what_has_no_place_in_the_contract_is_refused_by_its_name(client: Client, call: str) -> None:
    """Numbers out of range, NaN, a bool for a number, a lone surrogate, a text for a list, 6 MB."""
    values, field, ask = CALLS[call]
    for value in values:
        with pytest.raises(InvalidArgumentError, match=field):
            await ask(client, value)


@pytest.mark.parametrize("seconds", NO_TIMES)
def test_a_time_that_never_ends_is_refused(seconds: Any) -> None:
    """NaN and infinity would be waited for without an end, 0 is over before it begins."""
    with pytest.raises(
        InvalidArgumentError, match=r"timeout_seconds: invalid value .*: use seconds, above 0"
    ):
        Client(timeout_seconds=seconds)
    with pytest.raises(InvalidArgumentError, match="quiet_seconds"):
        DeadLetters(Subscription(name="a", topic="b"), "project", quiet_seconds=seconds)


@pytest.mark.parametrize("most_in_flight", [*NO_NUMBERS, 0, 100_001], ids=lambda each: type(each).__name__)
async def test_a_stream_without_room_is_refused(client: Client, most_in_flight: Any) -> None:
    """With 0 in flight its first append would wait forever."""
    with pytest.raises(
        InvalidArgumentError, match=r"most_in_flight: invalid value .*: use a whole number from 1 to"
    ):
        client.append_stream(most_in_flight=most_in_flight)
