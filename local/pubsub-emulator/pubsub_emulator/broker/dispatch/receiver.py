"""A receiver: the flow control of a stream, a waiting pull or the push loop."""

import asyncio
import itertools
import math
from collections.abc import Callable

from pubsub_emulator.errors import PubSubError


class Receiver:
    """Count the outstanding messages of one consumer against its limits, and wake it.

    Args:
        max_messages: Maximum number of unacknowledged messages; <= 0 means no limit.
        max_bytes: Maximum size of the unacknowledged messages; <= 0 means no limit.
        stays: Whether it continues to take messages (stream, push) or takes only once (pull).
        one_per_key: Whether at most one message per ordering key is outstanding, as with Google's push.
        on_refusal: Called after a nack of a message that it holds.
    """

    _numbers = itertools.count()

    def __init__(
        self,
        *,
        max_messages: int = 0,
        max_bytes: int = 0,
        stays: bool = True,
        one_per_key: bool = False,
        on_refusal: Callable[[], None] = lambda: None,
    ) -> None:
        self.number = next(self._numbers)
        self.stays = stays
        self.one_per_key = one_per_key
        self.on_refusal = on_refusal
        self.closed = False
        self.failure: PubSubError | None = None
        self._max_messages = max_messages if max_messages > 0 else math.inf
        self._max_bytes = max_bytes if max_bytes > 0 else math.inf
        self._messages = 0
        self._bytes = 0
        self._event = asyncio.Event()

    @property
    def has_room(self) -> bool:
        """Whether flow control allows one more message."""
        return self._messages < self._max_messages and self._bytes < self._max_bytes

    def hold(self, size_bytes: int) -> None:
        """Count a message that was handed out."""
        self._messages += 1
        self._bytes += size_bytes

    def release(self, size_bytes: int) -> None:
        """Uncount a settled message, and wake: there may be room again."""
        self._messages -= 1
        self._bytes -= size_bytes
        self.wake()

    def fail(self, failure: PubSubError) -> None:
        """Fail the consumer with an error for its client."""
        self.failure = self.failure or failure
        self.wake()

    def wake(self) -> None:
        """Wake the consumer."""
        self._event.set()

    async def woken(self) -> None:
        """Wait for a `wake` since the last call; raise the error of `fail`."""
        if self.failure is None:
            await self._event.wait()
            self._event.clear()
        if self.failure is not None:
            raise self.failure
