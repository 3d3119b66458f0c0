"""The event bus: schemas, topics, subscriptions and dead letters, as the topology says."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
from pulumi_gcp import pubsub

from event_store.topology import Subscription, Topology
from event_store.topology.delivery import BigQueryExport, CloudStorageExport, Push
from event_store_infra.components.bus.agent import Agent
from event_store_infra.components.bus.push import PushIdentity
from event_store_infra.components.bus.subscription import IMMUTABLE, arguments
from event_store_infra.components.bus.topics import Topics
from event_store_infra.components.children import child_options


@dataclass(frozen=True, slots=True, kw_only=True)
class EventBusArgs:
    """The arguments of `EventBus`.

    Attributes:
        project: The id of the project.
        region: Where Cloud Run services are that the topology pushes to.
        prefix: The beginning of the push identity's name.
        topology: Topics, subscriptions and dead letters. Their names are used as they are.
        labels: Labels of topics and subscriptions.
        is_delivered: Whether CI deploys: the bootstrap has made the push identity, and owners grant on
            tables, buckets and keys.
        keeps_push_identity: Whether the push identity is there, without a right, while no subscription
            pushes, too. One that is made anew does not get back what owners of endpoints granted to it.
    """

    project: str
    region: str
    prefix: str
    topology: Topology
    labels: Mapping[str, str] = field(default_factory=dict)
    is_delivered: bool = False
    keeps_push_identity: bool = False


class EventBus(pulumi.ComponentResource):
    """Owns schemas, topics and subscriptions and, for every subscription, where its dead letters go.

    Dead letters go to a topic of their own with a pull subscription that never expires, since messages of a
    topic without a subscription are lost, and the Pub/Sub service agent gets the two grants without which it
    silently redelivers for ever. It owns the identity of push requests, too, and the grants of those whom the
    topology names as consumers. It deliberately grants no publisher, and owns no table, bucket or key: these
    are there already.

    Attributes:
        topics: The ids (`projects/P/topics/T`) by name, without those of dead letters.
        subscriptions: The ids (`projects/P/subscriptions/S`) by name, without those of dead letters, each of
            its newest generation.
        dead_letter_subscriptions: The ids of the pull subscriptions on dead letters, by name.
    """

    topics: dict[str, pulumi.Output[str]]
    subscriptions: dict[str, pulumi.Output[str]]
    dead_letter_subscriptions: dict[str, pulumi.Output[str]]

    def __init__(self, name: str, args: EventBusArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("event-store:infra:EventBus", name, None, opts)
        self._name, self._args, self._child = name, args, child_options(self, opts)
        self._agent = Agent(name, args.project, self._child, is_delivered=args.is_delivered)
        pushes = [each.delivery for each in args.topology.subscriptions if isinstance(each.delivery, Push)]
        self._push = (
            PushIdentity(
                name, args.project, args.prefix, self._agent, self._child, is_delivered=args.is_delivered
            )
            if pushes or args.keeps_push_identity
            else None
        )
        if pushes and self._push is not None:
            self._push.may_push(pushes, args.region)
        self._push_account = self._push.account if self._push is not None else None
        made = Topics(name, args.project, args.labels, self._agent, self._child)
        for schema in args.topology.schemas:
            made.hold_to(schema)
        topics = {topic.name: made.topic(topic) for topic in args.topology.topics}
        self.topics = {key: topic.id for key, topic in topics.items()}
        self.subscriptions, self.dead_letter_subscriptions = {}, {}
        declared = {topic.name: topic for topic in args.topology.topics}
        for subscription in args.topology.subscriptions:
            letters, kept = made.dead_letters(subscription, declared[subscription.topic])
            self.dead_letter_subscriptions[subscription.dead_letter_name] = kept.id
            self._subscribe(subscription, topics[subscription.topic], letters)
        self.register_outputs(
            {
                "topics": self.topics,
                "subscriptions": self.subscriptions,
                "dead_letter_subscriptions": self.dead_letter_subscriptions,
            }
        )

    def _subscribe(self, subscription: Subscription, topic: pubsub.Topic, dead_letters: pubsub.Topic) -> None:
        needed: list[pulumi.Resource] = []
        if isinstance(subscription.delivery, BigQueryExport | CloudStorageExport):
            needed += self._agent.may_export(subscription.delivery)
        if isinstance(subscription.delivery, Push) and self._push is not None:
            needed += self._push.grants
        for generation in (*subscription.kept_generations, subscription.generation):
            is_kept = generation != subscription.generation
            made = self._generation(
                subscription,
                generation,
                topic,
                dead_letters,
                pulumi.ResourceOptions.merge(
                    self._child,
                    pulumi.ResourceOptions(
                        depends_on=needed,
                        # Its name is taken until it is gone.
                        delete_before_replace=True,
                        # One that is kept keeps what cannot change until it is drained.
                        ignore_changes=list(IMMUTABLE) if is_kept else None,
                    ),
                ),
            )
            self.subscriptions[subscription.name] = made.id

    def _generation(
        self,
        subscription: Subscription,
        generation: int,
        topic: pubsub.Topic,
        dead_letters: pubsub.Topic,
        opts: pulumi.ResourceOptions,
    ) -> pubsub.Subscription:
        name = subscription.name_of(generation)
        made = pubsub.Subscription(
            f"{self._name}-{name}-subscription",
            project=self._args.project,
            name=name,
            topic=topic.id,
            dead_letter_policy=pubsub.SubscriptionDeadLetterPolicyArgs(
                dead_letter_topic=dead_letters.id,
                max_delivery_attempts=subscription.max_delivery_attempts,
            ),
            **arguments(subscription, self._args.labels, self._push_account),
            opts=opts,
        )
        self._agent.may_take_dead_letters(name, made)
        for consumer in subscription.consumers:
            pubsub.SubscriptionIAMMember(
                f"{self._name}-{name}-consumer-{consumer}",
                project=self._args.project,
                subscription=made.name,
                role="roles/pubsub.subscriber",
                member=consumer,
                opts=self._child,
            )
        return made
