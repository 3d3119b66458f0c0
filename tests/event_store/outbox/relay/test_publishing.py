"""Every event reaches the subscriptions of its routes, in the order of its aggregate."""

import json
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from event_store.model.events import NewEvent
from event_store.topology import Ordering
from tests.event_store.outbox.bus import Bus, assert_in_order, positions_of
from tests.event_store.outbox.conftest import StartRelay
from tests.event_store.outbox.log import Log


async def test_each_event_reaches_its_subscription_in_the_order_of_its_aggregate(
    any_bus: Bus, log: Log, start_relay: StartRelay
) -> None:
    """Events before and after the relay's start arrive once, ordered per aggregate, and are checkpointed."""
    aggregates = [str(uuid4()) for _ in range(10)]
    positions: set[int] = set()
    for number in range(10):
        for aggregate_id in aggregates:
            positions.update(await log.append(aggregate_id, "First", number))
        if number == 4:
            await start_relay(any_bus.routing())

    messages = await any_bus.receive_events("first", positions)

    assert sorted(positions_of(messages)) == list(range(1, 101))
    assert_in_order(messages)
    assert {message.ordering_key for message in messages} == set(aggregates)
    await log.until("position = 100 FROM relays")
    assert await any_bus.rest("second") == []


async def test_an_event_of_several_topics_reaches_each(bus: Bus, log: Log, start_relay: StartRelay) -> None:
    """A route of two topics, and two routes, are two messages."""
    await log.append(str(uuid4()), "Both", 1, 2)
    await log.append(str(uuid4()), "Second", 3)
    await start_relay(bus.routing())

    assert positions_of(await bus.receive_events("first", {1, 2})) == [1, 2]
    assert sorted(positions_of(await bus.receive_events("second", {1, 2, 3}))) == [1, 2, 3]


async def test_events_without_a_route_are_passed_over(bus: Bus, log: Log, start_relay: StartRelay) -> None:
    """An event for the store alone neither stops the relay nor is published."""
    await log.append(str(uuid4()), "Private", 1, 2)
    await log.append(str(uuid4()), "First", 3)
    await log.append(str(uuid4()), "Private", 4)
    await start_relay(bus.routing())

    assert positions_of(await bus.receive_events("first", {3})) == [3]
    await log.until("position = 4 FROM relays")


async def test_a_message_holds_the_whole_event(bus: Bus, log: Log, start_relay: StartRelay) -> None:
    """The data is the event as JSON; the attributes are what subscriptions filter on and dedupe by."""
    aggregate_id = str(uuid4())
    await log.append(
        aggregate_id, "First", {"word": "größe \"'\\ \U0001f600", "n": [0.1, 12345678901234567890]}
    )
    await start_relay(bus.routing())

    (message,) = await bus.receive_events("first", {1})

    event = json.loads(message.data)
    assert list(event) == [
        "event_id",
        "aggregate_id",
        "aggregate_type",
        "event_type",
        "event_version",
        "event_data",
        "metadata",
        "occurred_at",
        "created_at",
        "global_position",
    ]
    assert event["event_data"] == {"word": "größe \"'\\ \U0001f600", "n": [0.1, 12345678901234567890]}
    assert (event["aggregate_id"], event["event_version"], event["metadata"]) == (aggregate_id, 1, {})
    for name in ("occurred_at", "created_at"):
        assert datetime.strptime(event[name], "%Y-%m-%dT%H:%M:%S.%fZ")  # noqa: DTZ007 # Z says UTC
    assert dict(message.attributes) == {
        "event_id": event["event_id"],
        "event_type": "Happened",
        "event_version": "1",
        "aggregate_id": aggregate_id,
        "aggregate_type": "First",
        "global_position": "1",
        "occurred_at": event["occurred_at"],
    }
    assert message.ordering_key == aggregate_id


async def test_a_message_tells_both_times_and_any_type(bus: Bus, log: Log, start_relay: StartRelay) -> None:
    """When it occurred and when it was recorded, which are not the same, and a type with quotes in it."""
    occurred_at = datetime(2020, 2, 29, 12, tzinfo=UTC)
    name = 'said "so\\\'" 😀'
    await log.append_events(str(uuid4()), "First", [NewEvent(name, {}, occurred_at=occurred_at)])
    await start_relay(bus.routing())

    (message,) = await bus.receive_events("first", {1})

    event = json.loads(message.data)
    assert (event["event_type"], message.attributes["event_type"]) == (name, name)
    assert datetime.fromisoformat(event["occurred_at"]) == occurred_at
    assert datetime.fromisoformat(event["created_at"]) == log.query("SELECT created_at FROM events")


async def test_correlation_and_trace_context_travel_in_the_attributes(
    bus: Bus, log: Log, start_relay: StartRelay
) -> None:
    """Where a subscription can filter on them; an old event's that are wrong stay in its metadata."""
    correlation = {
        "correlation_id": "import-7",
        "causation_id": str(uuid4()),
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "tracestate": "congo=t61rcWkgMzE",
    }
    events = [NewEvent("Happened", {}, correlation | {"user": 7}), NewEvent("Happened", {})]
    await log.append_events(str(uuid4()), "First", events)
    log.query(
        "WITH head AS (UPDATE log_head SET position = 3) INSERT INTO events "
        "SELECT gen_random_uuid(), gen_random_uuid(), 'First', 'Happened', 1, '{}', "
        """'{"correlation_id": 7, "causation_id": "old", "traceparent": "x"}', now(), now(), 3"""
    )
    await start_relay(bus.routing())

    messages = await bus.receive_events("first", {1, 2, 3})

    by_position = {int(message.attributes["global_position"]): message for message in messages}
    travelled = {
        position: {key: value for key, value in message.attributes.items() if key in correlation}
        for position, message in by_position.items()
    }
    assert travelled == {1: correlation, 2: {}, 3: {"causation_id": "old"}}
    assert json.loads(by_position[1].data)["metadata"] == correlation | {"user": 7}
    assert json.loads(by_position[3].data)["metadata"]["correlation_id"] == 7


@pytest.mark.parametrize(
    ("ordering", "keys"),
    [(Ordering("partitions", 2), {"partition-0", "partition-1"}), (Ordering("none"), {""})],
)
async def test_a_topics_ordering_decides_its_keys(
    bus: Bus, log: Log, start_relay: StartRelay, ordering: Ordering, keys: set[str]
) -> None:
    """Partitions keep the order of aggregates in few keys; without ordering there is no key."""
    positions = {p for n in range(20) for p in await log.append(str(uuid4()), "First", n, n)}
    await start_relay(bus.routing(ordering))

    messages = await bus.receive_events("first", positions)

    assert {message.ordering_key for message in messages} == keys
    assert sorted(positions_of(messages)) == sorted(positions)
    if "" not in keys:
        assert_in_order(messages)


async def test_thousands_of_events_go_through_full_requests(
    bus: Bus, log: Log, start_relay: StartRelay
) -> None:
    """More than the relay keeps in memory, more than a request may carry: all arrive, in order."""
    busy, others = str(uuid4()), [str(uuid4()) for _ in range(20)]
    for number in range(8):
        await log.append(busy, "First", *range(800))
        await log.append(others[number], "First", number)
    await start_relay(bus.routing())

    messages = await bus.receive_events("first", set(range(1, 6409)))

    assert sorted(positions_of(messages)) == list(range(1, 6409))
    assert_in_order(messages)


async def test_an_event_that_an_earlier_release_accepted_is_published(
    bus: Bus, log: Log, start_relay: StartRelay
) -> None:
    """1 MiB of numbers that PostgreSQL writes out in 21 MB is a message below Pub/Sub's limit."""
    numbers = "[" + ",".join(["1e99"] * 209_000) + "]"
    await log.append(str(uuid4()), "First", 1)
    log.set_data(1, numbers)
    await log.append(str(uuid4()), "First", 2)

    await start_relay(bus.routing())

    messages = await bus.receive_events("first", {1, 2})
    first, second = sorted(messages, key=lambda message: positions_of([message]))
    assert len(first.data) < 2_000_000
    assert json.loads(first.data)["event_data"] == json.loads(numbers)
    assert positions_of([first, second]) == [1, 2]
    await log.until("position = 2 FROM relays")
