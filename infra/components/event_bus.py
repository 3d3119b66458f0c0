"""The event bus: topics, subscriptions and dead letters, as the topology says."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi_gcp import projects, pubsub

from event_store.topology import Subscription, Topology
from infra.components.children import child_options

DEAD_LETTER_RETENTION: Final = "2678400s"  # 31 days, the most that Pub/Sub keeps a message
NEVER: Final = pubsub.SubscriptionExpirationPolicyArgs(ttl="")  # unset would mean after 31 idle days


@dataclass(frozen=True, slots=True, kw_only=True)
class EventBusArgs:
    """What `EventBus` is made from.

    Attributes:
        project: The id of the project.
        topology: Topics, subscriptions and dead letters. Their names are used as they are.
        labels: Labels of topics and subscriptions.
    """

    project: str
    topology: Topology
    labels: Mapping[str, str]


class EventBus(pulumi.ComponentResource):
    """Owns topics and subscriptions and, for every subscription, where its dead letters go.

    Dead letters go to a topic of their own with a pull subscription that never expires, since messages of a
    topic without a subscription are lost, and the Pub/Sub service agent gets the two grants without which it
    silently redelivers for ever. It deliberately grants no publisher or consumer: each brings its own grant.

    Attributes:
        topics: The ids (`projects/P/topics/T`) by name, without those of dead letters.
        subscriptions: The ids (`projects/P/subscriptions/S`) by name, without those of dead letters.
        dead_letter_subscriptions: The ids of the pull subscriptions on dead letters, by name.
    """

    topics: dict[str, pulumi.Output[str]]
    subscriptions: dict[str, pulumi.Output[str]]
    dead_letter_subscriptions: dict[str, pulumi.Output[str]]

    def __init__(self, name: str, args: EventBusArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("event-store:infra:EventBus", name, None, opts)
        self._name, self._args, self._child = name, args, child_options(self, opts)
        # A physical name is taken until its owner is gone, and an immutable field's change makes a new owner.
        self._replaced = pulumi.ResourceOptions.merge(
            self._child, pulumi.ResourceOptions(delete_before_replace=True)
        )
        self._agent = projects.ServiceIdentity(
            f"{name}-agent", project=args.project, service="pubsub.googleapis.com", opts=self._child
        )
        topics = {
            topic.name: self._topic(topic.name, f"{topic.message_retention_seconds}s")
            for topic in args.topology.topics
        }
        self.topics = {key: topic.id for key, topic in topics.items()}
        self.subscriptions, self.dead_letter_subscriptions = {}, {}
        for subscription in args.topology.subscriptions:
            dead_letters = self._dead_letters(subscription)
            self._subscription(subscription, topics[subscription.topic], dead_letters)
        self.register_outputs(
            {
                "topics": self.topics,
                "subscriptions": self.subscriptions,
                "dead_letter_subscriptions": self.dead_letter_subscriptions,
            }
        )

    def _topic(self, topic: str, retention: str | None = None) -> pubsub.Topic:
        return pubsub.Topic(
            f"{self._name}-{topic}",
            project=self._args.project,
            name=topic,
            message_retention_duration=retention,
            labels=self._args.labels,
            opts=self._replaced,
        )

    def _dead_letters(self, subscription: Subscription) -> pubsub.Topic:
        """Make the topic of the subscription's dead letters and the pull subscription that keeps them."""
        name = subscription.dead_letter_name
        topic = self._topic(name)
        kept = pubsub.Subscription(
            f"{self._name}-{name}-subscription",
            project=self._args.project,
            name=name,
            topic=topic.id,
            ack_deadline_seconds=subscription.ack_deadline_seconds,
            message_retention_duration=DEAD_LETTER_RETENTION,
            retain_acked_messages=False,
            # Each dead letter is looked at by itself; none waits behind another of its key.
            enable_message_ordering=False,
            enable_exactly_once_delivery=False,
            expiration_policy=NEVER,
            labels=self._args.labels,
            opts=self._replaced,
        )
        pubsub.TopicIAMMember(
            f"{self._name}-{name}-publisher",
            project=self._args.project,
            topic=topic.name,
            role="roles/pubsub.publisher",
            member=self._agent.member,
            opts=self._child,
        )
        self.dead_letter_subscriptions[name] = kept.id
        return topic

    def _subscription(
        self, subscription: Subscription, topic: pubsub.Topic, dead_letters: pubsub.Topic
    ) -> None:
        retry = subscription.retry_policy
        made = pubsub.Subscription(
            f"{self._name}-{subscription.name}-subscription",
            project=self._args.project,
            name=subscription.name,
            topic=topic.id,
            ack_deadline_seconds=subscription.ack_deadline_seconds,
            message_retention_duration=f"{subscription.message_retention_seconds}s",
            retain_acked_messages=False,
            enable_message_ordering=subscription.enable_message_ordering,
            enable_exactly_once_delivery=False,
            filter=subscription.filter or None,
            expiration_policy=NEVER,
            retry_policy=pubsub.SubscriptionRetryPolicyArgs(
                minimum_backoff=f"{retry.minimum_backoff_seconds}s",
                maximum_backoff=f"{retry.maximum_backoff_seconds}s",
            ),
            dead_letter_policy=pubsub.SubscriptionDeadLetterPolicyArgs(
                dead_letter_topic=dead_letters.id,
                max_delivery_attempts=subscription.max_delivery_attempts,
            ),
            labels=self._args.labels,
            opts=self._replaced,
        )
        pubsub.SubscriptionIAMMember(
            f"{self._name}-{subscription.name}-subscriber",
            project=self._args.project,
            subscription=made.name,
            role="roles/pubsub.subscriber",
            member=self._agent.member,
            opts=self._child,
        )
        self.subscriptions[subscription.name] = made.id
