"""Create the blocked keys, and keep how far each topic is."""

from event_store.migrations import run_sql

revision = "0004"
down_revision = "0003"
works_from = "0003"


def upgrade() -> None:
    run_sql("0004_create_blocked_keys.sql")
