"""Append without a hint while the queue of notifications fills up."""

from event_store.migrations import run_sql

revision = "0007"
down_revision = "0006"
works_from = "0004"


def upgrade() -> None:
    run_sql("0007_guard_hints.sql")
