"""Read pages that are bounded by what they hold in memory."""

from event_store.migrations import run_sql

revision = "0006"
down_revision = "0005"
works_from = "0004"


def upgrade() -> None:
    run_sql("0006_read_pages.sql")
