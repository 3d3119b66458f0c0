"""The limits of Pub/Sub: https://cloud.google.com/pubsub/quotas and the arguments' own documentation."""

from collections.abc import Iterator
from typing import Final

from local_gcp.recorded.iam import MEMBER
from local_gcp.resource.field import GIVEN, IMMUTABLE, Choice, Field, Labels, Seconds, Some, Text, Whole
from local_gcp.resource.properties import Properties, is_known
from local_gcp.resource.table import Limits

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


def _schema_is_one(inputs: Properties) -> Iterator[tuple[str, str]]:
    export = inputs.get("bigqueryConfig", {})
    if not isinstance(export, dict):
        return
    if export.get("useTopicSchema") is True and export.get("useTableSchema") is True:
        yield "bigqueryConfig.useTableSchema", "conflicts with useTopicSchema: give one of them"
    if export.get("dropUnknownFields") is True and not (
        export.get("useTopicSchema") or export.get("useTableSchema")
    ):
        yield "bigqueryConfig.dropUnknownFields", "needs useTopicSchema or useTableSchema"


def _object_is_closed_in_time(inputs: Properties) -> Iterator[tuple[str, str]]:
    export = inputs.get("cloudStorageConfig")
    if not isinstance(export, dict) or not is_known(export):
        return
    deadline = inputs.get("ackDeadlineSeconds", 10)
    if is_known(deadline) and float(export["maxDuration"][:-1]) > deadline:
        yield "cloudStorageConfig.maxDuration", f"must not be longer than ackDeadlineSeconds ({deadline}s)"


TOPIC: Final = Limits(
    "gcp:pubsub/topic:Topic",
    {
        "name": _NAME,
        "project": IMMUTABLE,
        "tags": IMMUTABLE,
        "messageRetentionDuration": Seconds(*_RETENTION),
        "kmsKeyName": Text(
            r"projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+",
            "a key as projects/P/locations/L/keyRings/R/cryptoKeys/K",
        ),
        "labels": Labels(),
        "messageStoragePolicy.allowedPersistenceRegions": Some(required=True),
        "schemaSettings.schema": Text(
            r"projects/[^/]+/schemas/[^/]+|_deleted-schema_", "projects/P/schemas/S"
        ),
        "schemaSettings.encoding": Choice(
            *("JSON", "BINARY", "ENCODING_UNSPECIFIED"), default="ENCODING_UNSPECIFIED"
        ),
        "ingestionDataSourceSettings.cloudStorage.textFormat.delimiter": Field(default="\n"),
        "ingestionDataSourceSettings.platformLogsSettings.severity": Field(default="SEVERITY_UNSPECIFIED"),
        "messageTransforms[].disabled": Field(default=False),
    },
)

# https://cloud.google.com/pubsub/quotas#resource_limits
SCHEMA: Final = Limits(
    "gcp:pubsub/schema:Schema",
    {
        "name": _NAME,
        "project": IMMUTABLE,
        "type": Choice("AVRO", "PROTOCOL_BUFFER", "TYPE_UNSPECIFIED", default="TYPE_UNSPECIFIED"),
        "definition": Text(r".{1,300000}", "1 to 300,000 characters"),
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
        "messageTransforms[].disabled": Field(default=False),
        "filter": Text(r".{0,256}", "at most 256 bytes", immutable=True),
        "labels": Labels(),
        "ackDeadlineSeconds": Whole(10, 600),
        "messageRetentionDuration": Seconds(*_RETENTION, default="604800s"),
        "expirationPolicy.ttl": Seconds(86_400, 365 * 86_400, or_empty=True),
        "retryPolicy.minimumBackoff": Seconds(0, 600),
        "retryPolicy.maximumBackoff": Seconds(0, 600),
        "deadLetterPolicy.maxDeliveryAttempts": Whole(5, 100),
        "pushConfig.pushEndpoint": Text(r"https?://.+", "an http or https address"),
        "pushConfig.oidcToken.serviceAccountEmail": Text(
            r"\S+@\S+", "the email of a service account", required=True
        ),
        "bigqueryConfig.table": Text(
            r"[^.:]+[.:][^.]+\.[^.]+", "a table as project.dataset.table", required=True
        ),
        "cloudStorageConfig.bucket": Text(
            r"[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]", "a bucket's name", required=True
        ),
        "cloudStorageConfig.filenameSuffix": Text(r".*[^/]", "a text that does not end in /"),
        "cloudStorageConfig.maxDuration": Seconds(60, 600, default="300s"),
        "cloudStorageConfig.maxBytes": Whole(1_000, 10_737_418_240),
        "cloudStorageConfig.maxMessages": Whole(1_000, 9_223_372_036_854_775_807),
    },
    exclusive=(("pushConfig", "bigqueryConfig", "cloudStorageConfig"),),
    rules=(_backoff_in_order, _exactly_once_is_pulled, _schema_is_one, _object_is_closed_in_time),
)

TOPIC_IAM_MEMBER: Final = Limits(
    "gcp:pubsub/topicIAMMember:TopicIAMMember", {"topic": GIVEN, **MEMBER}, name="topic"
)
SUBSCRIPTION_IAM_MEMBER: Final = Limits(
    "gcp:pubsub/subscriptionIAMMember:SubscriptionIAMMember",
    {"subscription": GIVEN, **MEMBER},
    name="subscription",
)
