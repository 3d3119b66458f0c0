"""Create the imports."""

from event_store.migrations import run_sql

revision = "0002"
down_revision = "0001"
works_from = "0001"


def upgrade() -> None:
    run_sql("0002_create_imports.sql")
