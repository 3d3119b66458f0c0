"""What a subscription promises: everything once and in order, now and later, and that it lives."""

import asyncio
from typing import Any, Final, Self

import grpc
import pytest

from event_store.environment import Environment
from event_store.v1 import event_store_pb2 as pb
from tests.conftest import TestDatabase
from tests.event_store.conftest import Service, running
from tests.event_store.requests import append, event

PATIENCE_SECONDS: Final = 20.0


class SubscribeCall:
    """A call of Subscribe, read one message at a time."""

    def __init__(self, service: Service, **request: Any) -> None:
        self._call = service.stub.Subscribe(pb.SubscribeRequest(**request))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._call.cancel()

    async def read(self) -> pb.SubscribeResponse:
        """Return the next message."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            response: pb.SubscribeResponse = await self._call.read()
        assert response is not grpc.aio.EOF
        return response

    async def until(self, kind: str) -> list[pb.SubscribeResponse]:
        """Return the messages up to the first of a kind, which is the last of them."""
        messages = [await self.read()]
        while messages[-1].WhichOneof("kind") != kind:
            messages.append(await self.read())
        return messages

    async def positions(self, count: int) -> list[int]:
        """Return the positions of the next events, so many or more."""
        positions: list[int] = []
        while len(positions) < count:
            positions += [each.global_position for each in (await self.read()).events.events]
        return positions

    async def code(self) -> grpc.StatusCode:
        """Return how it ends, whatever comes before."""
        try:
            while True:
                await self.read()
        except grpc.aio.AioRpcError as error:
            code: grpc.StatusCode = error.code()
            return code


def positions(messages: list[pb.SubscribeResponse]) -> list[int]:
    return [each.global_position for message in messages for each in message.events.events]


async def test_a_subscription_catches_up_then_follows(any_service: Service) -> None:
    """It begins above its checkpoint, says when it has everything, and goes on with what is appended."""
    await any_service.append(append(events=250))

    async with SubscribeCall(any_service, after_position=20) as subscription:
        messages = await subscription.until("caught_up")
        for _ in range(3):
            await any_service.append(append(events=2))
        live = await subscription.positions(6)

    assert positions(messages) == list(range(21, 251))
    assert [message.last_scanned_position for message in messages] == [120, 220, 250, 250]
    assert messages[-1].caught_up.time.seconds > 0
    assert live == list(range(251, 257))


async def test_a_subscription_from_the_head_begins_with_what_comes(service: Service) -> None:
    """With the head as its checkpoint nothing old is sent."""
    await service.append(append(events=3))

    async with SubscribeCall(service, after_position=3) as subscription:
        first = await subscription.read()
        await service.append(append())

        assert (first.WhichOneof("kind"), first.last_scanned_position) == ("caught_up", 3)
        assert await subscription.positions(1) == [4]


async def test_an_append_elsewhere_arrives_by_a_signal(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What another process appends is announced by PostgreSQL, it need not be found by polling."""
    monkeypatch.setattr("event_store.log.notifications.LISTENING_SECONDS", 3600)
    async with SubscribeCall(service) as subscription:
        await subscription.until("caught_up")
        await _listeners(service, 1)
        await other_process_appends(service)

        assert await subscription.positions(1) == [1]


async def test_without_a_listener_polling_finds_what_is_appended(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection that cannot listen costs time, not events."""

    async def refuse(_wakeup: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr("event_store.log.notifications.Wakeup.listen", refuse)
    async with SubscribeCall(service) as subscription:
        await subscription.until("caught_up")
        await other_process_appends(service)

        assert await subscription.positions(1) == [1]


async def test_a_filter_holds_before_and_after_catching_up(service: Service) -> None:
    """Only what passes is sent, and the checkpoint moves over what does not."""
    types = ["WordAdded", "Other", "WordMoved", "Other"]
    await service.append(append(events=[event(event_type=each) for each in types]))
    chosen = pb.EventFilter(event_types=["Word*"], aggregate_types=["Vocabulary"])

    async with SubscribeCall(service, filter=chosen) as subscription:
        messages = await subscription.until("caught_up")
        await service.append(append(aggregate_type="Progress"))
        await service.append(append(events=[event(event_type=each) for each in types]))
        live = await subscription.read()

    assert positions(messages) == [1, 3]
    assert messages[-1].last_scanned_position == 4
    assert (positions([live]), live.last_scanned_position) == ([6, 8], 9)


async def test_a_sparse_filter_advances_the_checkpoint(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nothing passes the checkpoint is told all the same, step by step and then by keep-alives."""
    monkeypatch.setattr("event_store.log.reader.SCAN_POSITIONS", 100)
    monkeypatch.setattr("event_store.server.subscribe_call.KEEP_ALIVE_SECONDS", 0.05)
    await service.append(append(events=250))

    async with SubscribeCall(service, filter=pb.EventFilter(event_types=["Rare"])) as subscription:
        messages = await subscription.until("caught_up")
        await service.append(append(events=3))
        live = await subscription.read()
        while live.last_scanned_position < 253:
            live = await subscription.read()

    assert [message.last_scanned_position for message in messages] == [100, 200, 250, 250]
    assert live.WhichOneof("kind") == "keep_alive"


async def test_a_silent_subscription_is_known_to_live(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nothing is appended keep-alives come, with the checkpoint."""
    monkeypatch.setattr("event_store.server.subscribe_call.KEEP_ALIVE_SECONDS", 0.02)
    await service.append(append(events=3))

    async with SubscribeCall(service, after_position=3) as subscription:
        messages = [await subscription.read() for _ in range(4)]

    assert [message.WhichOneof("kind") for message in messages] == ["caught_up", *["keep_alive"] * 3]
    assert {message.last_scanned_position for message in messages} == {3}


async def test_a_slow_reader_falls_behind_and_misses_nothing(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server holds a bounded number of events, whoever reads how slowly, and says where it reads anew."""
    monkeypatch.setattr("event_store.log.live_tail.HELD_EVENTS", 50)
    data = b'"' + b"x" * 100_000 + b'"'
    async with SubscribeCall(service) as slow, SubscribeCall(service) as fast:
        await slow.until("caught_up")
        await fast.until("caught_up")
        for number in range(30):
            await service.append(append(events=[event(data) for _ in range(10)]))
            assert await fast.positions(10) == list(range(number * 10 + 1, number * 10 + 11))
            assert len(service.server._live_log._held) <= 50
        messages = await slow.until("fell_behind")
        messages += await slow.until("caught_up")

    assert positions(messages) == list(range(1, 301))
    checkpoints = [message.last_scanned_position for message in messages]
    assert checkpoints == sorted(checkpoints)


async def test_many_subscriptions_share_one_connection_that_listens(
    service: Service, environment: Environment
) -> None:
    """Fifty subscriptions need one connection more than none, and leave none behind."""
    subscriptions = [SubscribeCall(service) for _ in range(50)]
    for subscription in subscriptions:
        await subscription.until("caught_up")
    await _listeners(service, 1)
    await service.append(append())
    received = [await subscription.positions(1) for subscription in subscriptions]
    connections = service.execute("SELECT count(*) FROM pg_stat_activity WHERE usename = 'runtime'")[0][0]
    for subscription in subscriptions:
        await subscription.__aexit__()
    await _listeners(service, 0)

    assert received == [[1]] * 50
    # and the appender's, and the one that listens
    assert connections <= environment.database_connections + 1


async def test_a_checkpoint_above_the_head_is_refused(service: Service) -> None:
    """It was made on another log: waiting until this one is as long would lose events."""
    await service.append(append(events=3))

    async with SubscribeCall(service, after_position=4) as subscription:
        assert await subscription.code() == grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize("chosen", [{"event_types": ["*x"]}, {"aggregate_types": ["x"] * 101}])
async def test_a_filter_outside_its_limits_is_refused(service: Service, chosen: dict[str, list[str]]) -> None:
    """A filter that cannot be meant is INVALID_ARGUMENT, not silence."""
    async with SubscribeCall(service, filter=pb.EventFilter(**chosen)) as subscription:
        assert await subscription.code() == grpc.StatusCode.INVALID_ARGUMENT


async def test_a_hole_in_the_log_ends_a_subscription(service: Service) -> None:
    """Events that are missing are never passed over."""
    await service.append(append(events=5))
    service.execute("ALTER TABLE events DISABLE TRIGGER append_only")
    service.execute("DELETE FROM events WHERE global_position = 3")

    async with SubscribeCall(service) as subscription:
        assert await subscription.code() == grpc.StatusCode.DATA_LOSS


async def test_stop_ends_subscriptions_at_once(
    database: TestDatabase,
    environment: Environment,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Open subscriptions do not delay the end, and their callers are told to come again; it is no failure."""
    async with running(database, environment, monkeypatch) as service:
        subscriptions = [SubscribeCall(service) for _ in range(5)]
        for subscription in subscriptions:
            await subscription.until("caught_up")
        started = asyncio.get_running_loop().time()
        stopping = asyncio.create_task(service.server.stop())
        codes = [await subscription.code() for subscription in subscriptions]
        await stopping

        assert asyncio.get_running_loop().time() - started < 4
        assert codes == [grpc.StatusCode.UNAVAILABLE] * 5
        assert not [record for record in caplog.records if record.levelname == "ERROR"]


async def test_stop_does_not_wait_for_who_does_not_read(
    database: TestDatabase, environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A caller that takes nothing is cut off when the time for calls in flight is over."""
    monkeypatch.setattr("event_store.server.server.GRACE_SECONDS", 0.5)
    data = b'"' + b"x" * 100_000 + b'"'
    async with running(database, environment, monkeypatch) as service:
        for _ in range(10):
            await service.append(append(events=[event(data) for _ in range(30)]))
        async with SubscribeCall(service) as subscription:
            await subscription.read()
            started = asyncio.get_running_loop().time()
            await service.server.stop()

            assert asyncio.get_running_loop().time() - started < 4


async def test_a_restart_of_the_database_is_not_seen_by_a_subscription(
    mortal_database: TestDatabase, environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A subscription that is live outlives its database, and goes on without a loss or a repetition."""
    async with (
        running(mortal_database, environment, monkeypatch) as service,
        SubscribeCall(service) as subscription,
    ):
        await subscription.until("caught_up")
        await service.append(append())
        mortal_database.postgres.stop()
        mortal_database.postgres.start()
        await service.append(append())

        assert await subscription.positions(2) == [1, 2]


async def test_a_database_that_stays_away_ends_a_subscription(
    mortal_database: TestDatabase, environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A keep-alive is a promise that the log is read: without the database there is none."""
    monkeypatch.setattr("event_store.server.subscribe_call.KEEP_ALIVE_SECONDS", 1.0)
    async with (
        running(mortal_database, environment, monkeypatch) as service,
        SubscribeCall(service) as subscription,
    ):
        await subscription.until("caught_up")
        mortal_database.postgres.stop()

        assert await subscription.code() == grpc.StatusCode.UNAVAILABLE


async def _listeners(service: Service, count: int) -> None:
    """Wait until so many connections listen."""
    asked = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%LISTEN %'"
        " AND pid <> pg_backend_pid()"
    )
    async with asyncio.timeout(PATIENCE_SECONDS):
        while service.execute(asked)[0][0] != count:  # noqa: ASYNC110 # PostgreSQL tells nobody
            await asyncio.sleep(0.02)


async def other_process_appends(service: Service) -> None:
    """Append through a second service on the same database, whose hints stay its own."""
    second = type(service.server)(Environment(port=0), None)
    await second.start()
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{second.port}") as channel:
            stub = type(service.stub)(channel)
            await stub.AppendEvents(pb.AppendEventsRequest(appends=[append()]))
    finally:
        await second.stop()
