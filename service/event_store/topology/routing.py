"""Which topics an event goes to, and under which ordering key.

A `Routing` is resolved once from a `Topology`, for one project, and travels to the service as JSON in
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
    """How a topic keeps order.

    Attributes:
        kind: `aggregate` (the key is the aggregate's id), `partitions` (the key is a bucket of aggregates:
            order per aggregate holds and publish requests fill up) or `none` (no key, no order).
        partitions: How many buckets, 1 to 100,000; 0 unless the kind is `partitions`.
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
    """Events that match go to these topics.

    Attributes:
        aggregate_type: A pattern in which `*` stands for any text; `*` alone matches every type.
        event_type: The same, for the event's type. Both must match.
        topics: Names of topics, at least one.
    """

    aggregate_type: str
    event_type: str
    topics: tuple[str, ...]

    def matches(self, aggregate_type: str, event_type: str) -> bool:
        """Return whether an event of these types takes this route."""
        return _matches(self.aggregate_type, aggregate_type) and _matches(self.event_type, event_type)


@dataclass(frozen=True, slots=True)
class RoutedTopic:
    """A topic that events are published to.

    Attributes:
        name: Its name in the topology.
        path: Its full name, `projects/PROJECT/topics/NAME`.
        ordering: How it keeps order.
        unpublishable: What becomes of a message that can never be published. `park`: it is set aside, and its
            ordering key goes on. `block`: it is set aside, and so is all that follows it in its ordering key,
            until an operator has seen to it. Without order there is nothing to block.
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
        routes: In the order of the file.
        unrouted: `refuse` or `store-only`: what happens to an event that no route matches.
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
        """Return whether an event of these types may not be appended, because no route matches it."""
        return self.unrouted == "refuse" and not self.topics_for(aggregate_type, event_type)

    def to_json(self) -> str:
        """Return the JSON that `from_json` reads; the same for equal routings."""
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
        """Read what `to_json` wrote.

        Raises:
            ConfigurationError: It was written by something else.
        """
        try:
            return cls._of(json.loads(text))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise ConfigurationError(
                f"EVENT_STORE_ROUTING is no routing ({type(error).__name__}: {error}): "
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
        raise TypeError(f"{value!r} is no text")
    return value
