"""Pub/Sub: topics, subscriptions and schemas."""

from collections.abc import Mapping
from typing import Final

from infra.preview.effects.effect import Effects, loses
from infra.preview.effects.rules import falls, harmless

TOPIC: Final = "gcp:pubsub/topic:Topic"
SUBSCRIPTION: Final = "gcp:pubsub/subscription:Subscription"
SCHEMA: Final = "gcp:pubsub/schema:Schema"
_RETENTION: Final = "https://docs.cloud.google.com/pubsub/docs/replay-overview"

TABLES: Final[Mapping[str, Effects]] = {
    TOPIC: Effects(
        gone=loses(
            "the messages that it retains, and its subscriptions, which get nothing any more",
            "add a topic beside it, route to both, and move the consumers before this one goes.",
            "https://docs.cloud.google.com/pubsub/docs/delete-topic",
            "remove its routes, and let every subscription drain.",
        ),
        properties={
            **harmless("labels"),
            "messageRetentionDuration": falls(
                loses(
                    "the retained messages older than the new duration, which nobody can seek to any more",
                    "keep the duration.",
                    _RETENTION,
                )
            ),
        },
    ),
    SUBSCRIPTION: Effects(
        gone=loses(
            "its backlog: every message that was not acknowledged",
            "give it another `generation` in topology.yaml: the new one is made beside the old one, which "
            "goes once it is drained.",
            "https://docs.cloud.google.com/pubsub/docs/delete-subscriptions",
            "let its consumers drain it, and stop them.",
        ),
        properties={
            **harmless("ackDeadlineSeconds", "labels"),
            "messageRetentionDuration": falls(
                loses(
                    "the unacknowledged messages older than the new duration",
                    "keep the duration until the backlog is younger than the new one.",
                    "https://docs.cloud.google.com/pubsub/docs/subscription-properties",
                ),
                unset=604_800,
            ),
        },
    ),
    SCHEMA: Effects(
        gone=loses(
            "all its revisions, without which its topics refuse to publish",
            "commit a new revision.",
            "https://docs.cloud.google.com/pubsub/docs/delete-schema",
            "take it off every topic.",
        ),
        properties={},
    ),
}
