"""Find messages that may kill the process that handles them, so that they are handled alone.

When a process is killed, Pub/Sub delivers every message that it held again and counts an attempt for each:
for the message that killed it and for the innocent ones. A message is a suspect at its SUSPECT_ATTEMPT-th
delivery, unless this process has already finished it. A suspect is handled while nothing else is in hand.
Suspects of one attempt are handled in the log's order, and every other attempt in reverse. So an innocent
message is handled before the killer after two more deaths at most, and does not become a dead letter with it.
"""

import asyncio
from typing import Any, Final

SUSPECT_ATTEMPT: Final = 3  # Google makes dead letters after 5 at the earliest
# Messages of one killed process are delivered again together, but not in one moment.
GATHER_SECONDS: Final = 0.5
_MOST_SURVIVED: Final = 10_000


class Suspects:
    """Tracks the messages of a consumer that must be handled alone."""

    def __init__(self) -> None:
        self._survived: dict[str, None] = {}
        self._waiting: dict[str, Any] = {}
        self._has_some = asyncio.Event()

    def survived(self, received: Any) -> None:
        """Note that this process has handled or rejected a message, so another delivery is not suspect."""
        self._survived[received.message.message_id] = None
        if len(self._survived) > _MOST_SURVIVED:
            del self._survived[next(iter(self._survived))]

    def is_one(self, received: Any) -> bool:
        """Return whether a message is a suspect, to be handled alone."""
        is_repeated = received.delivery_attempt >= SUSPECT_ATTEMPT
        return is_repeated and received.message.message_id not in self._survived

    def add(self, key: str, received: Any) -> None:
        """Add a suspect, to be handled later.

        Args:
            key: The key of its lane.
            received: The `ReceivedMessage`.
        """
        self._waiting[key] = received
        self._has_some.set()

    async def wait(self) -> None:
        """Wait until there is a suspect."""
        await self._has_some.wait()

    def take(self) -> list[str]:
        """Remove all suspects; return the keys of their lanes, in the order in which to handle them."""
        keys = sorted(self._waiting, key=lambda key: _turn(self._waiting[key]))
        self.clear()
        return keys

    def clear(self) -> None:
        """Remove all suspects."""
        self._waiting.clear()
        self._has_some.clear()


def _turn(received: Any) -> tuple[int, int]:
    position = received.message.attributes.get("global_position", "")
    place = int(position) if position.isdecimal() else 0
    attempt = received.delivery_attempt
    return attempt, place if attempt % 2 else -place
