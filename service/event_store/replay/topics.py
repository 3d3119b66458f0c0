"""Which topics a replay may publish to: those without subscribers of new events."""

from event_store.errors import ConfigurationError, InvalidArgumentError
from event_store.topology import RoutedTopic, Routing


def topic_path(name: str, routing: Routing | None) -> str:
    """Return the full name of a topic that a replay may publish to.

    Raises:
        ConfigurationError: There is no bus.
        InvalidArgumentError: It is no topic of the topology, or a route leads to it.
    """
    if routing is None:
        raise ConfigurationError(
            "the service has no bus, and nothing to replay to: give it a routing (EVENT_STORE_ROUTING)"
        )
    topic = routing.topics.get(name)
    if topic is None or fault_of(topic.path, routing):
        allowed = [each.name for each in routing.topics.values() if not fault_of(each.path, routing)]
        why = "is no topic of the topology"
        if topic is not None:
            why = (
                "has subscribers of new events" if _is_routed(topic, routing) else "is `unpublishable: block`"
            )
        raise InvalidArgumentError.of(
            "topic",
            f"{name!r} {why}: name one that no route leads to ({', '.join(allowed) or 'there is none'}), "
            "or add such a topic under `topics` of topology.yaml and deploy it",
        )
    return topic.path


def fault_of(path: str, routing: Routing) -> str:
    """Return why a replay may not publish to a topic now; empty if it may."""
    topic = next((topic for topic in routing.topics.values() if topic.path == path), None)
    if topic is None:
        return f"the topology has no topic {path} any more: add it again, or cancel the replay"
    if topic.unpublishable == "block":
        return (
            f"{path} is declared `unpublishable: block`, which a replay does not keep: declare it `park`, "
            "or cancel the replay"
        )
    if _is_routed(topic, routing):
        return (
            f"a route leads to {path}, whose subscribers would get old events among new ones: "
            "remove the route, or cancel the replay"
        )
    return ""


def _is_routed(topic: RoutedTopic, routing: Routing) -> bool:
    return any(topic.name in route.topics for route in routing.routes)
