"""Run replays: jobs that publish a part of the log again, each with a lease of its own."""

from typing import Final

from event_store.database.queries import load_queries

queries: Final = load_queries("event_store.replay")
