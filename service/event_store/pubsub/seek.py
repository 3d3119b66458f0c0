"""Deliver to one subscription again what it had, by Pub/Sub's own seek, while its topic still holds that."""

from datetime import UTC, datetime, timedelta
from typing import Final

from event_store.errors import InvalidArgumentError
from event_store.pubsub.subscriber import Subscriber
from event_store.topology import Subscription, Topology

# Messages at the edge of the retention would be gone before the seek takes effect.
MARGIN: Final = timedelta(minutes=1)


async def seek(topology: Topology, project: str, name: str, moment: datetime) -> None:
    """Deliver everything of a subscription again that was published at a time or later, unfiltered.

    What was published before it counts as acknowledged. An event is published after it was recorded, so its
    `created_at` is a time that brings it back.

    Args:
        topology: Knows the subscription, and for how long its topic holds messages.
        project: The Google Cloud project's id.
        name: The subscription's name.
        moment: With a time zone.

    Raises:
        InvalidArgumentError: There is no such subscription, or its topic does not reach back so far.
        ConfigurationError: Pub/Sub has no such subscription, or you have no right to it.
        UnavailableError: Pub/Sub is away, or cannot seek.
    """
    subscription = _subscription(topology, name)
    topic = next(topic for topic in topology.topics if topic.name == subscription.topic)
    held = timedelta(seconds=topic.message_retention_seconds)
    now = datetime.now(UTC)
    if moment > now:
        raise InvalidArgumentError.of(
            "time", f"is {moment.isoformat()}, in the future, which would drop all that waits"
        )
    if moment < now - held + MARGIN:
        raise InvalidArgumentError.of(
            "time",
            f"is {moment.isoformat()}, but {topic.name} holds messages for {held} only: replay to a topic of "
            "its own (`event-store replay start`), or raise its messageRetentionDuration for the next time",
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
