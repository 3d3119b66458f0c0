"""Tell a repeated event by its id and what it says, and name the field in which another one differs."""

from event_store.migrations import run_sql

revision = "0005"
down_revision = "0004"
works_from = "0004"


def upgrade() -> None:
    run_sql("0005_compare_content.sql")
