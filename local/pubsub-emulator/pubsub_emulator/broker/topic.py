"""A topic: number messages, keep them for its retention, and pass them to its subscriptions."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pubsub_emulator.broker.message import Message
from pubsub_emulator.broker.retention_log import RetentionLog

if TYPE_CHECKING:
    from pubsub_emulator.broker.clock import Clock
    from pubsub_emulator.broker.settings import TopicSettings


Receive = Callable[[Sequence[Message], Sequence[Mapping[str, str]]], None]
"""Take new messages, each with its attributes."""


class Topic:
    """A topic's state. It knows its subscriptions and snapshots only as places for new messages.

    Args:
        config: The Topic message, checked and completed by `settings`.
        settings: The parsed settings of `config`.
        clock: The server's clock.
        sequence: The message numbers, shared by all topics of the server.

    Attributes:
        subscriptions: By name, the function that takes new messages.
        snapshots: By name, the list that new messages are added to.
    """

    def __init__(
        self, config: Any, settings: "TopicSettings", clock: "Clock", sequence: Iterator[int]
    ) -> None:
        self.config = config
        self.log = RetentionLog(settings.retention_seconds)
        self.subscriptions: dict[str, Receive] = {}
        self.snapshots: dict[str, list[Message]] = {}
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
        for receive in self.subscriptions.values():
            receive(messages, attributes)
        for kept in self.snapshots.values():
            kept.extend(messages)
        return [raw.message_id for raw in raw_messages]

    def trim(self) -> None:
        """Drop expired messages."""
        self.log.trim(self._clock.now())
