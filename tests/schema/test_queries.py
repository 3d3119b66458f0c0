"""Every statement of the service fits the schema, and its plan stays on the indexes."""

import re

import psycopg
import pytest
from psycopg.pq import ExecStatus
from psycopg.types.json import Jsonb

from event_store.batch import encode
from event_store.database import queries
from event_store.validation import PreparedRequest, prepare_request
from tests.conftest import TestDatabase
from tests.store.requests import EXISTS, NO_STREAM, append, request

SCANS = "SELECT seq_scan FROM pg_stat_user_tables WHERE relname = 'events'"


@pytest.mark.parametrize("name", queries)
def test_every_query_fits_the_schema(any_database: TestDatabase, name: str) -> None:
    """PostgreSQL parses each named query against the migrated schema, as the service's own role."""
    numbers: dict[str, int] = {}

    def number(match: re.Match[str]) -> str:
        return f"${numbers.setdefault(match[1] or str(len(numbers)), len(numbers) + 1)}"

    numbered = re.sub(r"%(?:\((\w+)\))?[sbt]", number, queries[name])
    with psycopg.connect(any_database.runtime) as connection:
        result = connection.pgconn.prepare(b"checked", numbered.encode())
        assert result.status == ExecStatus.COMMAND_OK, result.error_message


def test_appends_planned_on_an_empty_log_stay_on_the_indexes(any_database: TestDatabase) -> None:
    """A connection that appended to an empty log never scans the log as it grows, refusals included."""

    def send(*prepared: PreparedRequest) -> None:
        batch = Jsonb(encode(prepared), dumps=lambda text: text)
        connection.execute(queries["append_events"], (batch,), prepare=True)

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
