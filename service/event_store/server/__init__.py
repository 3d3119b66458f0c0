"""The service: its life, its methods, and what it tells of itself."""

from typing import Final

from event_store.database.queries import load_queries

queries: Final = load_queries("event_store.server")
