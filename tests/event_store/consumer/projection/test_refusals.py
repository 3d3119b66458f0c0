"""What PostgreSQL refuses is passed over, an outage is waited for, and no COMMIT fails in silence."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

import psycopg
import pytest
from psycopg import sql

from event_store.client.client import Client
from event_store.consumer.projection import TRIES, Projection
from event_store.database.transaction import RolledBackError
from event_store.errors import ConfigurationError, EventStoreError, UnavailableError
from event_store.model.events import RecordedEvent
from tests.conftest import TestDatabase
from tests.event_store.consumer.words import POISON, Words, append, read

LAST: Final = 5  # the subscription's max_delivery_attempts
Connection = psycopg.AsyncConnection[Any]
Fault = Callable[[Connection], Awaitable[object]]


def _raising(state: str) -> Fault:
    statement = sql.SQL("DO $$ BEGIN RAISE 'as asked' USING ERRCODE = {}; END $$").format(state)
    return lambda connection: connection.execute(statement)


async def _caught(connection: Connection) -> None:
    with suppress(psycopg.Error):
        await connection.execute("SELECT 1 / 0")


async def _waiting(connection: Connection) -> None:
    """Wait in a transaction for longer than the database allows, and return as if nothing had been.

    The reason and the end of the connection are both there then. psycopg tells of the end alone if it comes
    later, and what a lost connection does is another test.
    """
    await connection.execute("SET LOCAL idle_in_transaction_session_timeout = 1")
    with suppress(ProcessLookupError):
        while True:
            os.kill(connection.info.backend_pid, 0)
            await asyncio.sleep(0.01)


async def _deferred(connection: Connection) -> None:
    """Violate a constraint that PostgreSQL checks at the commit."""
    await connection.execute(
        "CREATE TEMP TABLE once (word text UNIQUE DEFERRABLE INITIALLY DEFERRED);"
        "INSERT INTO once VALUES ('a'), ('a')"
    )


async def _rolled_back(_: Connection) -> None:
    raise psycopg.Rollback


LASTING: Final[dict[str, Fault]] = {
    "a row too large for an index": lambda connection: connection.execute(
        "CREATE TEMP TABLE keys (word text PRIMARY KEY);"
        "INSERT INTO keys SELECT string_agg(md5(i::text), '') FROM generate_series(1, 200) AS i"
    ),
    "a statement beyond its time": lambda connection: connection.execute(
        "SET LOCAL statement_timeout = 1; SELECT pg_sleep(9)"
    ),
    "too many temporary files": _raising("53400"),
    "object not in prerequisite state": _raising("55000"),
    "an internal error": _raising("XX000"),
    "a lock that stays taken": _raising("55P03"),
    "a deadlock each time": _raising("40P01"),
    "no memory for it": _raising("53200"),
    "an SQL error that the handler caught": _caught,
    "a wait within the transaction": _waiting,
    "a constraint checked at the commit": _deferred,
    "psycopg.Rollback": _rolled_back,
    "a rollback": lambda connection: connection.execute("ROLLBACK"),
    "a rollback and another transaction": lambda connection: connection.execute("ROLLBACK AND CHAIN"),
}
OUTAGES: Final[dict[str, tuple[Fault, type[EventStoreError]]]] = {
    "read-only": (
        lambda connection: connection.execute("SET TRANSACTION READ ONLY; DELETE FROM effects"),
        UnavailableError,
    ),
    "a missing table": (lambda connection: connection.execute("SELECT * FROM missing"), ConfigurationError),
    "a full disk": (_raising("53100"), ConfigurationError),
    "a missing right": (_raising("42501"), ConfigurationError),
    "a damaged index": (_raising("XX002"), ConfigurationError),
}


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("event_store.consumer.projection._FIRST_WAIT_SECONDS", 0.001)


def _projection(client: Client, words: Words, fault: Fault) -> Projection:
    """Return a projection whose handler meets the fault at a poisoned event."""

    async def handler(connection: Connection, event: RecordedEvent) -> None:
        if event.event_data == POISON and not words.cured:
            await fault(connection)
            return
        await words.write(connection, event)

    return Projection("words", client, words.connect, handler)


async def _handle(projection: Projection, event: RecordedEvent, attempt: int) -> Exception | None:
    try:
        await projection.handle(event, attempt)
    except Exception as error:  # noqa: BLE001 # the test looks at it
        return error
    return None


@pytest.mark.parametrize("name", LASTING)
async def test_a_lasting_fault_of_one_event_is_passed_over(client: Client, words: Words, name: str) -> None:
    """Its aggregate goes on without it, live and in a rebuild, and it is handled once it can be."""
    aggregate_id = await append(client, "a", POISON, "c")
    first, poison, last = await read(client, aggregate_id)
    projection = _projection(client, words, LASTING[name])
    await projection.handle(first, 1)

    for attempt in range(1, LAST + 1):
        assert await _handle(projection, poison, attempt) is not None
        assert len(await projection.passed_over()) == (attempt == LAST)
    await projection.handle(last, 1)

    assert words.effects() == {aggregate_id: ["a", "c"]}
    assert await projection.retry_passed_over() == 1
    words.cured = True
    assert await projection.retry_passed_over() == 0
    assert words.effects() == {aggregate_id: ["a", "c", POISON]}


@pytest.mark.parametrize("name", LASTING)
async def test_a_rebuild_gets_past_a_lasting_fault(client: Client, words: Words, name: str) -> None:
    """What stands before it and behind it on its page is handled."""
    aggregate_id = await append(client, "a", POISON, "c")
    other = await append(client, "d")
    projection = _projection(client, words, LASTING[name])

    assert await projection.rebuild() == 4

    assert words.effects() == {aggregate_id: ["a", "c"], other: ["d"]}
    (left,) = await projection.passed_over()
    assert left.event_version == 2


async def test_a_handler_that_commits_has_failed(client: Client, words: Words) -> None:
    """Its event is not acknowledged, and counts as not handled."""
    (event,) = await read(client, await append(client, POISON))
    projection = _projection(client, words, lambda connection: connection.execute("COMMIT"))

    for attempt in (1, 2):
        assert isinstance(await _handle(projection, event, attempt), RolledBackError)


@pytest.mark.parametrize("name", OUTAGES)
async def test_what_the_database_lacks_is_not_the_events_fault(
    client: Client, words: Words, name: str
) -> None:
    """However often, and on its last delivery too, the event is kept; it is handled when that has passed."""
    fault, kind = OUTAGES[name]
    aggregate_id = await append(client, POISON)
    (poison,) = await read(client, aggregate_id)
    projection = _projection(client, words, fault)
    for _ in range(TRIES - 1):
        assert isinstance(await _handle(projection, poison, LAST), kind)

    assert await projection.passed_over() == ()
    words.cured = True
    await projection.handle(poison, LAST)
    assert words.effects() == {aggregate_id: [POISON]}


async def test_a_projections_database_may_be_read_only_or_empty_for_long(
    client: Client, words: Words, database: TestDatabase
) -> None:
    """A failover, a full disk, tables that nobody has created: nothing is passed over."""
    aggregate_id = await append(client, "a")
    (event,) = await read(client, aggregate_id)
    projection = words.projection(client)

    words.conninfo = f"{database.superuser} options='-c default_transaction_read_only=on'"
    for _ in range(2 * TRIES):
        assert isinstance(await _handle(projection, event, LAST), UnavailableError)
    words.conninfo = database.superuser
    async with words.connect() as connection:
        for table in ("effects", "projection_versions"):
            await connection.execute(f"ALTER TABLE {table} RENAME TO gone")
            for _ in range(2 * TRIES):
                assert isinstance(await _handle(projection, event, LAST), ConfigurationError)
            await connection.execute(f"ALTER TABLE gone RENAME TO {table}")

    assert await projection.passed_over() == ()
    await projection.handle(event, LAST)
    assert words.effects() == {aggregate_id: ["a"]}


async def test_an_event_that_ends_its_connection_each_time_is_refused_in_the_end(
    client: Client, words: Words
) -> None:
    """The first losses may be an outage; after TRIES of them the event is refused, and others go on."""
    aggregate_id = await append(client, POISON, "b")
    poison, next_event = await read(client, aggregate_id)

    async def fault(connection: Connection) -> None:
        await connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    projection = _projection(client, words, fault)
    errors = [await _handle(projection, poison, LAST) for _ in range(TRIES)]

    assert [isinstance(error, UnavailableError) for error in errors] == [*[True] * (TRIES - 1), False]
    await projection.handle(next_event, 1)
    assert words.effects() == {aggregate_id: ["b"]}


async def test_a_busy_database_is_asked_again_at_once(client: Client, words: Words) -> None:
    """A deadlock or a lock timeout costs no delivery."""
    aggregate_id = await append(client, POISON)
    (event,) = await read(client, aggregate_id)
    faults = iter([_raising("40P01"), _raising("55P03"), _raising("40001"), _raising("53200")])

    async def fault(connection: Connection) -> None:
        for each in faults:
            await each(connection)
        words.cured = True
        await words.write(connection, event)

    await _projection(client, words, fault).handle(event, 1)

    assert words.effects() == {aggregate_id: [POISON]}


async def test_an_error_that_a_handler_raises_from_psycopgs_is_psycopgs(client: Client, words: Words) -> None:
    """A handler with errors of its own does not turn an outage into a dead letter."""
    (event,) = await read(client, await append(client, POISON))

    async def fault(connection: Connection) -> None:
        try:
            await connection.execute("SELECT * FROM missing")
        except psycopg.Error as error:
            raise LookupError("no table") from error

    projection = _projection(client, words, fault)

    assert isinstance(await _handle(projection, event, LAST), ConfigurationError)
    assert await projection.passed_over() == ()


async def test_a_connection_in_a_transaction_is_not_taken(client: Client, words: Words) -> None:
    """A savepoint within somebody else's transaction would be lost with it, after its event was handled."""
    (event,) = await read(client, await append(client, "a"))

    @asynccontextmanager
    async def connect() -> Any:
        async with await psycopg.AsyncConnection.connect(words.conninfo) as connection:
            await connection.execute("SET search_path TO public")
            yield connection
            await connection.rollback()

    projection = Projection("words", client, connect, words.write)

    with pytest.raises(ConfigurationError, match="already in a transaction"):
        await projection.handle(event, 1)


async def test_any_text_of_an_error_can_be_noted(client: Client, words: Words) -> None:
    """A NUL, half a surrogate pair, a page of text: the event is passed over all the same."""
    aggregate_id = await append(client, "a", "b")
    first, second = await read(client, aggregate_id)

    async def handler(_: Connection, event: RecordedEvent) -> None:
        if event.event_version == 1:
            raise ValueError("\ud800\0" + "é" * 9999)

    projection = Projection("words", client, words.connect, handler)
    with pytest.raises(ValueError, match="é"):
        await projection.handle(first, LAST)
    await projection.handle(second, 1)

    (left,) = await projection.passed_over()
    assert left.error.startswith("ValueError: \\ud800éé")
