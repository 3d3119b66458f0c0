"""How long something takes, counted in steps of a quarter, so that any number of times takes no memory."""

import math
from itertools import accumulate
from typing import Final

_SHORTEST_SECONDS: Final = 0.0001
_GROWTH: Final = 1.25
_STEPS: Final = 80  # up to an hour and a half


class Latency:
    """Times since the last look."""

    def __init__(self) -> None:
        self._counts = [0] * _STEPS

    def note(self, seconds: float, count: int = 1) -> None:
        """Note that something took so long, so many times."""
        step = math.ceil(math.log(max(seconds, _SHORTEST_SECONDS) / _SHORTEST_SECONDS, _GROWTH))
        self._counts[min(step, _STEPS - 1)] += count

    def take(self, fraction: float) -> float | None:
        """Return how long this fraction of the times took at most, and begin anew; None if there was none.

        Args:
            fraction: 0 to 1, as 0.99 for the slowest of a hundred.
        """
        counts, self._counts = self._counts, [0] * _STEPS
        wanted = math.ceil(fraction * sum(counts))
        if not wanted:
            return None
        step = next(step for step, seen in enumerate(accumulate(counts)) if seen >= wanted)
        return float(_SHORTEST_SECONDS * _GROWTH**step)
