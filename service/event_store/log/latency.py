"""Measure latencies in a histogram with steps of 25 %, in constant memory."""

import math
from itertools import accumulate
from typing import Final

_SHORTEST_SECONDS: Final = 0.0001
_GROWTH: Final = 1.25
_STEPS: Final = 80  # up to an hour and a half


class Latency:
    """The latencies since the last call of `take`."""

    def __init__(self) -> None:
        self._counts = [0] * _STEPS

    def note(self, seconds: float, count: int = 1) -> None:
        """Record a latency in seconds, `count` times."""
        step = math.ceil(math.log(max(seconds, _SHORTEST_SECONDS) / _SHORTEST_SECONDS, _GROWTH))
        self._counts[min(step, _STEPS - 1)] += count

    def take(self, fraction: float) -> float | None:
        """Return a quantile of the latencies in seconds and start again; None if there were none.

        Args:
            fraction: The quantile, 0 to 1, such as 0.99.
        """
        counts, self._counts = self._counts, [0] * _STEPS
        wanted = math.ceil(fraction * sum(counts))
        if not wanted:
            return None
        step = next(step for step, seen in enumerate(accumulate(counts)) if seen >= wanted)
        return float(_SHORTEST_SECONDS * _GROWTH**step)
