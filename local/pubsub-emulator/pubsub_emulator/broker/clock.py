"""Clocks, injected, so that a test of retention or of a deadline does not have to wait."""

import asyncio
import heapq
import itertools
import time
from collections.abc import Callable
from typing import Protocol


class Timer(Protocol):
    """A scheduled call."""

    def cancel(self) -> None:
        """Cancel the call; does nothing after the call was made."""


class Clock(Protocol):
    """The server's source of time."""

    def now(self) -> float:
        """Return the time in seconds since 1970, UTC."""

    def call_at(self, when: float, callback: Callable[[], None]) -> Timer:
        """Call `callback` on the event loop once `now()` reaches `when`."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> float:
        """Return the time in seconds since 1970, UTC."""
        return time.time()

    def call_at(self, when: float, callback: Callable[[], None]) -> Timer:
        """Call `callback` at `when`; at once if `when` has passed."""
        return asyncio.get_running_loop().call_later(max(0.0, when - time.time()), callback)


class ManualTimer:
    """A timer of a `ManualClock`."""

    def __init__(self, callback: Callable[[], None]) -> None:
        self.callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        """Cancel the call."""
        self.callback = None


class ManualClock:
    """A clock that stands still until it is advanced."""

    def __init__(self, now: float | None = None) -> None:
        self._now = time.time() if now is None else now
        self._timers: list[tuple[float, int, ManualTimer]] = []
        self._numbers = itertools.count()

    def now(self) -> float:
        """Return the time in seconds since 1970, UTC."""
        return self._now

    def call_at(self, when: float, callback: Callable[[], None]) -> Timer:
        """Call `callback` when the clock is advanced to `when` or past it."""
        timer = ManualTimer(callback)
        heapq.heappush(self._timers, (when, next(self._numbers), timer))
        return timer

    def advance(self, seconds: float) -> None:
        """Advance the time, and make every call that becomes due, in the order of time."""
        end = self._now + seconds
        while self._timers and self._timers[0][0] <= end:
            when, _, timer = heapq.heappop(self._timers)
            self._now = max(self._now, when)
            if timer.callback is not None:
                timer.callback()
        self._now = end
