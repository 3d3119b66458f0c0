"""Limit the rate of events."""

import asyncio
from typing import Final

_SLACK_SECONDS: Final = 0.01  # shorter waits cost more than they help


class RateLimit:
    """Lets events pass at a limited rate, by the event loop's clock.

    Invariant: in any window of t seconds at most (t + _SLACK_SECONDS) · events_per_second + 1 events pass.
    Unused time does not accumulate.

    Args:
        events_per_second: The highest rate; 0 is no limit.
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
