"""At most so many events each second."""

import asyncio
from typing import Final

_SLACK_SECONDS: Final = 0.01  # shorter waits would cost more than they are worth


class RateLimit:
    """Lets events pass one after the other, by the clock of the loop.

    Invariant: in any stretch of time no more pass than its seconds, and `_SLACK_SECONDS`, times
    `events_per_second`, and one. What was not used is not saved up.

    Args:
        events_per_second: 0 is no limit.
    """

    def __init__(self, events_per_second: int) -> None:
        self._step_seconds = 1 / events_per_second if events_per_second else 0.0
        self._due = 0.0

    async def take(self) -> None:
        """Wait until the next event may pass."""
        if not self._step_seconds:
            return
        now = asyncio.get_running_loop().time()
        self._due = max(self._due, now)
        if self._due - now > _SLACK_SECONDS:
            await asyncio.sleep(self._due - now)
        self._due += self._step_seconds
