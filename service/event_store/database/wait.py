"""Wait at a process's start until the database answers and takes its login.

On Cloud Run both may take minutes: Direct VPC egress may delay an instance's first connections by a minute or
more, and a grant of IAM is known everywhere after 2 to 7 minutes, sometimes later.
https://docs.cloud.google.com/run/docs/configuring/vpc-direct-vpc#limitations
https://docs.cloud.google.com/iam/docs/access-change-propagation

Invariants:

- Only an `UnavailableError` is waited for, see `errors.py`; every other error ends the wait at once.
- No attempt begins after the limit, and `until_async` ends one that is under way by then.
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
    """One wait of a process, which may have several parts: its limit counts from when this is made.

    Args:
        seconds: How long to wait, at least 0; 0 tries once.
        report: Takes a line for a person about each attempt that failed.
    """

    def __init__(self, seconds: float, report: Callable[[str], None]) -> None:
        self._seconds = seconds
        self._report = report
        self._ends_at = time.monotonic() + seconds
        self._ends = datetime.now(UTC) + timedelta(seconds=seconds)
        self._backoff = Backoff(_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS)

    def until(self, attempt: Callable[[], Result]) -> Result:
        """Try until an attempt succeeds; return its result.

        Args:
            attempt: Has a limit of its own. It may run many times.

        Raises:
            UnavailableError: The limit is reached; says what the last attempt said.
            EventStoreError: As the attempt; what waiting cannot change.
        """
        while True:
            try:
                return attempt()
            except UnavailableError as error:
                time.sleep(self._pause_seconds(error))

    async def until_async(self, attempt: Callable[[], Awaitable[Result]]) -> Result:
        """Do what `until` does, without blocking the event loop; cancelling it ends the wait at once.

        Args:
            attempt: May run many times.

        Raises:
            UnavailableError: The limit is reached; says what the last attempt said.
            EventStoreError: As the attempt; what waiting cannot change.
        """
        while True:
            try:
                async with asyncio.timeout(self._remaining_seconds if self._seconds else None):
                    return await attempt()
            except UnavailableError as error:
                await asyncio.sleep(self._pause_seconds(error))
            except TimeoutError:
                raise self._given_up("it does not answer") from None

    @property
    def _remaining_seconds(self) -> float:
        return max(0.0, self._ends_at - time.monotonic())

    def _pause_seconds(self, error: UnavailableError) -> float:
        """Report a failed attempt; return how long to wait before the next one."""
        if not self._seconds:
            raise error
        seconds = self._backoff.next_seconds()
        if seconds >= self._remaining_seconds:
            raise self._given_up(str(error)) from error
        self._report(f"waiting for the database until {self._ends:%H:%M:%S} UTC: {error}")
        return seconds

    def _given_up(self, said: str) -> UnavailableError:
        return UnavailableError(
            f"gave up after waiting {self._seconds:g} s for the database: {said}. "
            "Check that it runs, that the network leads to it, and that the login has its rights"
        )
