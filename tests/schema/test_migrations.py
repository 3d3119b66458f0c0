"""Migrating is safe: twice, from two places at once, and when it fails."""

import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

import migrations
from event_store.errors import ConfigurationError, EventStoreError, SchemaError
from event_store.migrate import check_revision, offline_sql, required_revision, upgrade
from tests.conftest import TestDatabase

ADR_EVENTS = [
    ("event_id", "uuid"),
    ("aggregate_id", "uuid"),
    ("aggregate_type", "character varying(100)"),
    ("event_type", "character varying(100)"),
    ("event_version", "integer"),
    ("event_data", "jsonb"),
    ("metadata", "jsonb"),
    ("occurred_at", "timestamp with time zone"),
    ("created_at", "timestamp with time zone"),
]
COLUMNS = """
    SELECT attname::text, format_type(atttypid, atttypmod) FROM pg_attribute
    WHERE attrelid = %s::regclass AND attnum > 0 AND attnotnull ORDER BY attnum
"""

DESCRIPTION = """
    WITH ours AS (SELECT oid, relname FROM pg_class WHERE relnamespace = 'public'::regnamespace)
    SELECT format('%s.%s %s', relname, attname, format_type(atttypid, atttypmod))
    FROM ours JOIN pg_attribute ON attrelid = ours.oid AND attnum > 0
    UNION ALL SELECT format('%s %s', proname, prosrc) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    UNION ALL SELECT format('%s %s %s', tgname, tgenabled, tgtype) FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL SELECT format('%s %s %s', table_name, grantee, privilege_type)
    FROM information_schema.table_privileges WHERE table_schema = 'public'
    ORDER BY 1
"""


def connecting(database: TestDatabase) -> Callable[[], psycopg.Connection]:
    return lambda: psycopg.connect(database.owner)


def test_the_schema_is_that_of_the_adr(blank_database: TestDatabase) -> None:
    """Every table, column and named index of ADR 3 is there, and the global position beside them."""
    upgrade(connecting(blank_database), report=lambda _line: None)

    with psycopg.connect(blank_database.owner) as connection:
        events = connection.execute(COLUMNS, ("events",)).fetchall()
        snapshots = connection.execute(COLUMNS, ("snapshots",)).fetchall()
        indexes = connection.execute(
            "SELECT indexname::text FROM pg_indexes WHERE tablename = 'events'"
        ).fetchall()
    assert events == [*ADR_EVENTS, ("global_position", "bigint")]
    assert [name for name, _ in snapshots] == [
        "aggregate_id", "aggregate_type", "snapshot_data", "event_version", "created_at",
    ]  # fmt: skip
    assert {"idx_events_aggregate", "idx_events_occurred_at", "idx_events_type"} <= {
        name for (name,) in indexes
    }


def test_migrating_again_changes_nothing(blank_database: TestDatabase) -> None:
    """The second run finds nothing to do and says so."""
    lines: list[str] = []
    upgrade(connecting(blank_database), report=lines.append)
    first = list(lines)
    upgrade(connecting(blank_database), report=lines.append)

    assert any("0001" in line for line in first)
    assert lines[-1] == f"schema is at revision {required_revision()}, nothing to do"


def test_migrating_from_several_places_at_once_is_safe(blank_database: TestDatabase) -> None:
    """Of five that begin together one migrates, and all end well."""
    together = threading.Barrier(5)

    def migrate() -> str:
        lines: list[str] = []
        together.wait(timeout=30)
        upgrade(connecting(blank_database), report=lines.append)
        return lines[-1]

    with ThreadPoolExecutor(5) as places:
        ends = [future.result(timeout=60) for future in [places.submit(migrate) for _ in range(5)]]

    assert sum("nothing to do" in end for end in ends) == 4


def test_a_newer_schema_is_left_alone(any_database: TestDatabase) -> None:
    """A release that does not know the schema's revision refuses, and says which release to take."""
    with psycopg.connect(any_database.owner) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")

    with pytest.raises(SchemaError, match="9999, which this release does not know"):
        upgrade(connecting(any_database), report=lambda _line: None)


def test_a_failed_migration_leaves_nothing_behind(blank_database: TestDatabase) -> None:
    """With a table of somebody else in the way the schema stays as it was."""
    with psycopg.connect(blank_database.owner) as connection:
        connection.execute("CREATE TABLE parked_messages (mine int)")

    with pytest.raises(EventStoreError, match="parked_messages"):
        upgrade(connecting(blank_database), report=lambda _line: None)

    with psycopg.connect(blank_database.owner) as connection:
        assert connection.execute(
            "SELECT to_regclass('events'), to_regclass('alembic_version')"
        ).fetchone() == (
            None,
            None,
        )


def test_missing_rights_are_told(blank_database: TestDatabase) -> None:
    """A login that may not create tables gets a sentence."""
    with pytest.raises(ConfigurationError, match="lacks a right"):
        upgrade(lambda: psycopg.connect(blank_database.runtime), report=lambda _line: None)


def test_the_printed_sql_makes_the_same_schema(database: TestDatabase, blank_database: TestDatabase) -> None:
    """`migrate --sql` is complete: run by hand it gives the schema that `migrate` gives."""
    with psycopg.connect(blank_database.owner, autocommit=True) as connection:
        connection.execute(offline_sql().encode())
        printed = connection.execute(DESCRIPTION).fetchall()
    with psycopg.connect(database.owner) as connection:
        assert connection.execute(DESCRIPTION).fetchall() == printed


@pytest.mark.parametrize(("revision", "fits"), [(required_revision(), True), ("9999", False)])
def test_a_release_serves_its_own_and_newer_schemas(revision: str, *, fits: bool) -> None:
    """An unknown revision is a newer one."""
    assert check_revision(revision) is fits


def test_a_release_does_not_serve_without_a_schema() -> None:
    """No revision is an older one: the message says what to run."""
    with pytest.raises(SchemaError, match="event-store migrate"):
        check_revision(None)


def test_each_revision_is_named_like_its_sql() -> None:
    """`NNNN_verb_object.py` runs `NNNN_verb_object.sql`, numbered without gaps."""
    home = Path(migrations.__file__).parent
    revisions = sorted(path.stem for path in (home / "versions").glob("*.py"))

    assert revisions == sorted(path.stem for path in (home / "sql").glob("*.sql"))
    for number, name in enumerate(revisions, 1):
        assert re.fullmatch(rf"{number:04}(_[a-z]+)+", name)
        assert f'"{name}.sql"' in (home / "versions" / f"{name}.py").read_text()
