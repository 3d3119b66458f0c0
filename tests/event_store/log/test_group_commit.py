"""What the one writer promises: order, isolation, bounds, and an answer for everybody."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import psycopg
import pytest

from event_store.contract.append_request import PreparedRequest, prepare_request
from event_store.database.login import Login
from event_store.environment import Environment
from event_store.errors import (
    InvalidArgumentError,
    LogCorruptedError,
    UnavailableError,
)
from event_store.log import appender as module
from event_store.log.appender import Appender
from tests.conftest import RUNTIME, TestDatabase, kill
from tests.event_store.requests import append, exact, request

PATIENCE_SECONDS = 30.0


def prepared(aggregate_id: str | None = None, events: int = 1, **given: object) -> PreparedRequest:
    return prepare_request(request(append(aggregate_id, events, **given)), None)  # type: ignore[arg-type] # tests


class Writer:
    """An appender with its task, on a database of its own."""

    def __init__(self, environment: Environment) -> None:
        self.hints = 0
        self.appender = Appender(Login(environment), self._hint)
        self.task = asyncio.create_task(self.appender.run())

    def _hint(self) -> None:
        self.hints += 1


@pytest.fixture
async def writer(
    any_database: TestDatabase, environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Writer]:
    for name, value in any_database.variables().items():
        monkeypatch.setenv(name, value)
    writer = Writer(environment)
    yield writer
    writer.appender.stop()
    await asyncio.wait_for(writer.task, PATIENCE_SECONDS)


def stored(database: TestDatabase) -> list[tuple[int, str, int]]:
    with psycopg.connect(database.superuser) as connection:
        return connection.execute(
            "SELECT global_position, aggregate_id::text, event_version FROM events ORDER BY 1"
        ).fetchall()


@asynccontextmanager
async def held_log(database: TestDatabase) -> AsyncIterator[psycopg.AsyncConnection]:
    """Hold the lock of the log: a batch in flight stays there, and requests queue behind it."""
    async with await psycopg.AsyncConnection.connect(database.superuser) as blocker:
        await blocker.execute("SELECT FROM log_head FOR UPDATE")
        yield blocker
        await blocker.rollback()


async def batch_in_flight(database: TestDatabase) -> int:
    """Wait until a batch waits for the lock of the log; return its backend's process id."""
    find = "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    async with asyncio.timeout(PATIENCE_SECONDS):
        async with await psycopg.AsyncConnection.connect(database.superuser, autocommit=True) as watcher:
            while True:
                row = await (await watcher.execute(find)).fetchone()
                if row is not None:
                    return int(row[0])


async def test_requests_of_one_aggregate_are_stored_in_their_order(writer: Writer) -> None:
    """Each of thirty queued requests expects the version that the one before it makes."""
    aggregate_id = str(uuid4())

    answers = await asyncio.gather(
        *(writer.appender.append(prepared(aggregate_id, expected=exact(version))) for version in range(30))
    )

    assert [answer.results[0].event_version for answer in answers] == list(range(1, 31))
    assert writer.hints == 30


async def test_what_waits_goes_into_one_batch(writer: Writer) -> None:
    """A hundred requests that wait together are committed together, with one hint."""
    await asyncio.gather(*(writer.appender.append(prepared()) for _ in range(100)))

    assert writer.hints == 1


async def test_those_who_were_just_answered_come_into_the_next_batch(
    writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Eight callers who come back one after the other are committed together, round after round."""
    monkeypatch.setattr(module, "GATHER_SECONDS", PATIENCE_SECONDS)

    async def call(turns: int) -> None:
        for _ in range(3):
            await writer.appender.append(prepared())
            for _ in range(turns):
                await asyncio.sleep(0)

    async with asyncio.timeout(PATIENCE_SECONDS / 2):
        await asyncio.gather(*map(call, range(8)))

    assert writer.hints == 3


async def test_a_lone_caller_waits_for_nobody(writer: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    """One append after the other is stored at once, however long a batch may wait for others."""
    monkeypatch.setattr(module, "GATHER_SECONDS", PATIENCE_SECONDS)

    async with asyncio.timeout(PATIENCE_SECONDS / 2):
        for _ in range(5):
            await writer.appender.append(prepared())

    assert writer.hints == 5


async def test_who_is_left_alone_waits_for_a_moment_only(writer: Writer) -> None:
    """After a batch of two, one request is stored though nobody else comes, and then another."""
    await asyncio.gather(*(writer.appender.append(prepared()) for _ in range(2)))

    async with asyncio.timeout(PATIENCE_SECONDS):
        await writer.appender.append(prepared())
        await writer.appender.append(prepared())

    assert writer.hints == 3


async def test_a_batch_that_is_large_enough_waits_for_nobody(
    writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many there were before: more events in it would save little."""
    monkeypatch.setattr(module, "GATHER_SECONDS", PATIENCE_SECONDS)
    await asyncio.gather(*(writer.appender.append(prepared()) for _ in range(20)))

    async with asyncio.timeout(PATIENCE_SECONDS / 2):
        await writer.appender.append(prepared(events=module.ENOUGH_EVENTS))

    assert writer.hints == 2


async def test_a_writer_that_is_stopped_leaves_no_connection_open(
    environment: Environment, any_database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It closes its own when all is stored."""
    for name, value in any_database.variables().items():
        monkeypatch.setenv(name, value)
    writer = Writer(environment)
    await writer.appender.append(prepared())
    assert writer.appender._cursor is not None
    connection = writer.appender._cursor.connection
    writer.appender.stop()
    await asyncio.wait_for(writer.task, PATIENCE_SECONDS)

    assert connection.closed


async def test_nobody_waits_twice(writer: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests for one aggregate, each in a batch of its own, do not wait for the others' return."""
    monkeypatch.setattr(module, "GATHER_SECONDS", PATIENCE_SECONDS)
    aggregate_id = str(uuid4())

    async with asyncio.timeout(PATIENCE_SECONDS / 2):
        await asyncio.gather(*(writer.appender.append(prepared(aggregate_id)) for _ in range(5)))

    assert writer.hints == 5


async def test_data_that_postgresql_refuses_harms_only_its_own_request(
    writer: Writer, any_database: TestDatabase
) -> None:
    """A version beyond an integer fails in the database; the rest of its batch is stored without a gap."""
    full = str(uuid4())
    await writer.appender.append(prepared(full))
    with psycopg.connect(any_database.superuser) as connection:
        connection.execute("ALTER TABLE events DISABLE TRIGGER append_only")
        connection.execute("UPDATE events SET event_version = 2147483647")
        connection.execute("ALTER TABLE events ENABLE ALWAYS TRIGGER append_only")

    requests = [prepared() for _ in range(10)] + [prepared(full)] + [prepared() for _ in range(10)]
    answers = await asyncio.gather(*map(writer.appender.append, requests), return_exceptions=True)

    assert [isinstance(answer, InvalidArgumentError) for answer in answers] == [False] * 10 + [True] + [
        False
    ] * 10
    assert [position for position, _, _ in stored(any_database)] == list(range(1, 22))


async def test_a_log_that_is_ahead_of_its_head_takes_nothing(
    writer: Writer, any_database: TestDatabase
) -> None:
    """Somebody else wrote to it, or put its head back: no position is given twice, and the error says so."""
    await writer.appender.append(prepared())
    with psycopg.connect(any_database.superuser) as connection:
        connection.execute("UPDATE log_head SET position = 0")

    with pytest.raises(LogCorruptedError, match="the log has events beyond its head"):
        await writer.appender.append(prepared())

    assert [position for position, _, _ in stored(any_database)] == [1]


async def test_the_times_of_recording_follow_the_order_of_the_log(
    writer: Writer, any_database: TestDatabase
) -> None:
    """Also of a batch that waited for the log: its time is taken when it has it."""
    async with held_log(any_database) as blocker:
        waiting = asyncio.create_task(writer.appender.append(prepared()))
        await batch_in_flight(any_database)
        row = await (await blocker.execute("SELECT clock_timestamp()")).fetchone()
    await waiting
    with psycopg.connect(any_database.superuser) as connection:
        recorded = connection.execute("SELECT created_at FROM events").fetchone()

    assert row is not None
    assert recorded is not None
    assert recorded[0] > row[0]


async def test_a_repeated_request_gives_no_hint(writer: Writer) -> None:
    """It stored nothing: whoever follows the log has no reason to look."""
    again, other = prepared(), prepared()
    await writer.appender.append(again)
    await asyncio.gather(*map(writer.appender.append, (other, again)))
    await writer.appender.append(again)

    assert writer.hints == 2


async def test_a_caller_that_goes_away_breaks_nothing(writer: Writer, any_database: TestDatabase) -> None:
    """A request cancelled before its batch is dropped; its neighbours are stored without a gap."""
    tasks = [asyncio.create_task(writer.appender.append(prepared())) for _ in range(5)]
    await asyncio.sleep(0)
    tasks[2].cancel()

    answers = await asyncio.gather(*tasks, return_exceptions=True)

    assert [isinstance(answer, asyncio.CancelledError) for answer in answers] == [
        False,
        False,
        True,
        False,
        False,
    ]
    assert [position for position, _, _ in stored(any_database)] == [1, 2, 3, 4]


async def test_stop_stores_what_waits_and_refuses_what_comes(writer: Writer) -> None:
    """Requests that were accepted are answered; a later one is told that the service stops."""
    waiting = [asyncio.create_task(writer.appender.append(prepared())) for _ in range(10)]
    await asyncio.sleep(0)
    writer.appender.stop()
    writer.appender.stop()

    with pytest.raises(UnavailableError, match="stopping"):
        await writer.appender.append(prepared())
    assert len(await asyncio.gather(*waiting)) == 10
    await asyncio.wait_for(writer.task, PATIENCE_SECONDS)


async def test_stop_stores_what_waits_behind_a_batch(writer: Writer, any_database: TestDatabase) -> None:
    """As many batches as it takes."""
    aggregate_id = str(uuid4())
    async with held_log(any_database):
        first = asyncio.create_task(writer.appender.append(prepared(aggregate_id)))
        await batch_in_flight(any_database)
        waiting = [writer.appender.enqueue(prepared(aggregate_id)) for _ in range(3)]
        writer.appender.stop()

    answers = await asyncio.wait_for(asyncio.gather(first, *waiting), PATIENCE_SECONDS)

    assert [answer.results[0].event_version for answer in answers] == [1, 2, 3, 4]


async def test_a_writer_that_fails_leaves_nobody_waiting(
    environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error that nobody foresaw ends the task, and everybody who waits is told."""
    writer = Writer(environment)
    monkeypatch.setattr(module, "encode", lambda _requests: 1 / 0)

    answers = await asyncio.wait_for(
        asyncio.gather(*(writer.appender.append(prepared()) for _ in range(3)), return_exceptions=True),
        PATIENCE_SECONDS,
    )

    assert [type(answer) for answer in answers] == [UnavailableError] * 3
    with pytest.raises(ZeroDivisionError):
        await writer.task
    with pytest.raises(UnavailableError):
        await writer.appender.append(prepared())


async def test_nothing_acknowledged_is_lost_when_postgresql_is_killed(
    mortal_database: TestDatabase, environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SIGKILL to the server under load, twice: what was answered is there, each event once, without a gap."""
    for name, value in mortal_database.variables().items():
        monkeypatch.setenv(name, value)
    writer = Writer(environment)
    answered: dict[str, int] = {}
    progress = asyncio.Condition()

    async def append_until_stored(one: PreparedRequest) -> int:
        while True:
            try:
                answer = await writer.appender.append(one)
            except UnavailableError:
                await asyncio.sleep(0.05)  # as a client backs off; the same ids again
            else:
                return int(answer.results[0].first_global_position)

    async def client() -> None:
        while len(answered) < 600:
            one = prepared()
            answered[one.appends[0].aggregate_id] = await append_until_stored(one)
            async with progress:
                progress.notify_all()

    async with asyncio.timeout(4 * PATIENCE_SECONDS), asyncio.TaskGroup() as clients:
        for _ in range(8):
            clients.create_task(client())
        for goal in (200, 400):
            async with progress:
                await progress.wait_for(lambda goal=goal: len(answered) >= goal)  # type: ignore[misc] # a default
            kill(mortal_database.postgres)
            mortal_database.postgres.start()
    writer.appender.stop()
    await writer.task

    rows = stored(mortal_database)
    assert [position for position, _, _ in rows] == list(range(1, len(rows) + 1))
    assert {aggregate_id: position for position, aggregate_id, _ in rows} == answered
    assert len(rows) == len(answered)


async def test_a_connection_that_does_not_answer_is_given_up(
    writer: Writer, any_database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that hangs holds appends up for a bounded time only, and stores each of them once."""
    monkeypatch.setattr(module, "SEND_SECONDS", 0.5)
    await writer.appender.append(prepared())
    with psycopg.connect(any_database.superuser) as connection:
        row = connection.execute(
            "SELECT pid FROM pg_stat_activity WHERE usename = %s AND datname = current_database()", [RUNTIME]
        ).fetchone()
    assert row is not None
    os.kill(row[0], signal.SIGSTOP)
    try:
        response = await asyncio.wait_for(writer.appender.append(prepared()), PATIENCE_SECONDS)
    finally:
        os.kill(row[0], signal.SIGCONT)

    assert response.results[0].first_global_position == 2
    assert [position for position, _, _ in stored(any_database)] == [1, 2]
