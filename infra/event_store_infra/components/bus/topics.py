"""Topics: those of the topology, with their schemas, and those of dead letters."""

from collections.abc import Mapping
from typing import Any, Final

import pulumi
from pulumi_gcp import pubsub

from event_store.topology import Subscription, Topic
from event_store.topology.schema import Schema
from event_store.topology.subscription import DEAD_LETTER_RETENTION_SECONDS
from event_store_infra.components.bus.agent import Agent
from event_store_infra.components.bus.subscription import NEVER

DEAD_LETTER_RETENTION: Final = f"{DEAD_LETTER_RETENTION_SECONDS}s"


class Topics:
    """Declares topics, schemas and the topics of dead letters.

    Args:
        name: What the names in the program begin with.
        project: The id of the project.
        labels: The stack's.
        agent: What is granted the use of keys, and the publishing of dead letters.
        opts: Options of everything that is made.
    """

    def __init__(
        self, name: str, project: str, labels: Mapping[str, str], agent: Agent, opts: pulumi.ResourceOptions
    ) -> None:
        self._name, self._project, self._labels, self._agent = name, project, labels, agent
        # A physical name is taken until its owner is gone, and an immutable field's change makes a new owner.
        self._opts = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(delete_before_replace=True))
        self._schemas: dict[str, pubsub.Schema] = {}

    def hold_to(self, schema: Schema) -> None:
        """Declare a schema, for the topics that name it."""
        self._schemas[schema.name] = pubsub.Schema(
            f"{self._name}-{schema.name}-schema",
            project=self._project,
            name=schema.name,
            type=schema.type,
            definition=schema.definition,
            opts=self._opts,
        )

    def topic(self, topic: Topic) -> pubsub.Topic:
        """Declare a topic of the topology."""
        schema = self._schemas.get(topic.schema)
        settings = (
            pubsub.TopicSchemaSettingsArgs(schema=schema.id, encoding=topic.schema_encoding)
            if schema is not None
            else None
        )
        return pubsub.Topic(
            f"{self._name}-{topic.name}",
            project=self._project,
            name=topic.name,
            message_retention_duration=f"{topic.message_retention_seconds}s",
            schema_settings=settings,
            labels={**self._labels, **topic.labels},
            **self._kept(topic),
        )

    def dead_letters(
        self, subscription: Subscription, source: Topic
    ) -> tuple[pubsub.Topic, pubsub.Subscription]:
        """Declare the topic of a subscription's dead letters and the pull subscription that keeps them."""
        name, labels = subscription.dead_letter_name, {**self._labels, **subscription.labels}
        topic = pubsub.Topic(
            f"{self._name}-{name}",
            project=self._project,
            name=name,
            labels=labels,
            **self._kept(source),
        )
        kept = pubsub.Subscription(
            f"{self._name}-{name}-subscription",
            project=self._project,
            name=name,
            topic=topic.id,
            ack_deadline_seconds=subscription.ack_deadline_seconds,
            message_retention_duration=DEAD_LETTER_RETENTION,
            retain_acked_messages=False,
            # Each dead letter is looked at by itself; none waits behind another of its key.
            enable_message_ordering=False,
            enable_exactly_once_delivery=False,
            expiration_policy=NEVER,
            labels=labels,
            opts=self._opts,
        )
        self._agent.may_publish_dead_letters(name, topic)
        return topic, kept

    def _kept(self, topic: Topic) -> dict[str, Any]:
        """Return the arguments of a topic's storage, which its dead letters share."""
        storage = pubsub.TopicMessageStoragePolicyArgs(
            allowed_persistence_regions=list(topic.regions), enforce_in_transit=topic.enforce_in_transit
        )
        # Of earlier keys, too: Pub/Sub decrypts a message when it delivers it, by the key that the topic had
        # when it was published: https://docs.cloud.google.com/pubsub/docs/encryption
        grants = [grant for key in topic.kms_keys for grant in self._agent.may_encrypt(key)]
        needed = pulumi.ResourceOptions(depends_on=grants)
        return {
            "kms_key_name": topic.kms_key or None,
            "message_storage_policy": storage if topic.regions else None,
            "opts": pulumi.ResourceOptions.merge(self._opts, needed),
        }
