"""What the tests of the command stand on: a real service on a database of the test's own."""

from tests.event_store.client.conftest import client, server, variables

__all__ = ["client", "server", "variables"]  # fixtures
