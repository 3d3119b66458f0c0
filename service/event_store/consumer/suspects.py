"""Messages that may kill the process that handles them, and so are handled alone.

A process that is killed says nothing of it: all that it held is delivered once more, the message that killed
it and those that were only there, and Pub/Sub counts that against each of them. So what was delivered
SUSPECT_ATTEMPT times, although this process has never been done with it, is handled while nothing else is in
hand. Of those that were lost together, the last are handled first every other time. Whatever stands with a
killer is handled before it after two more deaths at the latest, and does not become a dead letter with it.
"""

import asyncio
from typing import Any, Final

SUSPECT_ATTEMPT: Final = 3  # Google makes dead letters after 5 at the earliest
# Those that were lost together come again together, but not in one moment.
GATHER_SECONDS: Final = 0.5
_MOST_SURVIVED: Final = 10_000


class Suspects:
    """The messages of a consumer that are handled alone."""

    def __init__(self) -> None:
        self._survived: dict[str, None] = {}
        self._waiting: dict[str, Any] = {}
        self._has_some = asyncio.Event()

    def survived(self, received: Any) -> None:
        """Note that this process has handled a message, or refused it: if it comes again, that is why."""
        self._survived[received.message.message_id] = None
        if len(self._survived) > _MOST_SURVIVED:
            del self._survived[next(iter(self._survived))]

    def is_one(self, received: Any) -> bool:
        """Return whether a message is to be handled alone."""
        is_repeated = received.delivery_attempt >= SUSPECT_ATTEMPT
        return is_repeated and received.message.message_id not in self._survived

    def add(self, key: str, received: Any) -> None:
        """Let a message wait for its turn.

        Args:
            key: Its lane.
            received: A `ReceivedMessage`.
        """
        self._waiting[key] = received
        self._has_some.set()

    async def wait(self) -> None:
        """Wait until there is one."""
        await self._has_some.wait()

    def take(self) -> list[str]:
        """Return the lanes of those that wait, in the order in which to handle them."""
        keys = sorted(self._waiting, key=lambda key: _turn(self._waiting[key]))
        self.clear()
        return keys

    def clear(self) -> None:
        """Forget those that wait."""
        self._waiting.clear()
        self._has_some.clear()


def _turn(received: Any) -> tuple[int, int]:
    position = received.message.attributes.get("global_position", "")
    place = int(position) if position.isdecimal() else 0
    attempt = received.delivery_attempt
    return attempt, place if attempt % 2 else -place
