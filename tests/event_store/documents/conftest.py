"""What the examples of the documents run on: a service, and a running Pub/Sub with a projection."""

from tests.event_store.client.conftest import client, server, variables
from tests.event_store.consumer.conftest import bus, words

__all__ = ["bus", "client", "server", "variables", "words"]  # fixtures
