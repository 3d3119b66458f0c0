"""Publish dead letters, if the subscription's service agent has the roles for that.

The subscription counts the attempts (`Subscription._return`).

At Google the service agent of the subscription's project publishes them. It needs the roles to publish to the
dead-letter topic and to consume from the subscription. Without both, messages are redelivered forever, and
`delivery_attempt` is not set. This server requires the roles only if it is started with `service_agent`, as
in the local Google Cloud.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from pubsub_emulator.access.policy import allows
from pubsub_emulator.access.roles import CONSUME, PUBLISH

if TYPE_CHECKING:
    from pubsub_emulator.broker.dispatch.ordering_lane import QueuedMessage
    from pubsub_emulator.broker.subscription import Subscription
    from pubsub_emulator.broker.topic import Topic

ServiceAgent = Callable[[str], str]
"""The email of Pub/Sub's service agent in a project."""


class DeadLetters:
    """Publish messages to dead-letter topics.

    Args:
        topics: All topics by name.
        policies: IAM policies by the name of their resource.
        service_agent: Returns the service agent of a project; None if no role is required.
    """

    def __init__(
        self, topics: "Mapping[str, Topic]", policies: Mapping[str, Any], service_agent: ServiceAgent | None
    ) -> None:
        self._topics = topics
        self._policies = policies
        self._service_agent = service_agent

    def target(self, subscription: "Subscription") -> "Topic | None":
        """Return a subscription's dead-letter topic; None if it has none, or a role is missing."""
        policy = subscription.settings.dead_letter_policy
        topic = self._topics.get(policy.topic) if policy else None
        if topic is None or self._service_agent is None:
            return topic
        agent = f"serviceAccount:{self._service_agent(subscription.name.split('/')[1])}"
        is_allowed = allows(self._policies.get(topic.name), agent, PUBLISH) and allows(
            self._policies.get(subscription.name), agent, CONSUME
        )
        return topic if is_allowed else None

    def publish(self, subscription: "Subscription", delivery: "QueuedMessage") -> bool:
        """Publish a message as a dead letter; return False if `target` is None."""
        topic = self.target(subscription)
        if topic is None:
            return False
        raw = delivery.message.parse()
        _, project, _, subscription_id = subscription.name.split("/")
        raw.attributes["CloudPubSubDeadLetterSourceDeliveryCount"] = str(delivery.attempt)
        raw.attributes["CloudPubSubDeadLetterSourceSubscription"] = subscription_id
        raw.attributes["CloudPubSubDeadLetterSourceSubscriptionProject"] = project
        raw.attributes["CloudPubSubDeadLetterSourceTopicPublishTime"] = raw.publish_time.ToJsonString()
        topic.publish([raw])
        return True
