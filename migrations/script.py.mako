"""${message}."""

from pathlib import Path

from alembic import op

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    op.execute((Path(__file__).parents[1] / "sql" / "${up_revision}_${message.lower().replace(" ", "_")}.sql").read_text())
