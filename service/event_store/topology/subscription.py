"""Read the subscriptions of `topology.yaml`, with their dead letters."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from event_store.topology.delivery import (
    DELIVERY_KEYS,
    BigQueryExport,
    CloudStorageExport,
    Delivery,
    read_delivery,
)
from event_store.topology.document import Value
from event_store.topology.topic import NAME_CHARACTERS, RETENTION_SECONDS, Topic
from event_store.topology.type_filter import read_filter

DEAD_LETTER_SUFFIX: Final = "-dead-letter"
DEAD_LETTER_RETENTION_SECONDS: Final = RETENTION_SECONDS[1]  # the longest: somebody has to look at them

# Google's limits: https://cloud.google.com/pubsub/docs/reference/rest/v1/projects.subscriptions
ACK_DEADLINE_SECONDS: Final = (10, 600)
BACKOFF_SECONDS: Final = (0, 600)
DELIVERY_ATTEMPTS: Final = (5, 100)
GENERATIONS: Final = (1, 999)
GENERATION_SUFFIX: Final = "-g"
_MEMBER: Final = (
    r"(user|serviceAccount|group|domain|principal|principalSet):\S+",
    "an IAM member, as in serviceAccount:words@my-project.iam.gserviceaccount.com; the public has no access",
)


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """The waits before Pub/Sub delivers an unacknowledged message again.

    Attributes:
        minimum_backoff_seconds: The first wait, 0 to 600 seconds and not above the maximum.
        maximum_backoff_seconds: The longest wait, 0 to 600 seconds.
    """

    minimum_backoff_seconds: int = 10
    maximum_backoff_seconds: int = 600

    @classmethod
    def read(cls, value: Value) -> "RetryPolicy":
        """Read a `retryPolicy`.

        Raises:
            TopologyError: The policy is invalid.
        """
        keys = value.mapping((), ("minimumBackoff", "maximumBackoff"))
        seconds = {key: each.duration_seconds(*BACKOFF_SECONDS) for key, each in keys.items()}
        policy = cls(
            seconds.get("minimumBackoff", cls().minimum_backoff_seconds),
            seconds.get("maximumBackoff", cls().maximum_backoff_seconds),
        )
        if policy.minimum_backoff_seconds > policy.maximum_backoff_seconds:
            raise value.error(
                f"has a minimumBackoff of {policy.minimum_backoff_seconds}s, above its maximumBackoff of "
                f"{policy.maximum_backoff_seconds}s",
                "lower the one or raise the other (0s to 10m)",
            )
        return policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """A subscription of the bus. Its dead letters have a topic and a subscription named `dead_letter_name`.

    Attributes:
        name: The name, 3 to 243 characters, so that the name of the dead letters has at most 255.
        topic: The name of its topic in the topology.
        ack_deadline_seconds: The acknowledgement deadline, 10 to 600 seconds. For an export to Cloud Storage
            at least the time that it keeps an object open.
        message_retention_seconds: How long an unacknowledged message is retained, 600 to 2,678,400 seconds
            (31 days).
        retry_policy: The waits before a message is delivered again.
        max_delivery_attempts: The attempts after which a message becomes a dead letter, 5 to 100.
        filter: A Pub/Sub filter on attributes, at most 256 bytes; empty for none.
        enable_message_ordering: Whether messages are delivered in order; false only if the topic has no
            ordering.
        delivery: Push or export; None for pull.
        enable_exactly_once_delivery: Whether acknowledgements are confirmed; for pull only.
        retain_acked_messages: Whether acknowledged messages are retained too, so that a seek finds them.
        labels: Labels in addition to the stack's.
        consumers: The IAM members that may pull.
        generation: The generation of the subscription, 1 to 999. Topic, ordering and filter of a subscription
            cannot change; a new generation has other values and runs next to the earlier one.
        kept_generations: The earlier generations to keep until they are drained.
    """

    name: str
    topic: str
    ack_deadline_seconds: int = 10
    message_retention_seconds: int = 604_800
    retry_policy: RetryPolicy = field(default_factory=RetryPolicy)
    max_delivery_attempts: int = 5
    filter: str = ""
    enable_message_ordering: bool = True
    delivery: Delivery | None = None
    enable_exactly_once_delivery: bool = False
    retain_acked_messages: bool = False
    labels: Mapping[str, str] = field(default_factory=dict)
    consumers: tuple[str, ...] = ()
    generation: int = 1
    kept_generations: tuple[int, ...] = ()

    @property
    def physical_name(self) -> str:
        """The name in Pub/Sub, with the generation's suffix."""
        return self.name_of(self.generation)

    def name_of(self, generation: int) -> str:
        """Return the name of a generation in Pub/Sub; the first generation has no suffix."""
        return self.name if generation == 1 else f"{self.name}{GENERATION_SUFFIX}{generation}"

    @property
    def dead_letter_name(self) -> str:
        """The name of its dead-letter topic and of that topic's subscription."""
        return self.name + DEAD_LETTER_SUFFIX

    @classmethod
    def read(cls, value: Value, topics: Mapping[str, Topic]) -> "Subscription":
        """Read an entry of `subscriptions`.

        Args:
            value: The entry.
            topics: The topology's topics by name.

        Raises:
            TopologyError: The entry is invalid.
        """
        keys = value.mapping(
            ("name", "topic"),
            (
                *("ackDeadlineSeconds", "messageRetentionDuration", "retainAckedMessages", "retryPolicy"),
                *("deadLetterPolicy", "filter", "eventTypes", "aggregateTypes", "enableExactlyOnceDelivery"),
                *("labels", "consumers", "generation", "keptGenerations", *DELIVERY_KEYS),
            ),
        )
        given: dict[str, Any] = {"delivery": read_delivery(keys), "filter": read_filter(keys)}
        given |= _ack_deadline(keys, given["delivery"])
        if "messageRetentionDuration" in keys:
            retention = keys["messageRetentionDuration"]
            given["message_retention_seconds"] = retention.duration_seconds(*RETENTION_SECONDS)
        if "retainAckedMessages" in keys:
            given["retain_acked_messages"] = keys["retainAckedMessages"].boolean()
        if "retryPolicy" in keys:
            given["retry_policy"] = RetryPolicy.read(keys["retryPolicy"])
        if "deadLetterPolicy" in keys:
            policy = keys["deadLetterPolicy"].mapping((), ("maxDeliveryAttempts",))
            if "maxDeliveryAttempts" in policy:
                given["max_delivery_attempts"] = policy["maxDeliveryAttempts"].integer(*DELIVERY_ATTEMPTS)
        if "enableExactlyOnceDelivery" in keys:
            given["enable_exactly_once_delivery"] = _exactly_once(keys, given["delivery"])
        if "labels" in keys:
            given["labels"] = keys["labels"].labels()
        if "consumers" in keys:
            given["consumers"] = _consumers(keys["consumers"])
        given |= _generations(keys)
        topic = topics[keys["topic"].choice(topics)]
        if isinstance(given["delivery"], BigQueryExport):
            _refuse_missing_schema(keys["bigqueryConfig"], given["delivery"], topic)
        return cls(
            name=keys["name"].resource_name(NAME_CHARACTERS - len(DEAD_LETTER_SUFFIX)),
            topic=topic.name,
            enable_message_ordering=topic.ordering.kind != "none",
            **given,
        )


def _ack_deadline(keys: Mapping[str, Value], delivery: Delivery | None) -> dict[str, int]:
    """Return the acknowledgement deadline unless it is the default.

    Google's limit: an export keeps an object open for at most the acknowledgement deadline of its messages.
    """
    longest = delivery.maximum_seconds if isinstance(delivery, CloudStorageExport) else 0
    if "ackDeadlineSeconds" not in keys:
        return {"ack_deadline_seconds": longest} if longest else {}
    seconds = keys["ackDeadlineSeconds"].integer(*ACK_DEADLINE_SECONDS)
    if seconds < longest:
        raise keys["ackDeadlineSeconds"].error(
            f"is {seconds}, below cloudStorageConfig.maxDuration of {longest}s",
            "raise or remove it, or lower maxDuration",
        )
    return {"ack_deadline_seconds": seconds}


def _consumers(value: Value) -> tuple[str, ...]:
    members: list[str] = []
    for each in value.items():
        member = each.matching(*_MEMBER)
        if member in members:
            raise each.error(f"is {member} again", "list each member once")
        members.append(member)
    return tuple(members)


def _refuse_missing_schema(value: Value, export: BigQueryExport, topic: Topic) -> None:
    if export.use_topic_schema and not topic.schema:
        raise value.error(
            f"has useTopicSchema, but the topic {topic.name} has no schema",
            "give the topic `schemaSettings`, or write useTableSchema",
        )


def _exactly_once(keys: Mapping[str, Value], delivery: Delivery | None) -> bool:
    value = keys["enableExactlyOnceDelivery"]
    is_wanted = value.boolean()
    if is_wanted and delivery is not None:
        raise value.error(
            "is only for pull subscriptions", f"remove it, or remove {' or '.join(DELIVERY_KEYS)}"
        )
    return is_wanted


def _generations(keys: Mapping[str, Value]) -> dict[str, Any]:
    generation = keys["generation"].integer(*GENERATIONS) if "generation" in keys else 1
    kept: list[int] = []
    for each in keys["keptGenerations"].items() if "keptGenerations" in keys else []:
        number = each.integer(*GENERATIONS)
        if number >= generation or number in kept:
            raise each.error(
                f"is {number}, but generation is {generation}", "list only earlier generations, each once"
            )
        kept.append(number)
    return {"generation": generation, "kept_generations": tuple(kept)}
