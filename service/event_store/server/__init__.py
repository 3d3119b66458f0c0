"""Run the gRPC service: its lifecycle, its methods, its status, heartbeat and logs."""

from typing import Final

from event_store.database.queries import load_queries

queries: Final = load_queries("event_store.server")
