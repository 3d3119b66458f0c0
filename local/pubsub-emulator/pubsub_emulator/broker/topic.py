"""A topic: number messages, keep them for its retention, and pass them to its subscriptions."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from pubsub_emulator.broker.message import Message
from pubsub_emulator.broker.retention_log import RetentionLog

if TYPE_CHECKING:
    from pubsub_emulator.broker.clock import Clock
    from pubsub_emulator.broker.settings import TopicSettings
    from pubsub_emulator.broker.snapshot import Snapshot
    from pubsub_emulator.broker.subscription import Subscription


class Topic:
    """A topic's state.

    Args:
        config: The Topic message, checked and completed by `settings`.
        settings: The parsed settings of `config`.
        clock: The server's clock.
        sequence: The message numbers, shared by all topics of the server.
    """

    def __init__(
        self, config: Any, settings: "TopicSettings", clock: "Clock", sequence: Iterator[int]
    ) -> None:
        self.config = config
        self.log = RetentionLog(settings.retention_seconds)
        self.subscriptions: dict[str, Subscription] = {}
        self.snapshots: dict[str, Snapshot] = {}
        self._clock = clock
        self._sequence = sequence

    @property
    def name(self) -> str:
        """The full resource name."""
        return str(self.config.name)

    def configure(self, config: Any, settings: "TopicSettings") -> None:
        """Replace the settings."""
        self.config = config
        self.log.retention_seconds = settings.retention_seconds
        self.trim()

    def publish(self, raw_messages: Sequence[Any]) -> list[str]:
        """Publish PubsubMessages in their order and return their ids.

        Each gets its id and publish time, and is serialised once for all subscriptions.
        """
        now = self._clock.now()
        seconds = int(now)
        nanos = int((now - seconds) * 1e6) * 1_000
        messages: list[Message] = []
        for raw, number in zip(raw_messages, self._sequence, strict=False):
            raw.message_id = str(number)
            raw.publish_time.seconds = seconds
            raw.publish_time.nanos = nanos
            messages.append(Message(number, now, raw.ordering_key, raw.SerializeToString()))
        attributes = [raw.attributes for raw in raw_messages]
        self.log.extend(messages)
        for subscription in self.subscriptions.values():
            subscription.receive(messages, attributes)
        for snapshot in self.snapshots.values():
            snapshot.messages.extend(messages)
        return [raw.message_id for raw in raw_messages]

    def trim(self) -> None:
        """Drop expired messages."""
        self.log.trim(self._clock.now())
