"""Pub/Sub. Limits: https://cloud.google.com/pubsub/quotas and the arguments' own documentation."""

from collections.abc import Iterator
from typing import Final

from local.limits.field import GIVEN, IMMUTABLE, Seconds, Text, Whole
from local.limits.iam import MEMBER
from local.limits.table import Limits
from local.properties import Properties, is_known

# https://cloud.google.com/pubsub/docs/pubsub-basics#resource_names
_NAME: Final = Text(
    r"(?!goog)[A-Za-z][\w.~+%-]{2,254}",
    "3 to 255 letters, digits and -_.~+%, beginning with a letter and not with goog",
    required=True,
    immutable=True,
)
_RETENTION: Final = (600, 31 * 86_400)


def _backoff_in_order(inputs: Properties) -> Iterator[tuple[str, str]]:
    policy = inputs.get("retryPolicy", {})
    if not isinstance(policy, dict) or not is_known(policy):
        return
    shortest, longest = (
        float(policy.get(name, default)[:-1])
        for name, default in (("minimumBackoff", "10s"), ("maximumBackoff", "600s"))
    )
    if shortest > longest:
        yield "retryPolicy.minimumBackoff", "must not be longer than maximumBackoff"


def _exactly_once_is_pulled(inputs: Properties) -> Iterator[tuple[str, str]]:
    exports = [name for name in ("pushConfig", "bigqueryConfig", "cloudStorageConfig") if name in inputs]
    if inputs.get("enableExactlyOnceDelivery") is True and exports:
        yield "enableExactlyOnceDelivery", f"is for pull subscriptions only, not with {exports[0]}"


TOPIC: Final = Limits(
    "gcp:pubsub/topic:Topic",
    {
        "name": _NAME,
        "project": IMMUTABLE,
        "tags": IMMUTABLE,
        "messageRetentionDuration": Seconds(*_RETENTION),
    },
)

SUBSCRIPTION: Final = Limits(
    "gcp:pubsub/subscription:Subscription",
    {
        "name": _NAME,
        "project": IMMUTABLE,
        "tags": IMMUTABLE,
        "topic": GIVEN,
        "enableMessageOrdering": IMMUTABLE,
        "filter": Text(r".{0,256}", "at most 256 bytes", immutable=True),
        "ackDeadlineSeconds": Whole(10, 600),
        "messageRetentionDuration": Seconds(*_RETENTION, default="604800s"),
        "expirationPolicy.ttl": Seconds(86_400, 365 * 86_400, or_empty=True),
        "retryPolicy.minimumBackoff": Seconds(0, 600),
        "retryPolicy.maximumBackoff": Seconds(0, 600),
        "deadLetterPolicy.maxDeliveryAttempts": Whole(5, 100),
        "pushConfig.pushEndpoint": Text(r"https?://.+", "an http or https address"),
        "cloudStorageConfig.maxDuration": Seconds(60, 600, default="300s"),
    },
    exclusive=(("pushConfig", "bigqueryConfig", "cloudStorageConfig"),),
    rules=(_backoff_in_order, _exactly_once_is_pulled),
)

TOPIC_IAM_MEMBER: Final = Limits(
    "gcp:pubsub/topicIAMMember:TopicIAMMember", {"topic": GIVEN, **MEMBER}, name="topic"
)
SUBSCRIPTION_IAM_MEMBER: Final = Limits(
    "gcp:pubsub/subscriptionIAMMember:SubscriptionIAMMember",
    {"subscription": GIVEN, **MEMBER},
    name="subscription",
)
