"""The schema of the event store: Alembic revisions that run the plain SQL of `sql/`.

A revision declares `works_from`: the oldest revision whose release may still run on the schema that it makes.
The schema keeps the latest of these, as a comment on Alembic's own table, where an older release reads it.
"""

from pathlib import Path
from typing import Any, Final

from alembic import op
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

VERSIONS: Final = "alembic_version"  # Alembic's own name of its table
_COMMENT: Final = "works with releases from revision "


def run_sql(name: str) -> None:
    """Run, or with `--sql` print, a file of `sql/` just as it stands: no escapes, no parameters."""
    text = (Path(__file__).parent / "sql" / name).read_text()
    context = op.get_context()
    if context.as_sql:
        context.impl.static_output(text)
    else:
        # SQLAlchemy always passes parameters, and psycopg would then take a `%s` of PL/pgSQL for one of them.
        driver: Any = op.get_bind().connection.driver_connection
        driver.execute(text)


def record_works_from(context: MigrationContext, scripts: ScriptDirectory) -> None:
    """Write into the schema, or with `--sql` print, which releases may run on it."""
    Operations(context).create_table_comment(VERSIONS, f"{_COMMENT}{oldest_release(scripts)} on")


def recorded_works_from(comment: str | None) -> str | None:
    """Return the revision that a comment of `record_works_from` names; None for any other comment."""
    if comment is None or not comment.startswith(_COMMENT):
        return None
    return comment.removeprefix(_COMMENT).removesuffix(" on")


def oldest_release(scripts: ScriptDirectory) -> str:
    """Return the oldest revision whose release works with every revision.

    A revision that declares nothing works with the one before it.
    """
    newest_first = tuple(scripts.walk_revisions())
    works_from = {
        getattr(each.module, "works_from", None) or each.down_revision or each.revision
        for each in newest_first
    }
    return next(each.revision for each in newest_first if each.revision in works_from)
