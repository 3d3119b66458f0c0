"""${message}."""

from event_store.migrations import run_sql

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
# The last revision of the oldest release that works with this one: the release before this one, at least.
works_from = ${repr(down_revision)}


def upgrade() -> None:
    run_sql("${up_revision}_${message.lower().replace(" ", "_")}.sql")
