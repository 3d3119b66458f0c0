"""The schema of the event store: Alembic revisions that run the plain SQL of `sql/`."""

from pathlib import Path
from typing import Any

from alembic import op


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
