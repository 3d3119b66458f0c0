"""Define the schema of the event store by Alembic revisions, which run the plain SQL of `sql/`.

A revision declares `works_from`: the oldest revision whose release can still run on the new schema. The
schema records the latest `works_from` as a comment on Alembic's own table, where an older release reads it.
"""

from pathlib import Path
from typing import Any, Final

from alembic import op
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

VERSIONS: Final = "alembic_version"  # the name of Alembic's own table
_COMMENT: Final = "works with releases from revision "


def run_sql(name: str) -> None:
    """Run a file of `sql/`, or print it with `--sql`, unchanged: without escapes and parameters."""
    text = (Path(__file__).parent / "sql" / name).read_text()
    context = op.get_context()
    if context.as_sql:
        context.impl.static_output(text)
    else:
        # SQLAlchemy always passes parameters, and psycopg would take a `%s` of PL/pgSQL for one.
        driver: Any = op.get_bind().connection.driver_connection
        driver.execute(text)


def record_works_from(context: MigrationContext, scripts: ScriptDirectory) -> None:
    """Record in the schema, or print with `--sql`, which releases can run on it."""
    Operations(context).create_table_comment(VERSIONS, f"{_COMMENT}{oldest_release(scripts)} on")


def recorded_works_from(comment: str | None) -> str | None:
    """Parse the revision in a comment of `record_works_from`; None for any other comment."""
    if comment is None or not comment.startswith(_COMMENT):
        return None
    return comment.removeprefix(_COMMENT).removesuffix(" on")


def oldest_release(scripts: ScriptDirectory) -> str:
    """Return the oldest revision whose release supports every later revision.

    A revision without `works_from` supports the release of the revision before it.
    """
    newest_first = tuple(scripts.walk_revisions())
    works_from = {
        getattr(each.module, "works_from", None) or each.down_revision or each.revision
        for each in newest_first
    }
    return next(each.revision for each in newest_first if each.revision in works_from)
