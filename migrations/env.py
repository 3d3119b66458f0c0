"""Run the revisions on the connection of `event_store.database.schema`, or print them; Alembic's entry."""

from alembic import context

from event_store.migrations import record_works_from

if context.is_offline_mode():
    context.configure(dialect_name="postgresql")
else:
    context.configure(connection=context.config.attributes["connection"])
# One transaction for all revisions: a failure leaves the schema unchanged.
with context.begin_transaction():
    context.run_migrations()
    record_works_from(context.get_context(), context.script)
