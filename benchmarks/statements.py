"""The SQL of the works, by name."""

from event_store.named_queries import load_queries

statements = load_queries("benchmarks", "statements.sql")
