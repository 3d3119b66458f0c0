"""A snapshot: the messages unacknowledged when it was taken, and all published since."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pubsub_emulator import wire
from pubsub_emulator.broker.limits import SNAPSHOT_LIFE_MINIMUM_SECONDS, SNAPSHOT_LIFE_SECONDS, check_labels
from pubsub_emulator.errors import FailedPreconditionError, InvalidArgumentError

if TYPE_CHECKING:
    from pubsub_emulator.broker.message import Message
    from pubsub_emulator.broker.subscription import Subscription
    from pubsub_emulator.broker.topic import Topic


@dataclass(slots=True, eq=False)
class Snapshot:
    """A snapshot's state.

    Attributes:
        config: The Snapshot message.
        topic: The topic of its messages; None after the topic's deletion.
        messages: In the order of publication; the topic extends the list itself.
        expires_at_latest: The latest expiry that its backlog allows, in seconds since 1970.
    """

    config: Any
    topic: "Topic | None"
    messages: "list[Message]"
    expires_at_latest: float

    @classmethod
    def take(cls, request: Any, subscription: "Subscription", now: float) -> "Snapshot":
        """Take a snapshot; it expires after a week minus the age of its oldest message.

        The catalog has checked or generated the name of the CreateSnapshotRequest.

        Raises:
            InvalidArgumentError: A label is invalid.
            FailedPreconditionError: The topic is deleted, or the snapshot would expire within an hour.
        """
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
        return cls(config, subscription.topic, messages, _seconds(config.expire_time))

    def configure(self, config: Any, now: float) -> None:
        """Change the labels or the expiry.

        Raises:
            InvalidArgumentError: A label is invalid or the expiry is past or later than the backlog allows.
        """
        check_labels(config.labels)
        if not now < _seconds(config.expire_time) <= self.expires_at_latest:
            raise InvalidArgumentError(
                "Invalid expire_time: it must be in the future, and not later than"
                f" {SNAPSHOT_LIFE_SECONDS // 86_400} days after the oldest message of the snapshot."
            )
        self.config = config

    @property
    def expires_at(self) -> float:
        """The expiry in seconds since 1970."""
        return _seconds(self.config.expire_time)


def _seconds(timestamp: Any) -> float:
    return float(timestamp.ToMilliseconds() / 1000)
