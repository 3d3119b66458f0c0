"""Migrating is safe: twice, from two places at once, and when it fails."""

import re
import shutil
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from alembic.script import ScriptDirectory

from event_store import migrations
from event_store.database.schema import check_revision, offline_sql, required_revision, upgrade
from event_store.errors import ConfigurationError, EventStoreError, SchemaError
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
    UNION ALL SELECT obj_description('alembic_version'::regclass, 'pg_class')
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


def test_a_later_schema_that_works_with_this_release_is_left_alone(any_database: TestDatabase) -> None:
    """So a rollback deploys the release before: its migration succeeds, says why, and changes nothing."""
    lines: list[str] = []
    with psycopg.connect(any_database.owner) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        before = connection.execute(DESCRIPTION).fetchall()

    upgrade(connecting(any_database), report=lines.append)

    with psycopg.connect(any_database.owner) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [("9999",)]
        assert connection.execute(DESCRIPTION).fetchall() == before
    assert lines[-1] == "schema is at revision 9999 of a later release and supports this one, nothing to do"


@pytest.mark.parametrize("comment", ["'works with releases from revision 9998 on'", "'words'", "NULL"])
def test_a_later_schema_that_does_not_work_with_this_release_is_refused(
    any_database: TestDatabase, comment: str
) -> None:
    """A schema that names a later release, or none, is migrated and served by later releases only."""
    with psycopg.connect(any_database.owner) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.execute(f"COMMENT ON TABLE alembic_version IS {comment}".encode())
        said = connection.execute(
            "SELECT obj_description('alembic_version'::regclass, 'pg_class')"
        ).fetchone()

    refused = r"newer than this release: its revision 9999 supports releases from revision 999[89] on"
    with pytest.raises(SchemaError, match=refused):
        upgrade(connecting(any_database), report=lambda _line: None)
    assert said is not None
    with pytest.raises(SchemaError, match=refused):
        check_revision("9999", said[0])


def test_a_schema_works_with_the_release_before_it(any_database: TestDatabase) -> None:
    """Each revision declares the oldest release that it works with; the schema keeps the latest of these."""
    scripts = ScriptDirectory(str(Path(migrations.__file__).parent))
    oldest_first = [script.revision for script in scripts.walk_revisions()][::-1]
    declared = [scripts.get_revision(each).module.works_from for each in oldest_first]
    with psycopg.connect(any_database.owner) as connection:
        said = connection.execute(
            "SELECT obj_description('alembic_version'::regclass, 'pg_class')"
        ).fetchone()

    assert all(
        oldest_first.index(works_from) <= max(number - 1, 0) for number, works_from in enumerate(declared)
    )
    assert said == (f"works with releases from revision {max(declared, key=oldest_first.index)} on",)


def test_a_revision_that_declares_nothing_works_with_the_one_before_it(tmp_path: Path) -> None:
    """What nobody has thought about counts as little as the rule promises: one step back."""
    home = Path(shutil.copytree(Path(migrations.__file__).parent, tmp_path / "migrations"))
    for path in (home / "versions").glob("*.py"):
        path.write_text(re.sub("^works_from.*", "", path.read_text(), flags=re.MULTILINE))
    scripts = ScriptDirectory(str(home))

    head = scripts.get_revision("head")
    assert migrations.oldest_release(scripts) == head.down_revision


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE events DISABLE TRIGGER append_only",
        "ALTER TABLE events ENABLE TRIGGER append_only",  # not in a session that replicates
        "DROP TRIGGER append_only ON events",
    ],
)
def test_a_log_that_can_be_changed_is_noticed(any_database: TestDatabase, statement: str) -> None:
    """The owner can switch the trigger off; the next migration fails until it is on again."""
    with psycopg.connect(any_database.owner) as connection:
        connection.execute(statement.encode())

    with pytest.raises(SchemaError, match="ENABLE ALWAYS TRIGGER append_only"):
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
    with pytest.raises(ConfigurationError, match="grant the missing right"):
        upgrade(lambda: psycopg.connect(blank_database.runtime), report=lambda _line: None)


def test_the_printed_sql_makes_the_same_schema(database: TestDatabase, blank_database: TestDatabase) -> None:
    """`migrate --sql` is complete: run by hand it gives the schema that `migrate` gives."""
    with psycopg.connect(blank_database.owner, autocommit=True) as connection:
        connection.execute(offline_sql().encode())
        printed = connection.execute(DESCRIPTION).fetchall()
    with psycopg.connect(database.owner) as connection:
        assert connection.execute(DESCRIPTION).fetchall() == printed


@pytest.mark.parametrize(("revision", "fits"), [(required_revision(), True), ("9999", False)])
def test_a_release_serves_its_own_and_later_schemas(revision: str, *, fits: bool) -> None:
    """An unknown revision is a later one."""
    assert check_revision(revision, "works with releases from revision 0001 on") is fits


def test_a_release_does_not_serve_an_older_schema() -> None:
    """Whatever an older schema says of itself, the message says what to run."""
    with pytest.raises(SchemaError, match=r"at revision 0001, .* `event-store migrate`"):
        check_revision("0001", "works with releases from revision 0001 on")


def test_a_release_does_not_serve_without_a_schema() -> None:
    """No revision is an older one: the message says what to run."""
    with pytest.raises(SchemaError, match="event-store migrate"):
        check_revision(None, None)


def test_each_revision_is_named_like_its_sql() -> None:
    """`NNNN_verb_object.py` runs `NNNN_verb_object.sql`, numbered without gaps."""
    home = Path(migrations.__file__).parent
    revisions = sorted(path.stem for path in (home / "versions").glob("*.py"))

    assert revisions == sorted(path.stem for path in (home / "sql").glob("*.sql"))
    for number, name in enumerate(revisions, 1):
        assert re.fullmatch(rf"{number:04}(_[a-z]+)+", name)
        assert f'"{name}.sql"' in (home / "versions" / f"{name}.py").read_text()
