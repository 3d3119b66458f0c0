"""Pause a consumer whose handler fails for every event.

Invariants:

- Events that cannot be handled now are kept and retried, so such an outage is only logged.
- Rejected events use up delivery attempts. After REFUSED_AFTER rejected events without a handled one the
  handler is taken as broken: the next events are tried one at a time with exponential backoff. A handled
  event ends the pause.
"""

import asyncio
import logging
from typing import Final

from event_store.backoff import Backoff

PAUSED_AFTER: Final = 3  # in a row, the same event or others
REFUSED_AFTER: Final = 32  # different ones
FIRST_PAUSE_SECONDS: Final = 1.0
LONGEST_PAUSE_SECONDS: Final = 60.0

logger = logging.getLogger(__name__)


class Outage:
    """Counts the failures since the last handled event.

    Attributes:
        failures: The number of temporary failures since the last handled event.
        passes: The number of handled events.
    """

    def __init__(self) -> None:
        self.failures = 0
        self.passes = 0
        self._refused: set[str] = set()
        self._one_by_one = asyncio.Lock()
        self._backoff = Backoff(FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS)

    def failed(self, error: Exception) -> None:
        """Count a temporary failure of an event."""
        self.failures += 1
        if self.failures == PAUSED_AFTER:
            logger.error("paused: no event can be handled, all are kept and retried: %s", error)

    def refused(self, message_id: str) -> None:
        """Count a rejected event."""
        self._refused.add(message_id)

    def passed(self) -> None:
        """Count a handled event, and end a pause."""
        if self.failures >= PAUSED_AFTER or self._is_broken():
            logger.info("events are handled again")
        self.failures = 0
        self.passes += 1
        self._refused.clear()
        self._backoff.reset()

    async def pause(self) -> None:
        """Wait before the next event if all recent ones were rejected."""
        if self._is_broken():
            async with self._one_by_one:
                if self._is_broken():
                    seconds = self._backoff.next_seconds()
                    logger.error("paused for %.1f s: every event is rejected, see the errors above", seconds)
                    await asyncio.sleep(seconds)

    def _is_broken(self) -> bool:
        return len(self._refused) >= REFUSED_AFTER
