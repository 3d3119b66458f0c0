"""What a read promises: order, completeness, bounds, and an alarm where the log has a hole."""

from contextlib import nullcontext
from uuid import uuid4

import grpc
import pytest

from event_store.v1 import event_store_pb2 as pb
from tests.store.conftest import Service
from tests.store.requests import append, event


async def test_an_empty_log_is_one_message_without_events(service: Service) -> None:
    """Every read is answered at least once, with the head."""
    parts = [part async for part in service.stub.ReadAll(pb.ReadAllRequest())]
    backwards = [part async for part in service.stub.ReadAll(pb.ReadAllRequest(backwards=True))]
    aggregate = [
        part async for part in service.stub.ReadAggregate(pb.ReadAggregateRequest(aggregate_id=str(uuid4())))
    ]

    assert parts == backwards == aggregate == [pb.ReadResponse(head_position=0)]


@pytest.mark.parametrize(
    ("start", "limit", "backwards", "numbers"),
    [
        (0, 0, False, range(1, 251)),
        (1, 3, False, range(1, 4)),
        (100, 0, False, range(100, 251)),
        (101, 100, False, range(101, 201)),
        (250, 0, False, range(250, 251)),
        (251, 0, False, range(0)),
        (0, 0, True, range(250, 0, -1)),
        (0, 1, True, range(250, 249, -1)),
        (120, 0, True, range(120, 0, -1)),
        (100, 100, True, range(100, 0, -1)),
        (1, 0, True, range(1, 0, -1)),
        (9999, 2, True, range(250, 248, -1)),
    ],
)
async def test_reads_from_any_point_in_both_directions(
    any_service: Service, start: int, limit: int, backwards: bool, numbers: range
) -> None:
    """The log and an aggregate, read from inside pages and at their edges, forwards and backwards."""
    aggregate_id = str(uuid4())
    await any_service.append(append(aggregate_id, 250))

    log = await any_service.read_all(from_position=start, limit=limit, backwards=backwards)
    aggregate = await any_service.read_aggregate(
        aggregate_id, from_version=start, limit=limit, backwards=backwards
    )

    assert [each.global_position for each in log] == list(numbers)
    assert [each.event_version for each in aggregate] == list(numbers)


async def test_an_event_comes_back_as_it_was_appended(service: Service) -> None:
    """Every field of an event is kept, and the store adds its positions and its clock."""
    one = append(events=[event(b'{"a":1}', metadata=b'{"by":"me"}')])
    result = (await service.append(one))[0]

    (stored,) = await service.read_aggregate(one.aggregate_id.upper())

    assert stored.created_at.seconds > 0
    stored.ClearField("created_at")
    assert stored == pb.RecordedEvent(
        event_id=one.events[0].event_id,
        event_type="WordAdded",
        event_data=b'{"a": 1}',
        metadata=b'{"by": "me"}',
        occurred_at=one.events[0].occurred_at,
        aggregate_id=one.aggregate_id,
        aggregate_type="Vocabulary",
        event_version=1,
        global_position=result.first_global_position,
    )


async def test_messages_stay_below_what_grpc_clients_take(service: Service) -> None:
    """Large events come in several messages, each small enough for a client's default of 4 MiB."""
    data = b'"' + b"x" * 1_000_000 + b'"'
    for _ in range(4):
        await service.append(append(events=[event(data) for _ in range(3)]))

    parts = [part async for part in service.stub.ReadAll(pb.ReadAllRequest())]

    assert sum(len(part.events) for part in parts) == 12
    assert max(part.ByteSize() for part in parts) < 4 * 1_048_576


async def test_a_bad_aggregate_id_is_named(service: Service) -> None:
    """A read of something that is no UUID is INVALID_ARGUMENT."""
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await service.read_aggregate("x")

    assert raised.value.code() == grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize("hole", [1, 150, 151, 250])
@pytest.mark.parametrize("backwards", [False, True])
async def test_a_hole_in_the_log_is_an_error_and_an_alarm(
    service: Service, caplog: pytest.LogCaptureFixture, hole: int, backwards: bool
) -> None:
    """A row that somebody deleted ends every read that should have met it, at the start, middle and end."""
    aggregate_id = str(uuid4())
    await service.append(append(aggregate_id, 250))
    service.execute("ALTER TABLE events DISABLE TRIGGER append_only")
    service.execute(f"DELETE FROM events WHERE global_position = {hole}")  # noqa: S608 # a number

    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await service.read_all(backwards=backwards)
    with pytest.raises(grpc.aio.AioRpcError) if hole < 250 else nullcontext() as aggregate:
        await service.read_aggregate(aggregate_id, backwards=backwards)

    assert raised.value.code() == grpc.StatusCode.DATA_LOSS
    assert aggregate is None or aggregate.value.code() == grpc.StatusCode.DATA_LOSS
    assert any(record.levelname == "CRITICAL" for record in caplog.records)


async def test_status_tells_the_head_and_the_schema(service: Service) -> None:
    """GetStatus names the head, the relay's place, and the versions of service and schema."""
    await service.append(append(events=3))

    status = await service.stub.GetStatus(pb.GetStatusRequest())

    assert (status.head_position, status.relay_position, status.relay_owner) == (3, 0, "")
    assert status.service_version
    assert status.schema_revision
