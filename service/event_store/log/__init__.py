"""The log in PostgreSQL: appended by one writer, read in pages, followed live."""

from typing import Final

from event_store.database.queries import load_queries

queries: Final = load_queries("event_store.log")
