"""Create the event log."""

from event_store.migrations import run_sql

revision = "0001"
down_revision = None
works_from = "0001"


def upgrade() -> None:
    run_sql("0001_create_event_log.sql")
