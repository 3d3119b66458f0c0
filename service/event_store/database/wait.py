"""Wait at the start of a process until the database answers and accepts the login.

On Cloud Run both can take minutes: Direct VPC egress may delay an instance's first connections by a minute or
more, and an IAM grant takes 2 to 7 minutes to propagate, sometimes longer.
https://docs.cloud.google.com/run/docs/configuring/vpc-direct-vpc#limitations
https://docs.cloud.google.com/iam/docs/access-change-propagation

Invariants:

- Only an `UnavailableError` is retried, see `errors.py`; every other error ends the wait at once.
- No attempt begins after the limit, and `until_async` cancels a running attempt at the limit.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Final, TypeVar

from event_store.backoff import Backoff
from event_store.errors import UnavailableError

_FIRST_PAUSE_SECONDS: Final = 0.5
_LONGEST_PAUSE_SECONDS: Final = 8.0

Result = TypeVar("Result")


class DatabaseWait:
    """Waits for the database, in one or several calls with a common limit that counts from the creation.

    Args:
        seconds: The time limit, at least 0; 0 tries once.
        report: Receives a line for a person about each failed attempt.
    """

    def __init__(self, seconds: float, report: Callable[[str], None]) -> None:
        self._seconds = seconds
        self._report = report
        self._ends_at = time.monotonic() + seconds
        self._ends = datetime.now(UTC) + timedelta(seconds=seconds)
        self._backoff = Backoff(_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS)

    def until(self, attempt: Callable[[], Result]) -> Result:
        """Retry until an attempt succeeds; return its result.

        Args:
            attempt: A function with a time limit of its own; it may run many times.

        Raises:
            UnavailableError: The limit is reached; the message has the error of the last attempt.
            EventStoreError: An error of the attempt that waiting cannot change.
        """
        while True:
            try:
                return attempt()
            except UnavailableError as error:
                time.sleep(self._pause_seconds(error))

    async def until_async(self, attempt: Callable[[], Awaitable[Result]]) -> Result:
        """Retry like `until`, without blocking the event loop; cancelling ends the wait at once.

        Args:
            attempt: A coroutine function; it may run many times.

        Raises:
            UnavailableError: The limit is reached; the message has the error of the last attempt.
            EventStoreError: An error of the attempt that waiting cannot change.
        """
        while True:
            try:
                async with asyncio.timeout(self._remaining_seconds if self._seconds else None):
                    return await attempt()
            except UnavailableError as error:
                await asyncio.sleep(self._pause_seconds(error))
            except TimeoutError:
                raise self._given_up("no answer") from None

    @property
    def _remaining_seconds(self) -> float:
        return max(0.0, self._ends_at - time.monotonic())

    def _pause_seconds(self, error: UnavailableError) -> float:
        """Report a failed attempt; return the seconds to wait before the next one."""
        if not self._seconds:
            raise error
        seconds = self._backoff.next_seconds()
        if seconds >= self._remaining_seconds:
            raise self._given_up(str(error)) from error
        self._report(f"waiting for the database until {self._ends:%H:%M:%S} UTC: {error}")
        return seconds

    def _given_up(self, said: str) -> UnavailableError:
        return UnavailableError(
            f"the database was not available within {self._seconds:g} s ({said}): "
            "check that it runs, that the network reaches it, and that the login has its rights"
        )
