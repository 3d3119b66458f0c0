"""Every statement of the service fits the schema, and its plan stays on the indexes."""

import re
from typing import Any, LiteralString

import psycopg
import pytest
from psycopg.pq import ExecStatus
from psycopg.types.json import Jsonb

from event_store import log, replay
from event_store.contract.append_request import PreparedRequest, prepare_request
from event_store.database.queries import load_queries
from event_store.log.append_codec import encode
from event_store.log.import_writer import ImportPart, prepare_part
from tests.conftest import TestDatabase
from tests.event_store.imports import history, parts
from tests.event_store.requests import EXISTS, NO_STREAM, append, request

SCANS = "SELECT seq_scan FROM pg_stat_user_tables WHERE relname = 'events'"


STATEMENTS = {
    f"{owner}: {name}": statement
    for owner in ("database", "log", "outbox", "replay", "server")
    for name, statement in load_queries(f"event_store.{owner}").items()
    if "{" not in statement  # else a name is put in first
}


@pytest.mark.parametrize("name", STATEMENTS)
def test_every_query_fits_the_schema(any_database: TestDatabase, name: str) -> None:
    """PostgreSQL parses each named query against the migrated schema, as the service's own role."""
    numbers: dict[str, int] = {}

    def number(match: re.Match[str]) -> str:
        return f"${numbers.setdefault(match[1] or str(len(numbers)), len(numbers) + 1)}"

    numbered = re.sub(r"%(?:\((\w+)\))?[sbt]", number, STATEMENTS[name])
    with psycopg.connect(any_database.runtime) as connection:
        result = connection.pgconn.prepare(b"checked", numbered.encode())
        assert result.status == ExecStatus.COMMAND_OK, result.error_message


def test_appends_planned_on_an_empty_log_stay_on_the_indexes(any_database: TestDatabase) -> None:
    """A connection that appended to an empty log never scans the log as it grows, refusals included."""

    def send(*prepared: PreparedRequest) -> None:
        batch = Jsonb(encode(prepared), dumps=lambda text: text)
        connection.execute(log.queries["append_events"], (batch,), prepare=True)

    requests = [prepare_request(request(append(expected=NO_STREAM)), None) for _ in range(600)]
    conflicts = [prepare_request(request(append(expected=EXISTS)), None) for _ in range(10)]
    with psycopg.connect(any_database.runtime, autocommit=True) as connection:
        for start in range(0, 600, 100):
            send(*requests[start : start + 100], *conflicts)
            send(*requests[start : start + 100])
        connection.execute("SELECT pg_stat_force_next_flush()")
        connection.execute("SELECT 1")

        assert connection.execute(SCANS).fetchone() == (0,)
        assert connection.execute("SELECT count(*) FROM events").fetchone() == (600,)


def test_imports_planned_on_an_empty_log_stay_on_the_indexes(any_database: TestDatabase) -> None:
    """A connection that imported into an empty log never scans the log as it grows, refusals included."""

    def send(part: ImportPart) -> Any:
        connection.execute(log.queries["import_part_clear"])
        with connection.cursor().copy(log.queries["import_part_copy"]) as copy:
            copy.write(part.rows)
        row = connection.execute(log.queries["import_part_store"], ("legacy", 1), prepare=True).fetchone()
        assert row is not None
        return row

    source = [prepare_part(each, 1, None) for each in parts(history(3000, aggregates=300), 500)]
    with psycopg.connect(any_database.runtime, autocommit=True) as connection:
        connection.execute(log.queries["import_part_create"])
        connection.execute(log.queries["import_begin"], ("legacy",))
        for number, part in enumerate(source, 1):
            assert send(part) == (number * 500, number * 500, None)
            assert send(part)[2]["verdict"] == "event_already_exists"
        connection.execute("SELECT pg_stat_force_next_flush()")
        connection.execute("SELECT 1")

        assert connection.execute(SCANS).fetchone() == (0,)


def test_reads_planned_on_an_empty_log_stay_on_the_indexes(any_database: TestDatabase) -> None:
    """A connection that read an empty log never scans the log as it grows, with and without a filter."""
    scan = {"aggregate_types": ["A%"], "event_types": None, "first": 3000, "positions": 1000, "end": None}
    scan |= {"events": 100, "bytes": 1 << 20}
    part = {"aggregate_types": ["A%"], "event_types": None, "first": 3000, "last": 3500}
    reads: list[tuple[LiteralString, Any]] = [
        (log.queries["read_all_forwards"], (3000, 100, 1 << 20)),
        (log.queries["read_all_backwards"], (3000, 100, 1 << 20)),
        (log.queries["scan_log_forwards"], scan),
        (log.queries["scan_log_backwards"], scan),
        (log.queries["position_at"], (1 << 40,)),
        (replay.queries["count_events"], part),
    ]
    fill = """
        INSERT INTO events (aggregate_id, aggregate_type, event_type, event_version, event_data, metadata,
                            occurred_at, global_position)
        SELECT gen_random_uuid(), 'Vocabulary', 'WordAdded', 1, '{}', '{}', now(), number
        FROM generate_series(1, 5000) AS number
    """
    with (
        psycopg.connect(any_database.runtime, autocommit=True) as connection,
        psycopg.connect(any_database.owner, autocommit=True) as owner,
    ):

        def read_all() -> None:
            for statement, arguments in reads:
                connection.execute(statement, arguments, prepare=True).fetchall()

        def scans() -> Any:
            connection.execute("SELECT pg_stat_force_next_flush()")
            connection.execute("SELECT 1")
            return connection.execute(SCANS).fetchone()

        owner.execute("ALTER TABLE events SET (autovacuum_enabled = off)")  # or it would have plans made anew
        for _ in range(10):
            read_all()
        owner.execute(fill)
        owner.execute("UPDATE log_head SET position = 5000")
        before = scans()
        for _ in range(10):
            read_all()

        assert scans() == before
