import re

import psycopg
import pytest

from tests.system.stack.conftest import RunningStack


def test_up_shows_events_on_their_way_through_the_bus(stack: RunningStack) -> None:
    """`up` ends with events received from the subscription, with the attributes that consumers route by."""
    received = re.findall(r"event_type=\w+", stack.first_output)

    assert "vocabulary-projection" in stack.first_output
    assert received
    assert len(re.findall(r"aggregate_id=[0-9a-f-]{36}", stack.first_output)) == len(received)


def test_up_again_changes_nothing(stack: RunningStack) -> None:
    """A second `up` finds nothing to do, appends nothing to a log that has events, and says so."""
    with psycopg.connect(stack.status["postgres"]) as connection:
        before = connection.execute("SELECT count(*), max(global_position) FROM events").fetchone()
    again = stack.run("up")
    with psycopg.connect(stack.status["postgres"]) as connection:
        after = connection.execute("SELECT count(*), max(global_position) FROM events").fetchone()

    assert again.returncode == 0, again.stdout + again.stderr
    assert re.search(r"Resources:\n +\d+ unchanged\n", again.stdout)
    assert after == before
    assert "so none is added: `make up ARGS=--demo` adds some" in again.stdout


def test_status_names_every_endpoint(stack: RunningStack) -> None:
    """`status` is JSON that scripts can take every address from."""
    status = stack.status

    assert re.fullmatch(r"127\.0\.0\.1:\d+", status["service"])
    assert re.fullmatch(r"127\.0\.0\.1:\d+", status["pubsub_emulator_host"])
    assert "vocabulary-events" in str(status["topics"])
    assert "vocabulary-projection" in str(status["subscriptions"])
    with psycopg.connect(status["postgres"]) as connection:
        assert connection.execute("SELECT count(*) FROM events").fetchone() is not None


def test_the_database_has_the_tables_of_the_decision(stack: RunningStack) -> None:
    """The tables and indexes bear the names that the decision record gives them."""
    with psycopg.connect(stack.status["postgres"]) as connection:
        columns = connection.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_name = 'events'"
        ).fetchall()
        indexes = connection.execute("SELECT indexname FROM pg_indexes WHERE tablename = 'events'").fetchall()

    assert {name for (name,) in columns} == {
        "event_id", "aggregate_id", "aggregate_type", "event_type", "event_version", "event_data", "metadata",
        "occurred_at", "created_at", "global_position",
    }  # fmt: skip
    assert {"idx_events_aggregate", "idx_events_occurred_at", "idx_events_type"} <= {
        name for (name,) in indexes
    }


@pytest.mark.parametrize(
    "statement", ["UPDATE events SET event_type = 'x'", "DELETE FROM events", "TRUNCATE events"]
)
def test_not_even_the_owner_changes_the_log(stack: RunningStack, statement: str) -> None:
    """The database that was deployed is append-only for its owner."""
    with (
        psycopg.connect(stack.status["postgres"]) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"),
    ):
        connection.execute(statement)
