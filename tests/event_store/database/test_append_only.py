"""The log can only grow, whoever asks."""

import psycopg
import pytest
from psycopg import errors

from tests.conftest import TestDatabase

CHANGES = ("UPDATE events SET event_type = 'x'", "DELETE FROM events", "TRUNCATE events")
INSERT = """
    INSERT INTO events (aggregate_id, aggregate_type, event_type, event_version, event_data, metadata,
                        occurred_at, global_position)
    VALUES (gen_random_uuid(), 'Vocabulary', 'WordAdded', 1, '{}', '{}', now(), 1)
"""


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("role", ["owner", "superuser"])
def test_an_event_cannot_be_changed_by_its_owner(any_database: TestDatabase, role: str, change: str) -> None:
    """The trigger refuses and says why, to the tables' owner and even as a replica."""
    with psycopg.connect(getattr(any_database, role), autocommit=True) as connection:
        connection.execute(INSERT)
        if role == "superuser":
            connection.execute("SET session_replication_role = replica")
        with pytest.raises(errors.InsufficientPrivilege, match="events is append-only"):
            connection.execute(change.encode())
        assert connection.execute("SELECT count(*) FROM events").fetchone() == (1,)


@pytest.mark.parametrize("change", CHANGES)
def test_the_runtime_has_no_right_to_change_an_event(any_database: TestDatabase, change: str) -> None:
    """The service's own role may insert and select, and nothing else."""
    with psycopg.connect(any_database.runtime, autocommit=True) as connection:
        connection.execute(INSERT)
        with pytest.raises(errors.InsufficientPrivilege, match="permission denied"):
            connection.execute(change.encode())


def test_the_runtime_cannot_change_the_schema(any_database: TestDatabase) -> None:
    """The service's own role may neither create nor drop nor switch triggers off."""
    for statement in (
        "CREATE TABLE mine (x int)",
        "DROP TABLE events",
        "ALTER TABLE events DISABLE TRIGGER append_only",
        "UPDATE alembic_version SET version_num = 'x'",
    ):
        with (
            psycopg.connect(any_database.runtime, autocommit=True) as connection,
            pytest.raises(errors.InsufficientPrivilege),
        ):
            connection.execute(statement.encode())
