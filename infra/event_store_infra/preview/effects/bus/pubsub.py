"""Pub/Sub: topics, subscriptions and schemas."""

from collections.abc import Mapping
from typing import Any, Final

from event_store_infra.preview.effects.bus import delivery
from event_store_infra.preview.effects.deletion import DELETION_POLICY
from event_store_infra.preview.effects.effect import HARMLESS, Effect, Effects, less_safe, loses, stops
from event_store_infra.preview.effects.rules import (
    arrives,
    block,
    changes,
    ends,
    falls,
    harmless,
    has_later,
    moves,
    same,
    widens,
)
from event_store_infra.preview.markdown import code
from event_store_infra.preview.plan.plan import Step

TOPIC: Final = "gcp:pubsub/topic:Topic"
SUBSCRIPTION: Final = "gcp:pubsub/subscription:Subscription"
SCHEMA: Final = "gcp:pubsub/schema:Schema"
_RETENTION: Final = "https://docs.cloud.google.com/pubsub/docs/replay-overview"
_KEYS: Final = "https://docs.cloud.google.com/pubsub/docs/encryption"
_REGIONS: Final = "https://docs.cloud.google.com/pubsub/docs/resource-location-restriction"
_SCHEMAS: Final = "https://docs.cloud.google.com/pubsub/docs/schemas"
_PROPERTIES: Final = "https://docs.cloud.google.com/pubsub/docs/subscription-properties"
_TRANSFORMS: Final = "https://docs.cloud.google.com/pubsub/docs/smts/smts-overview"
_DEAD_LETTERS: Final = "https://docs.cloud.google.com/pubsub/docs/handling-failures"
_INGESTION: Final = "https://docs.cloud.google.com/pubsub/docs/create-import-topic"
_DAY: Final = 86_400

# Each is named; which of them changed says the list as a whole.
_TRANSFORM_PROPERTIES: Final = harmless(
    *("aiInference.endpoint", "aiInference.serviceAccountEmail"),
    *("aiInference.unstructuredInference.parameters", "disabled"),
    *("javascriptUdf.code", "javascriptUdf.functionName"),
    at="messageTransforms",
)
_TRANSFORMED: Final = loses(
    "what the transform drops or changes of each message from now on",
    "transform in the consumer, or deliver to a topic beside this one.",
    _TRANSFORMS,
)
_UNTRANSFORMED: Final = less_safe("consumers get what a transform dropped or changed before", _TRANSFORMS)


def _transforms(old: Any, new: Any) -> Effect:
    """Judge a list of transforms: one that is new, or other than before, may drop messages."""
    if has_later(new):
        return _TRANSFORMED
    before, after = (
        [
            {name: value for name, value in each.items() if name != "disabled"}
            for each in value or ()
            if not each.get("disabled")
        ]
        for value in (old, new)
    )
    if any(each not in before for each in after):
        return _TRANSFORMED
    return _UNTRANSFORMED if before != after else HARMLESS


def _held_to(what: str) -> Effect:
    return stops(f"the publishing of messages {what}: the relay parks them, or blocks their key", _SCHEMAS)


def _regions(old: Any, new: Any) -> Effect:
    """Judge where messages may be stored, and whether clients elsewhere are served."""
    elsewhere = stops("publishers and consumers in regions that the topic does not allow", _REGIONS)
    if has_later(new):
        return elsewhere
    rule = block(
        gone=lambda _old: less_safe("messages may be stored in any region", _REGIONS),
        within={
            "allowedPersistenceRegions": widens(less_safe("messages may be stored elsewhere, too", _REGIONS))
        },
    )
    before, after = (each if isinstance(each, Mapping) else {} for each in (old, new))
    # https://docs.cloud.google.com/pubsub/docs/resource-location-restriction : it refuses requests elsewhere.
    held = after.get("enforceInTransit")
    left = set(before.get("allowedPersistenceRegions") or ()) - set(
        after.get("allowedPersistenceRegions") or ()
    )
    if held and (left or not before.get("enforceInTransit")):
        return elsewhere
    return rule(old, new)


def _dead_letters_of(old: Any) -> Effect:
    topic = code(str(old.get("deadLetterTopic") or "?").rpartition("/")[2])
    return stops(f"whoever handles the dead letters of {topic}, which gets no more of them", _DEAD_LETTERS)


def _without_dead_letters(_old: Any) -> Effect:
    return stops(
        "every ordering key behind a message that the consumer cannot handle: it comes again until "
        "it expires, and is lost then",
        _DEAD_LETTERS,
        "keep the policy.",
    )


def _expires(old: Any, new: Any) -> Effect:
    """Compare how long it may be idle; "" is forever, and unset 31 days."""
    days = [float("inf") if each == "" else 31 * _DAY if each is None else each for each in (old, new)]
    return falls(
        loses(
            "the subscription with its backlog, as soon as nobody has pulled from it for so long",
            'set `ttl: ""`, by which it never expires.',
            _PROPERTIES,
        )
    )(*days)


def _backoff(old: Any, new: Any) -> Effect:
    """https://docs.cloud.google.com/pubsub/docs/handling-failures : without a policy, at once."""
    sooner = less_safe(
        "a message that fails comes again sooner, so that fewer failures last until it is a dead letter",
        _DEAD_LETTERS,
    )
    if has_later(old, new):
        return sooner
    before, after = (
        {"minimumBackoff": "10s", "maximumBackoff": "600s", **each} if each is not None else {}
        for each in (old, new)
    )
    rules = block(
        gone=lambda _old: sooner, within=dict.fromkeys(("minimumBackoff", "maximumBackoff"), falls(sooner))
    )
    return rules(before, after)


_SOURCE: Final = moves(
    stops("whoever publishes to the topic by the former source: no message comes in there", _INGESTION)
)

_TOPIC: Final = Effects(
    gone=loses(
        "the messages that it retains, and its subscriptions, which get nothing any more",
        "add a topic beside it, route to both, and move the consumers before this one goes.",
        "https://docs.cloud.google.com/pubsub/docs/delete-topic",
        "remove its routes, and let every subscription drain.",
    ),
    properties={
        # Another value of these is another topic, which is judged as the end of this one.
        **harmless("name", "project", "tags"),
        **harmless("labels"),
        **DELETION_POLICY,
        "kmsKeyName": moves(
            less_safe(
                "what was published before stays encrypted with the former key, and is lost if Pub/Sub may "
                "no longer use that one",
                _KEYS,
                "name the former key in the topic's `earlierKmsKeyNames` until nothing is left of what was "
                "published before.",
            )
        ),
        "messageRetentionDuration": falls(
            loses(
                "the retained messages older than the new duration, which nobody can seek to any more",
                "keep the duration.",
                _RETENTION,
            )
        ),
        **harmless("allowedPersistenceRegions", "enforceInTransit", at="messageStoragePolicy"),  # as a block
        **_TRANSFORM_PROPERTIES,
        **harmless(
            "encoding", "firstRevisionId", "lastRevisionId", "schema", at="schemaSettings"
        ),  # as a block
        **same(
            _SOURCE,
            *("awsRoleArn", "consumerArn", "gcpServiceAccount", "streamArn"),
            at="ingestionDataSourceSettings.awsKinesis",
        ),
        **same(
            _SOURCE,
            *("awsRoleArn", "clusterArn", "gcpServiceAccount", "topic"),
            at="ingestionDataSourceSettings.awsMsk",
        ),
        **same(
            _SOURCE,
            *("clientId", "eventHub", "gcpServiceAccount", "namespace", "resourceGroup", "subscriptionId"),
            "tenantId",
            at="ingestionDataSourceSettings.azureEventHubs",
        ),
        **same(
            _SOURCE,
            *("bootstrapServer", "clusterId", "gcpServiceAccount", "identityPoolId", "topic"),
            at="ingestionDataSourceSettings.confluentCloud",
        ),
        **same(
            _SOURCE,
            *("avroFormat", "bucket", "pubsubAvroFormat", "textFormat.delimiter"),
            at="ingestionDataSourceSettings.cloudStorage",
        ),
        **same(
            changes(stops("whoever publishes by objects that are no longer taken in", _INGESTION)),
            *("matchGlob", "minimumObjectCreateTime"),
            at="ingestionDataSourceSettings.cloudStorage",
        ),
        "ingestionDataSourceSettings.platformLogsSettings.severity": changes(
            less_safe("failures of the ingestion may no longer be logged", _INGESTION)
        ),
    },
    blocks={
        "messageStoragePolicy": _regions,
        "messageTransforms": _transforms,
        "schemaSettings": block(
            gone=lambda _old: less_safe("messages of any form are published", _SCHEMAS),
            came=_held_to("that do not match the schema"),
            within={
                "schema": changes(_held_to("that do not match the other schema")),
                "encoding": changes(_held_to("in the former encoding")),
                "firstRevisionId": arrives(_held_to("that match only earlier revisions")),
                "lastRevisionId": arrives(_held_to("that match only later revisions")),
            },
        ),
    },
)


def _subscription(step: Step) -> Effect:
    """Tell which messages have nowhere to go: one that is deleted gets none of the later ones."""
    missed = "every later one" if step.op == "delete" else "those published before the new one exists"
    return loses(
        f"its backlog: every unacknowledged message, and {missed}",
        "give it another `generation` in topology.yaml, and the present one under `keptGenerations`: the new "
        "subscription is made beside the old one, which a later update removes once it is drained.",
        "https://docs.cloud.google.com/pubsub/docs/delete-subscriptions",
        "let its consumers drain it, and stop them.",
    )


_SUBSCRIPTION: Final = Effects(
    gone=_subscription,
    properties={
        # Another value of these is another subscription, which is judged as the end of this one.
        **harmless("enableMessageOrdering", "filter", "name", "project", "tags", "topic"),
        **harmless("labels"),
        "ackDeadlineSeconds": falls(
            less_safe(
                "a message comes again that its consumer does not acknowledge or extend in the shorter time",
                "https://docs.cloud.google.com/pubsub/docs/lease-management",
            ),
            unset=10,
        ),
        **DELETION_POLICY,
        "enableExactlyOnceDelivery": ends(
            less_safe(
                "messages come again after they were acknowledged",
                "https://docs.cloud.google.com/pubsub/docs/exactly-once-delivery",
            )
        ),
        "expirationPolicy.ttl": _expires,
        "messageRetentionDuration": falls(
            loses(
                "the unacknowledged messages older than the new duration",
                "keep the duration until the oldest unacknowledged message is younger than the new one "
                "(metric `oldest_unacked_message_age`), and acknowledge the change then.",
                _PROPERTIES,
            ),
            unset=7 * _DAY,
        ),
        "retainAckedMessages": ends(
            loses(
                "the acknowledged messages that it retains, which nobody can seek to any more",
                "keep them.",
                _RETENTION,
            )
        ),
        # Each of these is judged as a block.
        **harmless("deadLetterTopic", "maxDeliveryAttempts", at="deadLetterPolicy"),
        **harmless("maximumBackoff", "minimumBackoff", at="retryPolicy"),
        **_TRANSFORM_PROPERTIES,
        **{
            name: rule
            for way, names in delivery.PROPERTIES.items()
            for name, rule in harmless(*names, at=way).items()
        },
    },
    blocks={
        "bigqueryConfig": delivery.BIGQUERY,
        "cloudStorageConfig": delivery.CLOUD_STORAGE,
        "deadLetterPolicy": block(
            gone=_without_dead_letters,
            within={
                "deadLetterTopic": lambda old, _new: _dead_letters_of({"deadLetterTopic": old}),
                "maxDeliveryAttempts": falls(
                    less_safe("a message is given up after fewer failures", _DEAD_LETTERS), unset=5
                ),
            },
        ),
        "messageTransforms": _transforms,
        "pushConfig": delivery.PUSH,
        "retryPolicy": _backoff,
    },
)

TABLES: Final[Mapping[str, Effects]] = {
    TOPIC: _TOPIC,
    SUBSCRIPTION: _SUBSCRIPTION,
    SCHEMA: Effects(
        gone=loses(
            "all its revisions, without which its topics refuse to publish",
            "commit a new revision.",
            "https://docs.cloud.google.com/pubsub/docs/delete-schema",
            "take it off every topic.",
        ),
        properties={
            # Another value of these is another schema, which is judged as the end of this one.
            **harmless("name", "project"),
            **DELETION_POLICY,
            # A revision beside those that are there, which topics accept as before:
            # https://docs.cloud.google.com/pubsub/docs/commit-schema-revision
            **harmless("definition", "type"),
        },
    ),
}
