"""Create the event log."""

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.execute((Path(__file__).parents[1] / "sql" / "0001_create_event_log.sql").read_text())
