"""Applications of the library `eventsourcing` on this event store: see docs/howto/eventsourcing.md."""
