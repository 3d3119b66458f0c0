"""Check that a replay may publish to a topic: only to one without routes that does not block."""

from event_store.errors import ConfigurationError, InvalidArgumentError
from event_store.topology import RoutedTopic, Routing


def topic_path(name: str, routing: Routing | None) -> str:
    """Return the full name of a topic, if a replay may publish to it.

    Raises:
        ConfigurationError: The service has no routing.
        InvalidArgumentError: The topology has no such topic, or the topic blocks or has a route.
    """
    if routing is None:
        raise ConfigurationError(
            "the service has no routing, so a replay has no topic to publish to: set EVENT_STORE_ROUTING"
        )
    topic = routing.topics.get(name)
    if topic is None or fault_of(topic.path, routing):
        allowed = [each.name for each in routing.topics.values() if not fault_of(each.path, routing)]
        why = "is not in the topology"
        if topic is not None:
            why = "has a route" if _is_routed(topic, routing) else "is `unpublishable: block`"
        raise InvalidArgumentError.of(
            "topic",
            f"{name!r} {why}: use a topic without routes ({', '.join(allowed) or 'the topology has none'}), "
            "or add one under `topics` of topology.yaml and deploy it",
        )
    return topic.path


def fault_of(path: str, routing: Routing) -> str:
    """Return the reason why a replay may not publish to a topic; empty if it may."""
    topic = next((topic for topic in routing.topics.values() if topic.path == path), None)
    if topic is None:
        return f"topic {path} is no longer in the topology: add it again, or cancel the replay"
    if topic.unpublishable == "block":
        return (
            f"topic {path} is `unpublishable: block`, which replays do not support: change it to `park`, "
            "or cancel the replay"
        )
    if _is_routed(topic, routing):
        return (
            f"a route leads to topic {path}, whose subscribers would receive old events between new ones: "
            "remove the route, or cancel the replay"
        )
    return ""


def _is_routed(topic: RoutedTopic, routing: Routing) -> bool:
    return any(topic.name in route.topics for route in routing.routes)
