"""Compute the wait before a retry."""

import asyncio
import random
from contextlib import suppress
from dataclasses import dataclass


@dataclass(slots=True)
class Backoff:
    """Exponential backoff with jitter, so that callers that failed together do not retry together.

    Attributes:
        first_seconds: The upper bound of the first wait.
        longest_seconds: The upper bound of every wait.
    """

    first_seconds: float
    longest_seconds: float
    _failures: int = 0

    def next_seconds(self) -> float:
        """Return the next wait in seconds, from half of its upper bound to the bound."""
        bound = min(self.longest_seconds, self.first_seconds * 2.0 ** min(self._failures, 30))
        self._failures += 1
        return bound * random.uniform(0.5, 1)  # noqa: S311 # jitter is no secret

    def reset(self) -> None:
        """Start again with the first wait, after a success."""
        self._failures = 0


async def wait_or_stop(stopping: asyncio.Event, seconds: float) -> None:
    """Wait for some seconds, or until `stopping` is set."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stopping.wait()
