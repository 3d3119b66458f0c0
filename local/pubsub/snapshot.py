"""One snapshot: what was unacknowledged when it was taken, and everything published since."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from local.pubsub import wire
from local.pubsub.errors import FailedPreconditionError
from local.pubsub.limits import SNAPSHOT_LIFE_MINIMUM_SECONDS, SNAPSHOT_LIFE_SECONDS, check_labels, check_name

if TYPE_CHECKING:
    from local.pubsub.message import Message
    from local.pubsub.subscription import Subscription
    from local.pubsub.topic import Topic


@dataclass(slots=True, eq=False)
class Snapshot:
    """A snapshot's state.

    Attributes:
        config: The Snapshot message.
        topic: Whose messages it holds; None once that is deleted.
        messages: In the order of publication.
    """

    config: Any
    topic: "Topic | None"
    messages: "list[Message]"

    @classmethod
    def take(cls, request: Any, subscription: "Subscription", now: float) -> "Snapshot":
        """Take what a CreateSnapshotRequest asks for; it lives for a week less the age of its oldest message.

        Raises:
            InvalidArgumentError: The name or a label is wrong.
            FailedPreconditionError: Its topic is gone, or it would live for less than an hour.
        """
        check_name(request.name, "snapshots")
        check_labels(request.labels)
        if subscription.topic is None:
            raise FailedPreconditionError(
                f"The subscription has no topic any more (resource={subscription.name})."
            )
        messages = subscription.unacknowledged()
        oldest = messages[0].publish_time if messages else now
        expires = oldest + SNAPSHOT_LIFE_SECONDS
        if expires - now < SNAPSHOT_LIFE_MINIMUM_SECONDS:
            raise FailedPreconditionError(
                "The snapshot would expire in less than an hour: its backlog is too old."
            )
        config = wire.Snapshot(name=request.name, topic=subscription.topic.name, labels=dict(request.labels))
        config.expire_time.FromMilliseconds(int(expires * 1000))
        return cls(config, subscription.topic, messages)

    @property
    def expires_at(self) -> float:
        """Seconds since 1970."""
        return float(self.config.expire_time.ToMilliseconds() / 1000)
