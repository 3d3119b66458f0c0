"""Read `topology.yaml` and check that its parts fit together."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from event_store.errors import ConfigurationError, TopologyError
from event_store.topology.document import Value, read
from event_store.topology.routing import UNROUTED, Ordering, Route, RoutedTopic, Routing
from event_store.topology.schema import Schema
from event_store.topology.subscription import Subscription
from event_store.topology.topic import Topic

_PROJECT: Final = re.compile(r"([a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]")


@dataclass(frozen=True, slots=True)
class Topology:
    """The event bus as one file declares it.

    Attributes:
        topics: The topics in the order of the file, with unique names.
        subscriptions: The subscriptions in the order of the file, with unique names that no dead-letter topic
            or subscription has.
        routes: The routes from types of events to topics.
        unrouted: The policy for events without a matching route: `refuse` rejects the append, `store-only`
            stores them without publishing.
        schemas: The schemas in the order of the file, with unique names.
    """

    topics: tuple[Topic, ...]
    subscriptions: tuple[Subscription, ...]
    routes: tuple[Route, ...]
    unrouted: str
    schemas: tuple[Schema, ...] = ()

    @classmethod
    def load(cls, path: Path | str) -> "Topology":
        """Read a topology from a file.

        Raises:
            TopologyError: The file cannot be read or is invalid; the message has the place and the fix.
        """
        try:
            text = Path(path).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            raise TopologyError(f"{path}: the file is not UTF-8 text: save it as UTF-8") from None
        except OSError as error:
            raise TopologyError(
                f"{path}: the file cannot be read ({error.strerror}): give the path of a topology.yaml"
            ) from None
        return cls.parse(text, str(path))

    @classmethod
    def parse(cls, text: str, source: str) -> "Topology":
        """Read a topology from text.

        Args:
            text: The content of the file.
            source: The name of the file in errors.

        Raises:
            TopologyError: The text is invalid; the message has the place and the fix.
        """
        lists = ("topics", "subscriptions", "routes", "schemas")
        keys = read(text, source).mapping((), (*lists, "unrouted"))
        values = {key: keys[key].items() if key in keys else [] for key in lists}
        schemas = [Schema.read(value) for value in values["schemas"]]
        _refuse_taken([schema.name for schema in schemas], values["schemas"], [])
        topics = [Topic.read(value, [schema.name for schema in schemas]) for value in values["topics"]]
        by_name = {topic.name: topic for topic in topics}
        subscriptions = [Subscription.read(value, by_name) for value in values["subscriptions"]]
        dead_letters = [subscription.dead_letter_name for subscription in subscriptions]
        _refuse_taken([topic.name for topic in topics], values["topics"], dead_letters)
        _refuse_taken([each.name for each in subscriptions], values["subscriptions"], dead_letters)
        _refuse_generations(subscriptions, values["subscriptions"])
        return cls(
            topics=tuple(topics),
            subscriptions=tuple(subscriptions),
            routes=tuple(_route(value, by_name) for value in values["routes"]),
            unrouted=keys["unrouted"].choice(UNROUTED) if "unrouted" in keys else "refuse",
            schemas=tuple(schemas),
        )

    def routing(self, project: str, ordering: Ordering | None = None) -> Routing:
        """Return the routing of a project, for the service.

        Args:
            project: The id of the Google Cloud project.
            ordering: Replaces the ordering of every topic; None keeps them.

        Raises:
            ConfigurationError: The project id is invalid.
        """
        if not _PROJECT.fullmatch(project):
            raise ConfigurationError(
                f"invalid project id {project!r}: use 6 to 30 lower-case letters, digits and hyphens, "
                "beginning with a letter and not ending with a hyphen"
            )
        return Routing(
            topics={
                topic.name: RoutedTopic(
                    topic.name,
                    f"projects/{project}/topics/{topic.name}",
                    ordering or topic.ordering,
                    topic.unpublishable,
                )
                for topic in self.topics
            },
            routes=self.routes,
            unrouted=self.unrouted,
        )


def _refuse_taken(names: list[str], values: list[Value], dead_letters: list[str]) -> None:
    for index, (name, value) in enumerate(zip(names, values, strict=True)):
        if name in names[:index]:
            raise value.error(f"has the name {name}, which is taken", "give it another name")
        if name in dead_letters:
            raise value.error(
                f"has the name {name}, which a subscription's dead letters have", "give it another name"
            )


def _refuse_generations(subscriptions: list[Subscription], values: list[Value]) -> None:
    names = {each.name for each in subscriptions}
    for each, value in zip(subscriptions, values, strict=True):
        for generation in (*each.kept_generations, each.generation):
            if generation > 1 and each.name_of(generation) in names:
                raise value.error(
                    f"has the name {each.name_of(generation)} in generation {generation}, which is taken",
                    "give one of them another name",
                )


def _route(value: Value, topics: dict[str, Topic]) -> Route:
    keys = value.mapping(("topics",), ("aggregateType", "eventType"))
    if len(keys) == 1:
        raise value.error(
            "matches nothing", "add `aggregateType`, `eventType` or both; `*` stands for any text"
        )
    names = tuple(each.choice(topics) for each in keys["topics"].items())
    if not names:
        raise keys["topics"].error("is empty", "name at least one topic, or remove the route")
    patterns = {key: keys[key].text() if key in keys else "*" for key in ("aggregateType", "eventType")}
    return Route(patterns["aggregateType"], patterns["eventType"], names)
