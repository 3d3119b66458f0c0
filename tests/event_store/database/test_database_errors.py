"""PostgreSQL's errors are classified by SQLSTATE, each as PostgreSQL itself raises it."""

import select
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import psycopg
import pytest
from psycopg import sql

from event_store.database.errors import Cause, cause_of, domain_errors
from event_store.errors import (
    ConfigurationError,
    EventStoreError,
    InvalidArgumentError,
    SchemaError,
    UnavailableError,
)
from tests.conftest import RUNTIME, TestDatabase

Connection = psycopg.Connection[Any]

# What PostgreSQL cannot be made to raise in a test, raised by name.
BY_NAME: Final = {
    "08000": Cause.AWAY,
    "08003": Cause.AWAY,
    "08006": Cause.AWAY,
    "08P01": Cause.AWAY,
    "28000": Cause.OPERATOR,
    "28P01": Cause.OPERATOR,
    "40002": Cause.REFUSED,
    "40003": Cause.BUSY,
    "53000": Cause.BUSY,
    "53100": Cause.OPERATOR,
    "53200": Cause.BUSY,
    "53300": Cause.AWAY,
    "57P02": Cause.AWAY,
    "57P03": Cause.AWAY,
    "57P04": Cause.OPERATOR,
    "58000": Cause.OPERATOR,
    "58030": Cause.OPERATOR,
    "58P01": Cause.OPERATOR,
    "72000": Cause.BUSY,
    "XX000": Cause.REFUSED,
    "XX001": Cause.OPERATOR,
    "XX002": Cause.OPERATOR,
    "P0001": Cause.REFUSED,
    "ZZ999": Cause.REFUSED,
}

# Statements of a superuser in a transaction, the last of which fails.
BY_STATEMENT: Final[dict[str, tuple[Cause, tuple[str, ...]]]] = {
    "22P02": (Cause.REFUSED, ("SELECT 'x'::uuid",)),
    "22P05": (
        Cause.REFUSED,
        ("SET client_encoding TO latin1", "SELECT chr(8364)"),
    ),
    "23505": (
        Cause.REFUSED,
        ("CREATE TEMP TABLE t (a int PRIMARY KEY)", "INSERT INTO t VALUES (1), (1)"),
    ),
    "25006": (Cause.AWAY, ("SET TRANSACTION READ ONLY", "DELETE FROM events")),
    "25P02": (Cause.REFUSED, ("DO $$ BEGIN RAISE 'x'; END $$", "SELECT 1")),
    "3F000": (Cause.OPERATOR, ("CREATE TABLE missing.t ()",)),
    "42501": (Cause.OPERATOR, (f"SET LOCAL ROLE {RUNTIME}", "DELETE FROM events")),
    "42601": (Cause.REFUSED, ("SELEC",)),
    "42703": (Cause.OPERATOR, ("SELECT missing FROM events",)),
    "42804": (Cause.REFUSED, ("CREATE TEMP TABLE t (a int)", "INSERT INTO t VALUES (now())")),
    "42883": (Cause.REFUSED, ("SELECT missing()",)),
    "42P01": (Cause.OPERATOR, ("SELECT * FROM missing",)),
    "53400": (
        Cause.REFUSED,
        (
            "SET LOCAL temp_file_limit = 0",
            "SET LOCAL work_mem = '64kB'",
            "SELECT i FROM generate_series(1, 100000) AS i ORDER BY md5(i::text)",
        ),
    ),
    "54000": (
        Cause.REFUSED,
        (
            "CREATE TEMP TABLE t (word text PRIMARY KEY)",
            "INSERT INTO t SELECT string_agg(md5(i::text), '') FROM generate_series(1, 200) AS i",
        ),
    ),
    "54001": (
        Cause.REFUSED,
        (
            "CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN pg_temp.f(); END'",
            "SELECT pg_temp.f()",
        ),
    ),
    "55000": (Cause.REFUSED, ("CREATE TEMP SEQUENCE s", "SELECT currval('s')")),
    "57014": (Cause.TOO_SLOW, ("SET LOCAL statement_timeout = 1", "SELECT pg_sleep(9)")),
    "57P01": (Cause.AWAY, ("SELECT pg_terminate_backend(pg_backend_pid())",)),
}


def _error_of(conninfo: str, run: Callable[[Connection], object]) -> psycopg.Error:
    with pytest.raises(psycopg.Error) as raised, psycopg.connect(conninfo) as connection:
        run(connection)
    return raised.value


@pytest.mark.parametrize("state", BY_NAME)
def test_an_error_that_no_test_can_cause_is_classified_by_its_sqlstate(
    any_database: TestDatabase, state: str
) -> None:
    """PostgreSQL raises it on request."""
    statement = sql.SQL("DO $$ BEGIN RAISE 'as asked' USING ERRCODE = {}; END $$").format(state)

    error = _error_of(any_database.superuser, lambda connection: connection.execute(statement))

    assert error.sqlstate == state
    assert cause_of(error) is BY_NAME[state]


@pytest.mark.parametrize("state", BY_STATEMENT)
def test_an_error_of_a_statement_is_classified_by_its_sqlstate(
    any_database: TestDatabase, state: str
) -> None:
    """PostgreSQL raises it for its real cause."""
    cause, statements = BY_STATEMENT[state]

    def run(connection: Connection) -> None:
        for statement in statements[:-1]:
            if state == "25P02":
                with pytest.raises(psycopg.errors.RaiseException):
                    connection.execute(statement)
            else:
                connection.execute(statement)
        connection.execute(statements[-1])

    error = _error_of(any_database.superuser, run)

    assert error.sqlstate == state
    assert cause_of(error) is cause


def test_a_conflict_with_another_session_may_pass(any_database: TestDatabase) -> None:
    """Serialization failure, deadlock, lock timeout, NOWAIT, a database in use."""
    conninfo = any_database.superuser
    with psycopg.connect(conninfo, autocommit=True) as other:
        other.execute("CREATE TABLE rows AS SELECT generate_series(1, 2) AS number")

        def serialize(connection: Connection) -> None:
            connection.isolation_level = psycopg.IsolationLevel.SERIALIZABLE
            connection.execute("SELECT * FROM rows")
            other.execute("UPDATE rows SET number = number")
            connection.execute("UPDATE rows SET number = number")

        def lock(wait: str) -> Callable[[Connection], None]:
            def run(connection: Connection) -> None:
                connection.execute("SET lock_timeout = 1")
                with other.transaction():
                    other.execute("LOCK TABLE rows")
                    connection.execute(f"LOCK TABLE rows {wait}")

            return run

        errors = [
            _error_of(conninfo, serialize),
            _error_of(conninfo, lock("")),
            _error_of(conninfo, lock("NOWAIT")),
            _deadlock(conninfo),
        ]
    with psycopg.connect(conninfo, autocommit=True) as connection:
        drop = sql.SQL("DROP DATABASE {}").format(sql.Identifier(any_database.name))
        with pytest.raises(psycopg.Error) as raised:
            connection.execute(drop)

    assert [error.sqlstate for error in (*errors, raised.value)] == [
        *("40001", "55P03", "55P03", "40P01"),
        "55006",
    ]
    assert {cause_of(error) for error in (*errors, raised.value)} == {Cause.BUSY}


def _deadlock(conninfo: str) -> psycopg.Error:
    with psycopg.connect(conninfo) as one, psycopg.connect(conninfo) as two, ThreadPoolExecutor() as pool:
        for connection, number in ((one, 1), (two, 2)):
            connection.execute("SET LOCAL deadlock_timeout = '10ms'")
            connection.execute("UPDATE rows SET number = number WHERE number = %s", (number,))

        def cross(connection: Connection, number: int) -> psycopg.Error | None:
            try:
                connection.execute("UPDATE rows SET number = number WHERE number = %s", (number,))
                connection.rollback()
            except psycopg.Error as error:
                connection.rollback()
                return error
            return None

        first, second = pool.submit(cross, one, 2), pool.submit(cross, two, 1)
        return next(error for error in (first.result(), second.result()) if error is not None)


def test_a_session_that_took_too_long_is_told_from_an_idle_one(any_database: TestDatabase) -> None:
    """In a transaction it is the session's fault that it was ended; outside of one nothing is lost."""

    def wait(setting: str, *, in_transaction: bool) -> psycopg.Error:
        def run(connection: Connection) -> None:
            connection.autocommit = not in_transaction
            connection.execute(f"SET {setting} = 10")
            deadline = time.monotonic() + 20
            while time.monotonic() < deadline and not connection.closed:
                if select.select([connection.pgconn.socket], [], [], 0.1)[0]:  # it says goodbye
                    break
            connection.execute("SELECT 1")

        return _error_of(any_database.superuser, run)

    idle = wait("idle_session_timeout", in_transaction=False)
    waiting = wait("idle_in_transaction_session_timeout", in_transaction=True)

    assert (idle.sqlstate, cause_of(idle)) == ("57P05", Cause.AWAY)
    assert (waiting.sqlstate, cause_of(waiting)) == ("25P03", Cause.TOO_SLOW)
    if any_database.postgres.binaries.major >= 17:  # the first that has it
        over = wait("transaction_timeout", in_transaction=True)
        assert (over.sqlstate, cause_of(over)) == ("25P04", Cause.TOO_SLOW)


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        ("22001", InvalidArgumentError),
        ("54000", InvalidArgumentError),
        ("42P01", SchemaError),
        ("42883", SchemaError),
        ("42703", SchemaError),
        ("42501", ConfigurationError),
        ("53100", ConfigurationError),
        ("XX001", ConfigurationError),
        ("08006", UnavailableError),
        ("25006", UnavailableError),
        ("25P03", UnavailableError),
        ("40001", UnavailableError),
        ("53300", UnavailableError),
        ("55P03", UnavailableError),
        ("57014", UnavailableError),
        ("57P01", UnavailableError),
        ("23505", EventStoreError),
        ("53400", EventStoreError),
        ("55000", EventStoreError),
    ],
)
def test_the_service_answers_by_the_same_classes(
    database: TestDatabase, state: str, kind: type[EventStoreError]
) -> None:
    """An outage is repeated by clients, an operator's task or a refusal is not."""
    statement = sql.SQL("DO $$ BEGIN RAISE 'as asked' USING ERRCODE = {}; END $$").format(state)

    with (
        pytest.raises(EventStoreError) as raised,
        psycopg.connect(database.superuser) as connection,
        domain_errors(),
    ):
        connection.execute(statement)

    assert type(raised.value) is kind
    assert state in str(raised.value)


def test_an_error_without_a_sqlstate_is_an_outage_if_the_connection_failed(database: TestDatabase) -> None:
    """A server that is away, or refuses a login; neither a missing database nor a wrong call of psycopg."""
    for conninfo, cause in (
        (f"{database.superuser} port=1", Cause.AWAY),
        (f"{database.superuser} user=missing", Cause.AWAY),
        (f"{database.superuser} dbname=missing", Cause.OPERATOR),
    ):
        with pytest.raises(psycopg.OperationalError) as raised:
            psycopg.connect(conninfo)
        assert (raised.value.sqlstate, cause_of(raised.value)) == (None, cause)
    with psycopg.connect(database.superuser) as connection:
        connection.close()
        with pytest.raises(psycopg.Error) as lost:
            connection.execute("SELECT 1")
    assert cause_of(lost.value) is Cause.AWAY

    wrong = _error_of(database.superuser, lambda connection: connection.execute("SELECT %s", ()))
    assert (wrong.sqlstate, cause_of(wrong)) == (None, Cause.REFUSED)
