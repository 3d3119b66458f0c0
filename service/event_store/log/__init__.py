"""Append to the log in PostgreSQL by one writer, read it in pages, and follow it live."""

from typing import Final

from event_store.database.queries import load_queries

queries: Final = load_queries("event_store.log")
