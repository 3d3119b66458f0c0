"""The schema of the event store: Alembic revisions that run the plain SQL of `sql/`."""
