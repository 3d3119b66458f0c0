"""A sample: applications of the library `eventsourcing` on this event store. See docs/eventsourcing.md."""
