"""A topic, as `topology.yaml` declares it."""

from dataclasses import dataclass, field
from typing import Final

from event_store.topology.document import Value
from event_store.topology.routing import PARTITIONS, UNPUBLISHABLE, Ordering

# Google's limits: https://cloud.google.com/pubsub/docs/reference/rest/v1/projects.topics
NAME_CHARACTERS: Final = 255
RETENTION_SECONDS: Final = (600, 2_678_400)


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic of the bus.

    Attributes:
        name: 3 to 255 characters.
        message_retention_seconds: How far back a subscription may seek, 600 to 2,678,400 (31 days).
        ordering: How it keeps order.
        unpublishable: `park` or `block`, see `RoutedTopic`; `block` needs an order.
    """

    name: str
    message_retention_seconds: int = 604_800
    ordering: Ordering = field(default_factory=Ordering)
    unpublishable: str = "park"

    @classmethod
    def read(cls, value: Value) -> "Topic":
        """Read an entry of `topics`.

        Raises:
            TopologyError: It is wrong.
        """
        keys = value.mapping(("name",), ("messageRetentionDuration", "ordering", "unpublishable"))
        topic = cls(keys["name"].resource_name(NAME_CHARACTERS))
        ordering = _ordering(keys["ordering"]) if "ordering" in keys else topic.ordering
        return cls(
            name=topic.name,
            message_retention_seconds=(
                keys["messageRetentionDuration"].duration_seconds(*RETENTION_SECONDS)
                if "messageRetentionDuration" in keys
                else topic.message_retention_seconds
            ),
            ordering=ordering,
            unpublishable=(
                _unpublishable(keys["unpublishable"], ordering)
                if "unpublishable" in keys
                else topic.unpublishable
            ),
        )


def _ordering(value: Value) -> Ordering:
    if value.is_mapping():
        partitions = value.mapping(("partitions",), ())["partitions"]
        return Ordering("partitions", partitions.integer(*PARTITIONS))
    return Ordering(value.choice(("aggregate", "none"), "or `{partitions: N}`"))


def _unpublishable(value: Value, ordering: Ordering) -> str:
    policy = value.choice(UNPUBLISHABLE)
    if policy == "block" and ordering.kind == "none":
        raise value.error(
            "is 'block', but the topic keeps no order, so there is no key to block",
            "write park, or give the topic an ordering",
        )
    return policy
