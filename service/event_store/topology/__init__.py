"""The event bus as declared in `topology.yaml`: topics, subscriptions, dead letters and routes.

`Topology` is the content of the file, for `infra` and tests. `Routing` is the part for the service, with full
names; its container receives it as JSON. This package only reads the file and imports neither gRPC nor a
database driver, so that a Pulumi program can import it.
"""

from event_store.topology.routing import Ordering, Route, RoutedTopic, Routing
from event_store.topology.subscription import RetryPolicy, Subscription
from event_store.topology.topic import Topic
from event_store.topology.topology import Topology

__all__ = ["Ordering", "RetryPolicy", "Route", "RoutedTopic", "Routing", "Subscription", "Topic", "Topology"]
