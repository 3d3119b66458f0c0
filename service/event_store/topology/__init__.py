"""The event bus as declared in `topology.yaml`: topics, subscriptions, dead letters and routes.

`Topology` is the file, read by `infra` and by tests. `Routing` is the part that the service needs, with full
names, handed to its container as JSON. Nothing here does I/O but the reading of the file, and nothing here
imports gRPC or a database, so that a Pulumi program may import it.
"""

from event_store.topology.model import Topology
from event_store.topology.routing import Ordering, Route, RoutedTopic, Routing
from event_store.topology.subscription import RetryPolicy, Subscription
from event_store.topology.topic import Topic

__all__ = ["Ordering", "RetryPolicy", "Route", "RoutedTopic", "Routing", "Subscription", "Topic", "Topology"]
