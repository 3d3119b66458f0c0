"""One that takes messages from a subscription: a stream, a waiting pull or the push loop."""

import asyncio
import itertools
import math
from collections.abc import Callable

from pubsub_emulator.errors import PubSubError


class Receiver:
    """Flow control of one that takes messages.

    Args:
        max_messages: Stop at so many unacknowledged messages; 0 or less for no limit.
        max_bytes: Stop at so many unacknowledged bytes; 0 or less for no limit.
        stays: Whether it goes on taking messages (a stream, push) or leaves with its first (a pull).
        one_per_key: Whether it takes a key's next message only after the one before it is settled, as
            Google's push does; others get the key's messages one behind the other.
        on_refusal: Called when a message that it holds is refused.
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
        """Whether flow control lets it have one more message."""
        return self._messages < self._max_messages and self._bytes < self._max_bytes

    def hold(self, size_bytes: int) -> None:
        """Count a message that was handed to it."""
        self._messages += 1
        self._bytes += size_bytes

    def release(self, size_bytes: int) -> None:
        """Count a message less; there may be room again."""
        self._messages -= 1
        self._bytes -= size_bytes
        self.wake()

    def fail(self, failure: PubSubError) -> None:
        """End it, for a reason that its client should know."""
        self.failure = self.failure or failure
        self.wake()

    def wake(self) -> None:
        """Let it look again for something to do."""
        self._event.set()

    async def woken(self) -> None:
        """Wait for `wake` since the last call; raise what it failed with."""
        if self.failure is None:
            await self._event.wait()
            self._event.clear()
        if self.failure is not None:
            raise self.failure
