"""Whether a consumer's handler works at all: if it fails for everything, the consumer pauses and says so.

Invariants:

- Events that cannot be handled now are kept, so a pause for them is only said, not made.
- Events that are refused spend deliveries. When REFUSED_AFTER of them were refused and none was handled, it
  is the handler that is broken: the next ones are tried one by one, ever more slowly. One that is handled
  ends the pause.
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
    """Counts the events that were not handled since the last that was.

    Attributes:
        failures: How often an event could not be handled now, since the last that was handled.
        passes: How many events were handled.
    """

    def __init__(self) -> None:
        self.failures = 0
        self.passes = 0
        self._refused: set[str] = set()
        self._one_by_one = asyncio.Lock()
        self._backoff = Backoff(FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS)

    def failed(self, error: Exception) -> None:
        """Note that an event could not be handled now."""
        self.failures += 1
        if self.failures == PAUSED_AFTER:
            logger.error("paused: no event can be handled, each is kept and tried again: %s", error)

    def refused(self, message_id: str) -> None:
        """Note that an event was refused."""
        self._refused.add(message_id)

    def passed(self) -> None:
        """Note that an event was handled."""
        if self.failures >= PAUSED_AFTER or self._is_broken():
            logger.info("events are handled again")
        self.failures = 0
        self.passes += 1
        self._refused.clear()
        self._backoff.reset()

    async def pause(self) -> None:
        """Wait before the next event while all are refused."""
        if self._is_broken():
            async with self._one_by_one:
                if self._is_broken():
                    seconds = self._backoff.next_seconds()
                    logger.error("paused for %.1f s: every event is refused, see why above", seconds)
                    await asyncio.sleep(seconds)

    def _is_broken(self) -> bool:
        return len(self._refused) >= REFUSED_AFTER
