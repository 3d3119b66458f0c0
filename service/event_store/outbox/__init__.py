"""Publish the log to Pub/Sub: one relay with a lease publishes each event at least once, in order per key."""

from typing import Final

from event_store.database.queries import load_queries

queries: Final = load_queries("event_store.outbox")
