"""A retention log: keep messages for a time, so that a seek can redeliver them."""

from collections import deque
from collections.abc import Iterator, Sequence

from pubsub_emulator.broker.message import Message


class RetentionLog:
    """Keep the messages of the last `retention_seconds`, in the order of publication."""

    def __init__(self, retention_seconds: float) -> None:
        self.retention_seconds = retention_seconds
        self._messages: deque[Message] = deque()

    def __iter__(self) -> Iterator[Message]:
        return iter(self._messages)

    def extend(self, messages: Sequence[Message]) -> None:
        """Add new messages, and drop expired ones."""
        if self.retention_seconds and messages:
            self._messages.extend(messages)
            self.trim(messages[-1].publish_time)

    def trim(self, now: float) -> None:
        """Drop the messages that are expired at `now`, in seconds since 1970."""
        oldest = now - self.retention_seconds
        while self._messages and self._messages[0].publish_time < oldest:
            self._messages.popleft()
