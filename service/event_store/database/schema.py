"""Upgrade the database schema to this release.

Invariants: one transaction holds an advisory lock and applies every revision, so the schema is at the old
revision or at the new one, despite failures and concurrent migrations. Running it again changes nothing. The
schema of a later release is never changed; it records the earlier releases that it supports.
"""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import psycopg
import sqlalchemy
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from event_store import migrations
from event_store.database.errors import domain_errors
from event_store.database.queries import load_queries
from event_store.errors import SchemaError

queries: Final = load_queries("event_store.database")

NOT_APPEND_ONLY: Final = (
    "the trigger that keeps the log append-only is disabled, so events can be changed and deleted: "
    "as the owner of the tables run ALTER TABLE events ENABLE ALWAYS TRIGGER append_only"
)
_LOCK: Final = 7364_2203_8871_0003  # any number that no other program uses for an advisory lock
_TAKE_LOCK: Final = sqlalchemy.text("SELECT pg_advisory_xact_lock(:lock)")


def upgrade(connect: Callable[[], psycopg.Connection], report: Callable[[str], None]) -> None:
    """Upgrade the schema to this release; safe to repeat and to run concurrently.

    Args:
        connect: Opens a connection as the owner of the tables.
        report: Receives a line for a person about each step.

    Raises:
        SchemaError: The schema of a later release does not support this one, or the trigger that keeps the
            log append-only is disabled.
        UnavailableError: The database is unreachable.
        ConfigurationError: The disk is full, or rights are missing.
    """
    config = _config()
    engine = sqlalchemy.create_engine("postgresql+psycopg://", creator=connect, poolclass=sqlalchemy.NullPool)
    with domain_errors(), _driver_errors(), engine.begin() as connection:
        report("waiting for other migrations to end")
        connection.execute(_TAKE_LOCK, {"lock": _LOCK})
        before = _current_revision(connection)
        if not _is_known(before, _comment(connection)):
            report(f"schema is at revision {before} of a later release and supports this one, nothing to do")
            return
        config.attributes["connection"] = connection
        for revision in _revisions_after(config, before):
            report(f"migrating to {revision}")
        command.upgrade(config, "head")
        after = _current_revision(connection)
        _check_append_only(connection)
    report(f"schema is at revision {after}" + (", nothing to do" if before == after else ""))


def offline_sql() -> str:
    """Return the SQL that migrates an empty database, for review."""
    output = io.StringIO()
    command.upgrade(_config(output), "head", sql=True)
    return output.getvalue()


def required_revision() -> str:
    """Return the schema revision of this release."""
    return ScriptDirectory.from_config(_config()).get_current_head() or ""


def check_revision(actual: str | None, comment: str | None) -> bool:
    """Check that a schema supports this release; return whether it is this release's own.

    Args:
        actual: The schema's revision; None without a schema.
        comment: The schema's record of the releases that it supports; None without one.

    Raises:
        SchemaError: There is no schema, it is older than this release, or it is newer and does not support
            this release.
    """
    required = required_revision()
    if actual is None or (actual != required and _is_known(actual, comment)):
        raise SchemaError(
            f"the database schema is at revision {actual or 'none'}, this release requires {required}: "
            "run `event-store migrate` first"
        )
    return actual == required


def _is_known(actual: str | None, comment: str | None) -> bool:
    """Return whether a schema is this release's or an earlier one's, and not a later one's.

    Raises:
        SchemaError: The schema is a later release's and does not support this one.
    """
    known = [script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()]
    if actual is None or actual in known:
        return True
    works_from = migrations.recorded_works_from(comment)
    if works_from not in known:
        raise SchemaError(
            f"the database schema is newer than this release: its revision {actual} supports releases from "
            f"revision {works_from or actual} on, and this release is at {known[0]}: deploy a later release"
        )
    return False


@contextmanager
def _driver_errors() -> Iterator[None]:
    """Raise psycopg's own error instead of SQLAlchemy's wrapper."""
    try:
        yield
    except sqlalchemy.exc.DBAPIError as error:
        raise (error.orig or error) from None


def _config(output: io.StringIO | None = None) -> Config:
    config = Config(output_buffer=output) if output is not None else Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.set_main_option("path_separator", "os")
    return config


def _current_revision(connection: sqlalchemy.Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _comment(connection: sqlalchemy.Connection) -> str | None:
    inspector = sqlalchemy.inspect(connection)
    if not inspector.has_table(migrations.VERSIONS):
        return None
    return inspector.get_table_comment(migrations.VERSIONS)["text"]


def _check_append_only(connection: sqlalchemy.Connection) -> None:
    driver: Any = connection.connection.driver_connection
    if driver.execute(queries["log_is_append_only"]).fetchone() != (True,):
        raise SchemaError(NOT_APPEND_ONLY)


def _revisions_after(config: Config, revision: str | None) -> list[str]:
    scripts = ScriptDirectory.from_config(config).iterate_revisions("head", revision or "base")
    return [f"{script.revision} ({script.doc})" for script in reversed(list(scripts))]
