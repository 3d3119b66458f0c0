"""The client's snapshots: save, get, and load an aggregate in one call."""

import asyncio
from uuid import uuid4

import pytest

from event_store.client.client import Client
from event_store.errors import InvalidArgumentError, WrongAggregateTypeError
from event_store.model.events import NewEvent
from event_store.model.snapshot import LoadedAggregate
from event_store.server.server import Server
from tests.event_store.client.conftest import serving
from tests.event_store.command import PATIENCE_SECONDS


async def _new_aggregate(client: Client, *data: object) -> str:
    aggregate_id = str(uuid4())
    events = [NewEvent("Counted", value) for value in data]
    await client.append(aggregate_id, "Counter", events, expected_version=0)
    return aggregate_id


async def test_an_aggregate_is_loaded_from_its_snapshot_on(client: Client) -> None:
    """The state, the events after it, and the version that the next append expects."""
    aggregate_id = await _new_aggregate(client, 1, 2, 3, 4)

    assert await client.get_snapshot(aggregate_id) is None
    assert await client.save_snapshot(aggregate_id, "Counter", 3, {"sum": 6})
    assert not await client.save_snapshot(aggregate_id, "Counter", 2, b'{"sum": 3}')
    loaded = await client.load_aggregate(aggregate_id)

    assert loaded.snapshot == await client.get_snapshot(aggregate_id)
    assert loaded.snapshot is not None
    assert (loaded.snapshot.snapshot_data, loaded.snapshot.event_version) == ({"sum": 6}, 3)
    assert loaded.snapshot.created_at.tzinfo is not None
    assert [(event.event_version, event.event_data) for event in loaded.events] == [(4, 4)]
    assert loaded.event_version == 4


async def test_the_version_of_a_loaded_aggregate_is_that_of_its_last_event(client: Client) -> None:
    """With and without events after the snapshot, and of an aggregate that is not there."""
    aggregate_id = await _new_aggregate(client, 1, 2)

    assert (await client.load_aggregate(aggregate_id)).event_version == 2
    await client.save_snapshot(aggregate_id, "Counter", 2, 3)
    loaded = await client.load_aggregate(aggregate_id)
    assert (loaded.events, loaded.event_version) == ((), 2)
    assert await client.load_aggregate(str(uuid4())) == LoadedAggregate(None, ())
    assert LoadedAggregate(None, ()).event_version == 0


async def test_a_bad_snapshot_is_refused(client: Client) -> None:
    """Each refusal is the error that an append would give."""
    aggregate_id = await _new_aggregate(client, 1)

    with pytest.raises(InvalidArgumentError, match="the aggregate's last version is 1"):
        await client.save_snapshot(aggregate_id, "Counter", 2, {})
    with pytest.raises(
        InvalidArgumentError, match="event_version: invalid value -1: use a whole number from 1 to"
    ):
        await client.save_snapshot(aggregate_id, "Counter", -1, {})
    with pytest.raises(InvalidArgumentError, match="snapshot_data: cannot be converted to JSON"):
        await client.save_snapshot(aggregate_id, "Counter", 1, object())
    with pytest.raises(WrongAggregateTypeError):
        await client.save_snapshot(aggregate_id, "Order", 1, {})


async def test_snapshots_outlive_a_restart_of_the_service(server: Server, client: Client) -> None:
    """A save and a load that nobody could take are repeated until the service is back."""
    aggregate_id = await _new_aggregate(client, 1, 2)
    await server.stop()
    saving = asyncio.create_task(client.save_snapshot(aggregate_id, "Counter", 1, 1))
    loading = asyncio.create_task(client.load_aggregate(aggregate_id))
    await asyncio.sleep(0)

    async with serving(server.port), asyncio.timeout(PATIENCE_SECONDS):
        assert await saving
        assert (await loading).event_version == 2
