"""Check the settings of Topic and Subscription messages, and fill in Google's defaults."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from pubsub_emulator.broker import limits
from pubsub_emulator.broker.filter import Predicate, parse_filter
from pubsub_emulator.delivery.exports import EXPORTS, check_exports
from pubsub_emulator.errors import InvalidArgumentError, UnimplementedError

ACTIVE = 1  # Topic.State and Subscription.State
PUSH_BACKOFF_SECONDS = (0.1, 60.0)  # Google's backoff of push without a retry policy; also used for exports

PUSH_VERSION = "x-goog-version"  # the only attribute of a push configuration


@dataclass(frozen=True, slots=True)
class TopicSettings:
    """The settings of a topic.

    Attributes:
        retention_seconds: How long messages are kept for seeks; 0 keeps none.
    """

    retention_seconds: float

    @classmethod
    def parse(cls, config: Any) -> "TopicSettings":
        """Check a Topic message, and set the fields that the server decides.

        Raises:
            InvalidArgumentError: A field is out of range.
            UnimplementedError: The message requests ingestion or transforms.
        """
        limits.check_name(config.name, "topics")
        limits.check_labels(config.labels)
        limits.check_storage_policy(config)
        limits.check_kms_key(config.kms_key_name)
        _refuse(config, "ingestion_data_source_settings")
        for only_in_or_out in ("satisfies_pzs", "tags"):
            config.ClearField(only_in_or_out)
        config.state = ACTIVE
        if not config.HasField("message_retention_duration"):
            return cls(0)
        seconds = limits.seconds_of("message_retention_duration", config.message_retention_duration)
        limits.check_range("message_retention_duration", seconds, limits.RETENTION_SECONDS)
        return cls(seconds)


@dataclass(frozen=True, slots=True)
class DeadLetterPolicy:
    """The dead-letter topic, and the number of attempts before it.

    Attributes:
        topic: Full name of the dead-letter topic.
        max_attempts: Deliveries of a message before it becomes a dead letter, 5 to 100.
    """

    topic: str
    max_attempts: int


@dataclass(frozen=True, slots=True)
class SubscriptionSettings:
    """The settings of a subscription; durations in seconds.

    Attributes:
        backoff_seconds: Minimum and maximum delay of a redelivery; None redelivers at once.
        filter: The filter of messages; None accepts all.
        push_endpoint: URL of the push endpoint; "" without push.
        delivery: `push`, `bigquery_config` or `cloud_storage_config`; "" for pull.
    """

    ack_deadline_seconds: int
    retention_seconds: float
    retain_acked: bool
    ordered: bool
    exactly_once: bool
    backoff_seconds: tuple[float, float] | None
    dead_letter_policy: DeadLetterPolicy | None
    filter: Predicate | None
    push_endpoint: str
    delivery: str

    @classmethod
    def parse(cls, config: Any) -> "SubscriptionSettings":
        """Check a Subscription message and fill in Google's defaults.

        Raises:
            InvalidArgumentError: A field is out of range, or two fields exclude each other.
            UnimplementedError: The message requests an export to Bigtable or transforms.
        """
        limits.check_name(config.name, "subscriptions")
        limits.check_labels(config.labels)
        delivery = delivery_of(config)
        check_exports(config)
        _refuse(config)
        for only_in_or_out in ("analytics_hub_subscription_info", "tags", "topic_message_retention_duration"):
            config.ClearField(only_in_or_out)
        config.state = ACTIVE
        config.ack_deadline_seconds = config.ack_deadline_seconds or limits.ACK_DEADLINE_DEFAULT_SECONDS
        limits.check_range("ack_deadline_seconds", config.ack_deadline_seconds, limits.ACK_DEADLINE_SECONDS)
        if config.enable_exactly_once_delivery and delivery:
            raise InvalidArgumentError(
                "Exactly-once delivery is for pull only: remove enable_exactly_once_delivery or the"
                " configuration of push or export."
            )
        retention_seconds = _parse_retention(config)
        _parse_expiration(config, retention_seconds)
        return cls(
            ack_deadline_seconds=config.ack_deadline_seconds,
            retention_seconds=retention_seconds,
            retain_acked=config.retain_acked_messages,
            ordered=config.enable_message_ordering,
            exactly_once=config.enable_exactly_once_delivery,
            backoff_seconds=_parse_backoff(config),
            dead_letter_policy=_parse_dead_letter_policy(config),
            filter=parse_filter(config.filter) if config.filter else None,
            push_endpoint=_parse_push_endpoint(config),
            delivery=delivery,
        )

    @property
    def log_seconds(self) -> float:
        """How long acknowledged messages are kept; 0 keeps none."""
        return self.retention_seconds if self.retain_acked else 0.0

    def delay_seconds(self, attempt: int) -> float:
        """Return the delay of a redelivery after failed attempt number `attempt`, from 1."""
        bounds = self.backoff_seconds or (PUSH_BACKOFF_SECONDS if self.delivery else None)
        if bounds is None:
            return 0.0
        shortest, longest = bounds
        return min(longest, shortest * 2.0 ** min(attempt - 1, 30))


def delivery_of(config: Any) -> str:
    """Return the delivery method of a Subscription message, as in `SubscriptionSettings.delivery`.

    Raises:
        InvalidArgumentError: The message has more than one delivery method.
    """
    ways = [field for field in EXPORTS if config.HasField(field)]
    if config.push_config.push_endpoint:
        ways.append("push")
    if len(ways) > 1:
        raise InvalidArgumentError(f"A subscription delivers one way, not by {' and '.join(ways)}.")
    return ways[0] if ways else ""


def _parse_retention(config: Any) -> float:
    if not config.HasField("message_retention_duration"):
        config.message_retention_duration.seconds = limits.RETENTION_DEFAULT_SECONDS
    seconds = limits.seconds_of("message_retention_duration", config.message_retention_duration)
    limits.check_range("message_retention_duration", seconds, limits.RETENTION_SECONDS)
    return seconds


def _parse_expiration(config: Any, retention_seconds: float) -> None:
    """Check the expiration policy: absent means 31 days, a policy without a ttl means never."""
    if not config.HasField("expiration_policy"):
        config.expiration_policy.ttl.seconds = limits.EXPIRATION_DEFAULT_SECONDS
    policy = config.expiration_policy
    if not policy.HasField("ttl"):
        return
    seconds = limits.seconds_of("expiration_policy.ttl", policy.ttl)
    if seconds < limits.EXPIRATION_MINIMUM_SECONDS:
        raise InvalidArgumentError(
            "Invalid expiration_policy.ttl: it must be one day or more, or absent for never."
        )
    if seconds < retention_seconds:
        raise InvalidArgumentError(
            f"Invalid expiration_policy.ttl: {seconds:g} s are less than message_retention_duration"
            f" ({retention_seconds:g} s), so the subscription could expire before its messages."
        )


def _parse_backoff(config: Any) -> tuple[float, float] | None:
    if not config.HasField("retry_policy"):
        return None
    policy = config.retry_policy
    bounds: list[float] = []
    for field, default in zip(
        ("minimum_backoff", "maximum_backoff"), limits.BACKOFF_DEFAULT_SECONDS, strict=True
    ):
        if not policy.HasField(field):
            getattr(policy, field).seconds = default
        seconds = limits.seconds_of(f"retry_policy.{field}", getattr(policy, field))
        limits.check_range(f"retry_policy.{field}", seconds, limits.BACKOFF_SECONDS)
        bounds.append(seconds)
    shortest, longest = bounds
    if shortest > longest:
        raise InvalidArgumentError(
            "Invalid retry_policy: minimum_backoff must not be longer than maximum_backoff."
        )
    return shortest, longest


def _parse_dead_letter_policy(config: Any) -> DeadLetterPolicy | None:
    if not config.HasField("dead_letter_policy"):
        return None
    policy = config.dead_letter_policy
    limits.check_name(policy.dead_letter_topic, "topics")
    policy.max_delivery_attempts = policy.max_delivery_attempts or limits.DELIVERY_ATTEMPTS_DEFAULT
    limits.check_range(
        "dead_letter_policy.max_delivery_attempts",
        policy.max_delivery_attempts,
        limits.DELIVERY_ATTEMPTS,
        "attempts",
    )
    return DeadLetterPolicy(policy.dead_letter_topic, policy.max_delivery_attempts)


def _parse_push_endpoint(config: Any) -> str:
    """Check the push endpoint and its format version (default "v1"); return the endpoint, "" for none."""
    push = config.push_config
    push.SetInParent()  # Google returns an empty push_config for a pull subscription
    endpoint = str(push.push_endpoint)
    if not endpoint:
        return ""
    try:
        parts = urlsplit(endpoint)
        fits = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is not a number, a bracketed host that is not an IP address
        fits = False
    if not fits:
        raise InvalidArgumentError(
            f"Invalid push endpoint given (endpoint={endpoint}): it must be an http(s) URL."
        )
    version = push.attributes.get(PUSH_VERSION, "v1")
    if set(push.attributes) - {PUSH_VERSION} or version not in ("v1", "v1beta1", "v1beta2"):
        raise InvalidArgumentError(
            f"Invalid push_config.attributes: only {PUSH_VERSION} is supported, with v1, v1beta1 or v1beta2."
        )
    if version == "v1beta1":
        raise UnimplementedError("The local Pub/Sub does not push in the format of v1beta1: use v1.")
    push.attributes[PUSH_VERSION] = version
    return endpoint


def _refuse(config: Any, *fields: str) -> None:
    """Reject features that are not emulated, instead of storing them without an effect."""
    asked = [field for field in fields if config.HasField(field)]
    if config.message_transforms:
        asked.append("message_transforms")
    if asked:
        raise UnimplementedError(f"The local Pub/Sub has no {', '.join(asked)}: try it on Google Cloud.")
