"""Create the replays."""

from event_store.migrations import run_sql

revision = "0003"
down_revision = "0002"
works_from = "0002"


def upgrade() -> None:
    run_sql("0003_create_replays.sql")
