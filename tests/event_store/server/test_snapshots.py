"""What snapshots promise: the newest stays, none is ahead of its aggregate, a load has no gap."""

import asyncio
import random
from typing import Any
from uuid import uuid4

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from event_store.v1 import event_store_pb2 as pb
from tests.event_store.conftest import Service
from tests.event_store.requests import append, event

PATIENCE_SECONDS = 30.0


async def save(service: Service, aggregate_id: str, version: int, data: bytes = b"{}", **given: Any) -> bool:
    values = {"aggregate_type": "Vocabulary", "event_version": version, "snapshot_data": data}
    request = pb.SaveSnapshotRequest(aggregate_id=aggregate_id, **{**values, **given})
    return bool((await service.stub.SaveSnapshot(request)).saved)


async def get(service: Service, aggregate_id: str) -> tuple[int, bytes] | None:
    response = await service.stub.GetSnapshot(pb.GetSnapshotRequest(aggregate_id=aggregate_id))
    if not response.HasField("snapshot"):
        return None
    return response.snapshot.event_version, response.snapshot.snapshot_data


async def load(service: Service, aggregate_id: str) -> list[pb.LoadAggregateResponse]:
    async with asyncio.timeout(PATIENCE_SECONDS):
        return [
            part
            async for part in service.stub.LoadAggregate(pb.LoadAggregateRequest(aggregate_id=aggregate_id))
        ]


async def new_aggregate(service: Service, events: int) -> str:
    aggregate_id = str(uuid4())
    await service.append(append(aggregate_id, events))
    return aggregate_id


async def test_a_snapshot_is_got_as_it_was_saved(any_service: Service) -> None:
    """Data, version and type; an aggregate without one has none."""
    aggregate_id = await new_aggregate(any_service, 3)

    assert await get(any_service, aggregate_id) is None
    assert await save(any_service, aggregate_id, 2, '{"words": ["größe", 1e10]}'.encode())
    response = await any_service.stub.GetSnapshot(pb.GetSnapshotRequest(aggregate_id=aggregate_id.upper()))

    assert (response.snapshot.aggregate_id, response.snapshot.aggregate_type) == (aggregate_id, "Vocabulary")
    assert response.snapshot.event_version == 2
    assert response.snapshot.snapshot_data.decode() == '{"words": ["größe", 10000000000]}'
    assert response.snapshot.created_at.seconds > 1_700_000_000


async def test_an_older_snapshot_never_replaces_a_newer_one(any_service: Service) -> None:
    """It is told so; one of the same version replaces, in another form of the same state."""
    aggregate_id = await new_aggregate(any_service, 5)

    assert await save(any_service, aggregate_id, 4, b'"four"')
    assert not await save(any_service, aggregate_id, 3, b'"three"')
    assert await get(any_service, aggregate_id) == (4, b'"four"')
    assert await save(any_service, aggregate_id, 4, b'"IV"')
    assert await get(any_service, aggregate_id) == (4, b'"IV"')
    assert await save(any_service, aggregate_id, 5, b'"five"')
    assert await get(any_service, aggregate_id) == (5, b'"five"')


async def test_a_snapshot_tells_when_it_was_saved(any_service: Service) -> None:
    """Not when the one before it was."""
    aggregate_id = await new_aggregate(any_service, 2)
    times = []
    for version in (1, 2):
        assert await save(any_service, aggregate_id, version)
        response = await any_service.stub.GetSnapshot(pb.GetSnapshotRequest(aggregate_id=aggregate_id))
        times.append(response.snapshot.created_at.ToMicroseconds())

    assert times[0] < times[1]


async def test_of_snapshots_saved_at_once_the_newest_stays(any_service: Service) -> None:
    """Fifty versions in any order on many connections: no version goes back, and the last wins."""
    aggregate_id = await new_aggregate(any_service, 50)
    versions = list(range(1, 51))
    random.Random(7).shuffle(versions)  # noqa: S311 # an order, no secret
    seen: list[int] = []

    async def save_and_get(version: int) -> None:
        await save(any_service, aggregate_id, version, str(version).encode())
        kept = await get(any_service, aggregate_id)
        assert kept is not None
        assert kept[0] >= version
        assert kept == (kept[0], str(kept[0]).encode())
        seen.append(kept[0])

    await asyncio.gather(*map(save_and_get, versions))

    assert await get(any_service, aggregate_id) == (50, b"50")


async def test_a_snapshot_is_not_ahead_of_its_aggregate(any_service: Service) -> None:
    """A state that no stored event has made is refused, of an aggregate without events too."""
    aggregate_id = await new_aggregate(any_service, 2)

    for id_, version, last in ((aggregate_id, 3, 2), (str(uuid4()), 1, 0)):
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await save(any_service, id_, version)
        assert raised.value.code() == grpc.StatusCode.INVALID_ARGUMENT
        assert f"event_version: is {version}, the aggregate's last version is {last}" in str(
            raised.value.details()
        )
        assert await get(any_service, id_) is None


async def test_a_snapshot_is_of_its_aggregates_type(any_service: Service) -> None:
    """Another type is refused as it is for an append, and nothing is kept."""
    aggregate_id = await new_aggregate(any_service, 1)

    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await save(any_service, aggregate_id, 1, aggregate_type="Order")

    assert raised.value.code() == grpc.StatusCode.FAILED_PRECONDITION
    assert "is of type 'Vocabulary', not 'Order'" in str(raised.value.details())
    assert await get(any_service, aggregate_id) is None


async def test_bad_snapshots_are_refused_with_each_field(service: Service) -> None:
    """All that is wrong is told at once."""
    large = b'"' + b"x" * 1_048_576 + b'"'

    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await save(service, "no uuid", 0, large, aggregate_type="")

    status = rpc_status.from_call(raised.value)
    request = error_details_pb2.BadRequest()
    assert status.details[0].Unpack(request)
    assert [violation.field for violation in request.field_violations] == [
        "aggregate_id",
        "aggregate_type",
        "event_version",
        "snapshot_data",
    ]
    for call, asked in (
        (service.stub.GetSnapshot, pb.GetSnapshotRequest(aggregate_id="no uuid")),
        (service.stub.LoadAggregate(pb.LoadAggregateRequest(aggregate_id="")).read, None),
    ):
        with pytest.raises(grpc.aio.AioRpcError, match="aggregate_id"):
            await (call(asked) if asked is not None else call())


@pytest.mark.parametrize("version", [None, 1, 250, 499, 500])
async def test_a_load_has_each_event_after_the_snapshot_once(
    any_service: Service, version: int | None
) -> None:
    """Snapshot first, then all that follows it, over many pages; without a snapshot all events."""
    aggregate_id = await new_aggregate(any_service, 500)
    if version is not None:
        await save(any_service, aggregate_id, version)

    parts = await load(any_service, aggregate_id)

    assert [part.HasField("snapshot") for part in parts] == [version is not None] + [False] * (len(parts) - 1)
    assert parts[0].snapshot.event_version == (version or 0)
    versions = [each.event_version for part in parts for each in part.events]
    assert versions == list(range((version or 0) + 1, 501))
    assert {part.head_position for part in parts} == {500}


async def test_an_aggregate_that_is_not_there_is_loaded_as_nothing(any_service: Service) -> None:
    """One part, with the head of the log."""
    await new_aggregate(any_service, 3)

    parts = await load(any_service, str(uuid4()))

    assert parts == [pb.LoadAggregateResponse(head_position=3)]


async def test_loads_beside_appends_and_saves_are_whole(any_service: Service) -> None:
    """Whatever is appended and saved meanwhile, snapshot and events fold to the sum of a prefix."""
    aggregate_id = str(uuid4())
    done = asyncio.Event()

    async def write() -> None:
        for version in range(1, 101):
            await any_service.append(append(aggregate_id, [event(b"1")]))
            if version % 3 == 0:
                await save(any_service, aggregate_id, version, str(version).encode())
        done.set()

    async def check() -> int:
        parts = await load(any_service, aggregate_id)
        snapshot = parts[0].snapshot
        total = int(snapshot.snapshot_data or b"0")
        assert total == snapshot.event_version
        events = [each for part in parts for each in part.events]
        assert [each.event_version for each in events] == list(range(total + 1, total + 1 + len(events)))
        return total + sum(int(each.event_data) for each in events)

    async with asyncio.timeout(PATIENCE_SECONDS), asyncio.TaskGroup() as tasks:
        tasks.create_task(write())
        last = 0
        while not done.is_set():
            total = await check()
            assert total >= last
            last = total
    assert await check() == 100
