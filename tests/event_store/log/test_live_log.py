"""What the live log holds is a part of the log without a hole, in bounds of events and bytes."""

import asyncio
from contextlib import aclosing

import pytest

from event_store.database.login import Login
from event_store.database.pool import Database
from event_store.environment import Environment
from event_store.errors import StoppingError, UnavailableError
from event_store.log import live_tail as module
from event_store.log.live_tail import LiveLog
from event_store.log.notifications import Wakeup
from event_store.log.reader import Reader
from event_store.model.event_filter import EventFilter
from event_store.server.subscribe_call import Follower
from event_store.v1 import event_store_pb2 as pb
from tests.event_store.conftest import Service
from tests.event_store.requests import append

PATIENCE_SECONDS = 20.0


@pytest.fixture
def live_log() -> LiveLog:
    """A live log that the test fills in place of its task; it asks no database."""
    environment = Environment()
    return LiveLog(Reader(Database(environment, 1)), Wakeup(Login(environment)))


def events(first: int, last: int, data: bytes = b"1") -> list[pb.RecordedEvent]:
    return [pb.RecordedEvent(global_position=n, event_data=data) for n in range(first, last + 1)]


def taken(live_log: LiveLog, position: int) -> list[int] | None:
    found = live_log.take(position)
    return None if found is None else [event.global_position for event in found]


async def test_a_follower_gets_each_event_after_its_position(
    live_log: LiveLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One behind what is held gets all of it; further behind, it is told so; at the end there is nothing."""
    monkeypatch.setattr(module, "HELD_EVENTS", 5)
    with live_log.followed(0):
        live_log._hold(events(1, 10))

        assert {position: taken(live_log, position) for position in (0, 4, 5, 6, 9, 10)} == {
            0: None,
            4: None,
            5: [6, 7, 8, 9, 10],
            6: [7, 8, 9, 10],
            9: [10],
            10: [],
        }


async def test_a_message_is_bounded_in_events_and_in_bytes(
    live_log: LiveLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Metadata counts too, and an event that is larger than a message has one of its own."""
    monkeypatch.setattr(module, "MESSAGE_EVENTS", 3)
    monkeypatch.setattr(module, "MESSAGE_BYTES", 100)
    with live_log.followed(0):
        live_log._hold(events(1, 5))
        live_log._hold(events(6, 7, b"x" * 50))
        live_log._hold([pb.RecordedEvent(global_position=8, event_data=b"1", metadata=b"x" * 50)])
        live_log._hold(events(9, 10, b"x" * 500))

        messages = [taken(live_log, position) for position in (0, 3, 5, 6, 7, 8, 9)]

    assert messages == [[1, 2, 3], [4, 5, 6], [6, 7], [7], [8], [9], [10]]


async def test_what_is_held_is_bounded_in_bytes(live_log: LiveLog, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest go first, and the count is that of what is left."""
    monkeypatch.setattr(module, "HELD_BYTES", 250)
    with live_log.followed(0):
        for position in range(1, 11):
            live_log._hold(events(position, position, b"x" * 100))
            assert live_log._held_bytes == 100 * len(live_log._held) <= 250

        assert taken(live_log, 8) == [9, 10]
        assert taken(live_log, 7) is None


async def test_what_was_read_for_others_is_not_held(live_log: LiveLog) -> None:
    """The last follower may have gone during a read, and another come who begins elsewhere."""
    with live_log.followed(5):
        live_log._hold(events(6, 8))
    with live_log.followed(20):
        live_log._hold(events(9, 11))
        assert taken(live_log, 20) == []
        live_log._hold(events(21, 22))
        live_log._hold(events(24, 25))
        live_log._hold(events(22, 23))

        assert taken(live_log, 20) == [21, 22]
        assert taken(live_log, 19) is None


async def test_nothing_is_held_for_nobody(live_log: LiveLog) -> None:
    """It is kept while one of several follows; after the last one the next begins at its own position."""
    with live_log.followed(0):
        with live_log.followed(7):
            live_log._hold(events(1, 3))
        assert taken(live_log, 0) == [1, 2, 3]

    assert (len(live_log._held), live_log._held_bytes) == (0, 0)
    with live_log.followed(2):
        assert taken(live_log, 2) == []


async def test_a_failure_is_told_until_a_read_succeeds_or_nobody_follows(live_log: LiveLog) -> None:
    """The next follower does not hear of what was in the way of those before it."""
    with live_log.followed(0):
        live_log._failure = UnavailableError("away")
        with pytest.raises(UnavailableError):
            live_log.check_reading()
    with live_log.followed(0):
        live_log.check_reading()


async def test_a_wait_ends_with_an_event_a_stop_or_its_deadline(live_log: LiveLog) -> None:
    """All who wait are woken; those who have events already do not wait."""
    clock = asyncio.get_running_loop().time
    async with asyncio.timeout(PATIENCE_SECONDS):
        with live_log.followed(0):
            waiting = [asyncio.create_task(live_log.wait(0, clock() + 3600)) for _ in range(3)]
            await asyncio.sleep(0)
            live_log._hold(events(1, 1))
            await asyncio.gather(*waiting)
            await live_log.wait(0, clock() + 3600)

            started = clock()
            await live_log.wait(1, started + 0.2)
            assert clock() - started >= 0.19

            stopped = asyncio.create_task(live_log.wait(1, clock() + 3600))
            await asyncio.sleep(0)
            live_log.stop()
            await stopped
    with pytest.raises(StoppingError):
        live_log.check_serving()


async def test_a_stop_ends_a_subscription_that_catches_up(
    service: Service, environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However much there is still to read."""
    monkeypatch.setattr("event_store.log.gap_check.PAGE_EVENTS", 2)
    await service.append(append(events=20))
    database = Database(environment, connections=2)
    await database.open()
    live_log = LiveLog(Reader(database), Wakeup(Login(environment)))
    async with asyncio.timeout(PATIENCE_SECONDS):
        async with aclosing(Follower(Reader(database), live_log, 0, EventFilter()).follow()) as responses:
            await anext(responses)
            live_log.stop()
            with pytest.raises(StoppingError):
                await anext(responses)
    await database.close()
