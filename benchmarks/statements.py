"""The SQL of the works, by name."""

from event_store.database.queries import load_queries

statements = load_queries("benchmarks", "statements.sql")
