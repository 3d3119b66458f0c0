"""Creates the topics and subscriptions of a topology on a Pub/Sub emulator; those that exist are left alone.

For `docker-compose.yml`, where no Pulumi runs: `python emulator_bus.py PROJECT TOPOLOGY_FILE`, with the
emulator in PUBSUB_EMULATOR_HOST.
"""

import contextlib
import os
import sys
from collections.abc import Callable
from typing import Any

from google.api_core.exceptions import AlreadyExists
from google.cloud import pubsub_v1

from event_store.errors import ConfigurationError
from event_store.topology import Subscription, Topology


def create(project: str, topology: Topology) -> None:
    """Create the bus, subscriptions after their topics and dead letters first."""
    publisher, subscriber = pubsub_v1.PublisherClient(), pubsub_v1.SubscriberClient()
    with subscriber:
        for topic in topology.topics:
            retention = {"seconds": topic.message_retention_seconds}
            _ensure(
                publisher.create_topic,
                name=_topic(project, topic.name),
                message_retention_duration=retention,
            )
        for subscription in topology.subscriptions:
            dead_letter = subscription.dead_letter_name
            _ensure(publisher.create_topic, name=_topic(project, dead_letter))
            _ensure(
                subscriber.create_subscription,
                name=f"projects/{project}/subscriptions/{dead_letter}",
                topic=_topic(project, dead_letter),
            )
            _ensure(subscriber.create_subscription, **_request(project, subscription))
    publisher.stop()


def _topic(project: str, name: str) -> str:
    return f"projects/{project}/topics/{name}"


def _request(project: str, subscription: Subscription) -> dict[str, Any]:
    return {
        "name": f"projects/{project}/subscriptions/{subscription.physical_name}",
        "topic": _topic(project, subscription.topic),
        "ack_deadline_seconds": subscription.ack_deadline_seconds,
        "message_retention_duration": {"seconds": subscription.message_retention_seconds},
        "retry_policy": {
            "minimum_backoff": {"seconds": subscription.retry_policy.minimum_backoff_seconds},
            "maximum_backoff": {"seconds": subscription.retry_policy.maximum_backoff_seconds},
        },
        "dead_letter_policy": {
            "dead_letter_topic": _topic(project, subscription.dead_letter_name),
            "max_delivery_attempts": subscription.max_delivery_attempts,
        },
        "filter": subscription.filter,
        "enable_message_ordering": subscription.enable_message_ordering,
    }


def _ensure(create_one: Callable[..., object], **request: Any) -> None:
    with contextlib.suppress(AlreadyExists):
        create_one(request=request, timeout=30)


def main(arguments: list[str]) -> int:
    """Create the bus that the command line names."""
    match arguments:
        case [project, path]:
            pass
        case _:
            print("usage: emulator_bus.py PROJECT TOPOLOGY_FILE", file=sys.stderr)
            return 2
    if not os.environ.get("PUBSUB_EMULATOR_HOST"):
        print("error: PUBSUB_EMULATOR_HOST is not set, and this is for emulators alone", file=sys.stderr)
        return 1
    try:
        create(project, Topology.load(path))
    except ConfigurationError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
