"""What the tests of publishing stand on: a running Pub/Sub, and a gate before it."""

from tests.event_store.outbox.conftest import bus, gate

__all__ = ["bus", "gate"]  # fixtures
