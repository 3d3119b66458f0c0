"""What the service's own role may do in the database: what it needs, on each table, and nothing else."""

from collections import defaultdict
from uuid import uuid4

import psycopg
import pytest
from psycopg import errors

from tests.conftest import TestDatabase

RIGHTS = {
    "alembic_version": {"SELECT"},
    "blocked_keys": {"SELECT", "INSERT", "UPDATE", "DELETE"},
    "events": {"SELECT", "INSERT"},
    "imports": {"SELECT", "INSERT", "UPDATE"},
    "log_head": {"SELECT", "UPDATE"},
    "parked_messages": {"SELECT", "INSERT", "UPDATE", "DELETE"},
    "relays": {"SELECT", "UPDATE"},
    "replays": {"SELECT", "INSERT", "UPDATE"},
    "snapshots": {"SELECT", "INSERT", "UPDATE"},
}
FUNCTIONS = {
    *("append_events", "judge_appends", "differing_field", "store_import_part", "read_page"),
    *("readable_json", "compact_json", "compact_number"),
}
# Rights of the owner's own role and of the superuser are left out.
GRANTED = """
    SELECT place, coalesce(nullif(grantee, 0)::regrole::text, 'PUBLIC'), privilege_type
    FROM (
        SELECT relname, relowner, relacl, relnamespace FROM pg_class
        UNION ALL SELECT relname || '.' || attname, relowner, attacl, relnamespace
        FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
    ) AS ours (place, owner, acl, namespace), aclexplode(acl)
    WHERE namespace = 'public'::regnamespace AND grantee <> owner
"""
CALLABLE = """
    SELECT proname, coalesce(nullif(grantee, 0)::regrole::text, 'PUBLIC')
    FROM pg_proc, aclexplode(coalesce(proacl, acldefault('f', proowner)))
    WHERE pronamespace = 'public'::regnamespace AND grantee <> proowner AND prorettype <> 'trigger'::regtype
"""
INSERT = """
    INSERT INTO events (aggregate_id, aggregate_type, event_type, event_version, event_data, metadata,
                        occurred_at, global_position)
    VALUES (%s, 'Vocabulary', 'WordAdded', %s, '{}', '{}', now(), %s)
"""


def test_the_runtime_has_the_rights_that_it_needs_and_no_other(any_database: TestDatabase) -> None:
    """On each table; nobody else has any, and a new table needs a line here."""
    found: dict[str, set[str]] = defaultdict(set)
    with psycopg.connect(any_database.superuser) as connection:
        tables = connection.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
        ).fetchall()
        for name, grantee, right in connection.execute(GRANTED):
            assert grantee == "event_store_runtime"
            found[name].add(right)

    assert found == RIGHTS
    assert {name for (name,) in tables} == set(RIGHTS)


def test_only_the_runtime_calls_the_functions_of_the_log(any_database: TestDatabase) -> None:
    """PostgreSQL gives each new function to everybody; ours are taken back."""
    with psycopg.connect(any_database.superuser) as connection:
        found = set(connection.execute(CALLABLE).fetchall())

    assert found == {(name, "event_store_runtime") for name in FUNCTIONS}


@pytest.mark.parametrize(
    ("version", "position"),
    [(2, 1), (1, 2), (0, 2), (2, 0)],
    ids=["position", "version", "version 0", "position 0"],
)
def test_an_event_has_a_place_of_its_own(any_database: TestDatabase, version: int, position: int) -> None:
    """No two have one global position, or one version of an aggregate, and both count from 1."""
    aggregate_id = str(uuid4())
    with psycopg.connect(any_database.runtime, autocommit=True) as connection:
        connection.execute(INSERT, (aggregate_id, 1, 1))
        with pytest.raises((errors.UniqueViolation, errors.CheckViolation)):
            connection.execute(INSERT, (aggregate_id, version, position))


@pytest.mark.parametrize("only_row", [True, False])
def test_the_log_has_one_head(any_database: TestDatabase, *, only_row: bool) -> None:
    """A second row would be a second lock, and positions would be given twice."""
    with (
        psycopg.connect(any_database.superuser, autocommit=True) as connection,
        pytest.raises((errors.UniqueViolation, errors.CheckViolation)),
    ):
        connection.execute("INSERT INTO log_head (only_row, position) VALUES (%s, 0)", (only_row,))
