"""Bring the database's schema up to this release.

Invariants: one transaction holds an advisory lock and every revision, so the schema is at the old revision or
at the new one, whoever else migrates at the same time and whatever breaks; running it again changes nothing.
"""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psycopg
import sqlalchemy
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

import migrations
from event_store.database_errors import domain_errors
from event_store.errors import SchemaError

_LOCK: Final = 7364_2203_8871_0003  # any number that nobody else takes an advisory lock on
_TAKE_LOCK: Final = sqlalchemy.text("SELECT pg_advisory_xact_lock(:lock)")


def upgrade(connect: Callable[[], psycopg.Connection], report: Callable[[str], None]) -> None:
    """Migrate the database to this release's schema; twice and from two places at once is safe.

    Args:
        connect: Opens a connection as the owner of the tables.
        report: Takes a line for a person about each step.

    Raises:
        SchemaError: The schema is newer than this release.
        UnavailableError: The database is away.
        ConfigurationError: The database refuses: its disk is full, or rights are missing.
    """
    config = _config()
    engine = sqlalchemy.create_engine("postgresql+psycopg://", creator=connect, poolclass=sqlalchemy.NullPool)
    with domain_errors(), _driver_errors(), engine.begin() as connection:
        report("waiting for other migrations to end")
        connection.execute(_TAKE_LOCK, {"lock": _LOCK})
        before = _current_revision(connection)
        _refuse_newer(config, before)
        config.attributes["connection"] = connection
        for revision in _revisions_after(config, before):
            report(f"migrating to {revision}")
        command.upgrade(config, "head")
        after = _current_revision(connection)
    report(f"schema is at revision {after}" + (", nothing to do" if before == after else ""))


def offline_sql() -> str:
    """Return the SQL that migrates an empty database, for review."""
    output = io.StringIO()
    command.upgrade(_config(output), "head", sql=True)
    return output.getvalue()


def required_revision() -> str:
    """Return the revision of the schema that this release was made for."""
    return ScriptDirectory.from_config(_config()).get_current_head() or ""


def check_revision(actual: str | None) -> bool:
    """Tell whether a schema is this release's own; a newer one serves as well, during a rollout.

    Raises:
        SchemaError: The schema is older than this release, or there is none.
    """
    required = required_revision()
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    if actual is None or (actual in known and actual != required):
        raise SchemaError(
            f"the database's schema is at revision {actual or 'none'}, this release needs {required}: "
            "run `event-store migrate` first"
        )
    return actual == required


@contextmanager
def _driver_errors() -> Iterator[None]:
    """Raise psycopg's error for each that SQLAlchemy put into one of its own."""
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


def _refuse_newer(config: Config, revision: str | None) -> None:
    known = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]
    if revision is not None and revision not in known:
        raise SchemaError(
            f"the database's schema is at revision {revision}, which this release does not know "
            f"(it knows up to {known[0]}): migrate with the release that made it, or a newer one"
        )


def _revisions_after(config: Config, revision: str | None) -> list[str]:
    scripts = ScriptDirectory.from_config(config).iterate_revisions("head", revision or "base")
    return [f"{script.revision} ({script.doc})" for script in reversed(list(scripts))]
