"""Route events to topics, and compute their ordering keys.

A `Routing` is made from a `Topology` for one project. The service receives it as JSON in
`EVENT_STORE_ROUTING`.
"""

import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from event_store.errors import ConfigurationError

UNROUTED: Final = ("refuse", "store-only")
UNPUBLISHABLE: Final = ("park", "block")
# Ours: a partition is a key to be kept in order, and with more than this requests would not fill up.
PARTITIONS: Final = (1, 100_000)
# Event types come from callers: a bound on how many answers are remembered.
_REMEMBERED: Final = 10_000


@dataclass(frozen=True, slots=True)
class Ordering:
    """The ordering of a topic's messages.

    Attributes:
        kind: `aggregate`: the ordering key is the aggregate's id. `partitions`: the key is a partition of
            aggregates, which keeps the order of each aggregate and fills publish requests better. `none`: no
            key and no order.
        partitions: The number of partitions, 1 to 100,000; 0 for the other kinds.
    """

    kind: str = "aggregate"
    partitions: int = 0

    def __str__(self) -> str:
        return f"{self.partitions} partitions" if self.kind == "partitions" else self.kind

    def key(self, aggregate_id: str) -> str:
        """Return the ordering key of an aggregate's events; empty for none."""
        if self.kind == "aggregate":
            return aggregate_id
        if self.kind == "partitions":
            # CRC-32 because it is the same in every process, release and language.
            return f"partition-{zlib.crc32(aggregate_id.encode()) % self.partitions}"
        return ""


@dataclass(frozen=True, slots=True)
class Route:
    """A route: events that match both patterns are published to the topics.

    Attributes:
        aggregate_type: A pattern for the aggregate type, in which `*` matches any text.
        event_type: A pattern for the event type, in which `*` matches any text.
        topics: The names of the topics, at least one.
    """

    aggregate_type: str
    event_type: str
    topics: tuple[str, ...]

    def matches(self, aggregate_type: str, event_type: str) -> bool:
        """Return whether an event with these types matches the route."""
        return _matches(self.aggregate_type, aggregate_type) and _matches(self.event_type, event_type)


@dataclass(frozen=True, slots=True)
class RoutedTopic:
    """A topic that events are published to.

    Attributes:
        name: The name in the topology.
        path: The full name, `projects/PROJECT/topics/NAME`.
        ordering: The ordering of its messages.
        unpublishable: The policy for messages that Pub/Sub rejects for good. `park` parks the message and
            continues with its ordering key. `block` parks it together with all later messages of its ordering
            key, until an operator retries or drops it; not for a topic without order.
    """

    name: str
    path: str
    ordering: Ordering
    unpublishable: str = "park"

    def ordering_key(self, aggregate_id: str) -> str:
        """Return the ordering key of an aggregate's events on this topic; empty for none."""
        return self.ordering.key(aggregate_id)


@dataclass(frozen=True, slots=True)
class Routing:
    """Every topic and route of one project.

    Attributes:
        topics: The topics by name.
        routes: The routes in the order of the file.
        unrouted: `refuse` or `store-only`, see `Topology`.
    """

    topics: Mapping[str, RoutedTopic]
    routes: tuple[Route, ...]
    unrouted: str
    _answers: dict[tuple[str, str], tuple[RoutedTopic, ...]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def topics_for(self, aggregate_type: str, event_type: str) -> tuple[RoutedTopic, ...]:
        """Return the topics of every route that matches, each once, in the order of the topology."""
        types = (aggregate_type, event_type)
        answer = self._answers.get(types)
        if answer is None:
            names = {name for route in self.routes if route.matches(*types) for name in route.topics}
            answer = tuple(topic for topic in self.topics.values() if topic.name in names)
            if len(self._answers) >= _REMEMBERED:
                self._answers.clear()
            self._answers[types] = answer
        return answer

    def rejects(self, aggregate_type: str, event_type: str) -> bool:
        """Return whether an append of an event with these types is rejected, as no route matches."""
        return self.unrouted == "refuse" and not self.topics_for(aggregate_type, event_type)

    def to_json(self) -> str:
        """Return the JSON for `from_json`; equal routings have equal JSON."""
        return json.dumps(
            {
                "topics": {topic.name: _topic_to_json(topic) for topic in self.topics.values()},
                "routes": [
                    {"aggregateType": r.aggregate_type, "eventType": r.event_type, "topics": r.topics}
                    for r in self.routes
                ],
                "unrouted": self.unrouted,
            },
            separators=(",", ":"),
        )

    @classmethod
    def from_json(cls, text: str) -> "Routing":
        """Parse the JSON of `to_json`.

        Raises:
            ConfigurationError: The text is not the JSON of a routing.
        """
        try:
            return cls._of(json.loads(text))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise ConfigurationError(
                f"EVENT_STORE_ROUTING is not a routing ({type(error).__name__}: {error}): "
                "set it to what `event-store topology show --json` prints"
            ) from None

    @classmethod
    def _of(cls, value: Any) -> "Routing":
        routing = cls(
            topics={name: _topic_from_json(name, topic) for name, topic in value["topics"].items()},
            routes=tuple(
                Route(_text(r["aggregateType"]), _text(r["eventType"]), tuple(map(_text, r["topics"])))
                for r in value["routes"]
            ),
            unrouted=value["unrouted"],
        )
        unknown = {name for route in routing.routes for name in route.topics} - routing.topics.keys()
        if unknown or routing.unrouted not in UNROUTED:
            raise ValueError(f"unknown {', '.join(unknown) or routing.unrouted}")
        return routing


def _matches(pattern: str, text: str) -> bool:
    if "*" not in pattern:
        return pattern == text
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), text, re.DOTALL) is not None


def _topic_to_json(topic: RoutedTopic) -> dict[str, Any]:
    value = {"path": topic.path, "ordering": _ordering_to_json(topic.ordering)}
    return value if topic.unpublishable == "park" else value | {"unpublishable": topic.unpublishable}


def _topic_from_json(name: str, value: Any) -> RoutedTopic:
    ordering, unpublishable = _ordering_from_json(value["ordering"]), value.get("unpublishable", "park")
    if unpublishable not in UNPUBLISHABLE or (unpublishable == "block" and ordering.kind == "none"):
        raise ValueError(f"unpublishable {unpublishable}")
    return RoutedTopic(name, _text(value["path"]), ordering, unpublishable)


def _ordering_to_json(ordering: Ordering) -> str | dict[str, int]:
    return {"partitions": ordering.partitions} if ordering.kind == "partitions" else ordering.kind


def _ordering_from_json(value: Any) -> Ordering:
    if value in ("aggregate", "none"):
        return Ordering(value)
    partitions = value["partitions"]
    if type(partitions) is not int or not PARTITIONS[0] <= partitions <= PARTITIONS[1]:
        raise ValueError(f"partitions {partitions}")
    return Ordering("partitions", partitions)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not a string")
    return value
