"""Deliver retained messages to one subscription again, by Pub/Sub's Seek."""

from datetime import UTC, datetime, timedelta
from typing import Final

from event_store.errors import InvalidArgumentError
from event_store.pubsub.subscriber import Subscriber
from event_store.topology import Subscription, Topology

# Messages at the edge of the retention would be gone before the seek takes effect.
MARGIN: Final = timedelta(minutes=1)


async def seek(topology: Topology, project: str, name: str, moment: datetime) -> None:
    """Deliver all messages of a subscription again that were published at a time or later.

    Messages published before are acknowledged. An event is published after it was recorded, so a seek to its
    `created_at` delivers it again.

    Args:
        topology: The topology with the subscription and its topic's retention.
        project: The id of the Google Cloud project.
        name: The name of the subscription in the topology.
        moment: The time, with a time zone.

    Raises:
        InvalidArgumentError: The topology has no such subscription, or the time is in the future or beyond
            the topic's retention.
        ConfigurationError: Pub/Sub has no such subscription, or this identity may not seek it.
        UnavailableError: Pub/Sub is unreachable, or cannot seek.
    """
    subscription = _subscription(topology, name)
    topic = next(topic for topic in topology.topics if topic.name == subscription.topic)
    held = timedelta(seconds=topic.message_retention_seconds)
    now = datetime.now(UTC)
    if moment > now:
        raise InvalidArgumentError.of(
            "time",
            f"{moment.isoformat()} is in the future, which would acknowledge all waiting messages: "
            "use an earlier time",
        )
    if moment < now - held + MARGIN:
        raise InvalidArgumentError.of(
            "time",
            f"{moment.isoformat()} is too old: topic {topic.name} retains messages for {held}. Use "
            "`event-store replay start`, and raise messageRetentionDuration for the next time",
        )
    subscriber = Subscriber()
    await subscriber.open()
    try:
        await subscriber.seek(f"projects/{project}/subscriptions/{subscription.physical_name}", moment)
    finally:
        await subscriber.close()


def _subscription(topology: Topology, name: str) -> Subscription:
    for subscription in topology.subscriptions:
        if subscription.name == name:
            return subscription
    known = ", ".join(each.name for each in topology.subscriptions) or "none"
    raise InvalidArgumentError.of("subscription", f"{name!r} is not in the topology: use one of {known}")
