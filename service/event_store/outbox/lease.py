"""The right to publish: what those of the relay and of a replay have in common.

Invariants:

- A lease is in a row; only the database's clock says when it runs out. What this process believes is never
  later than that: it counts from before it asked.
- Each time a lease is acquired its epoch grows. A checkpoint carries the epoch of its writer and is refused
  once another has acquired the lease, so who slept through its lease cannot move the checkpoint.
- Pub/Sub knows no epochs. A publish request therefore ends before the lease does.
- No transaction is open between two statements, and no lock is held.
"""

import asyncio
import os
import socket
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final
from uuid import uuid4

import psycopg

from event_store.database.errors import domain_errors
from event_store.errors import UnavailableError

LEASE_SECONDS: Final = 15.0
STATEMENT_SECONDS: Final = 4.0  # a renewal, due after a third, comes in time even behind a slow statement


class LeaseLostError(Exception):
    """Another holds the lease, or may hold it: stop publishing at once."""


@dataclass(slots=True, kw_only=True)
class Lease(ABC):
    """A lease that this process holds.

    Attributes:
        connection: Where its statements run, in autocommit.
        epoch: Grows with each holder.
        expires_at: When it runs out at the earliest, by the loop's clock.
    """

    connection: psycopg.AsyncConnection[Any]
    epoch: int
    expires_at: float

    @property
    def remaining_seconds(self) -> float:
        """How long the lease lasts at least; not above 0 if it may be another's."""
        return self.expires_at - asyncio.get_running_loop().time()

    async def renew(self) -> None:
        """Begin its time anew.

        Raises:
            LeaseLostError: It is another's.
            EventStoreError: The database is away.
        """
        expires_at = expiry()
        await self._write("renew", {"seconds": LEASE_SECONDS})
        self.expires_at = expires_at

    async def release(self) -> None:
        """Give the lease to whoever waits.

        Raises:
            LeaseLostError: It is another's already.
            EventStoreError: The database is away.
        """
        self.expires_at = 0
        await self._write("release", {})

    @abstractmethod
    async def _write(self, action: str, parameters: Mapping[str, Any]) -> None:
        """Run the statement for `renew`, `checkpoint` or `release` on the lease's row, in its epoch.

        Raises:
            LeaseLostError: Another has acquired the lease.
            EventStoreError: The database is away.
        """


def expiry() -> float:
    """Return when a lease that is now asked for runs out at the earliest, by the loop's clock."""
    return asyncio.get_running_loop().time() + LEASE_SECONDS


def new_owner() -> str:
    """Return a name for one that acquires leases: where it runs, and which it is there."""
    return f"{socket.gethostname()}-{os.getpid()}-{uuid4().hex[:8]}"


@asynccontextmanager
async def statement() -> AsyncIterator[None]:
    """Bound a statement of a lease's holder in time.

    Raises:
        EventStoreError: The database is away, or did not answer in time.
    """
    try:
        with domain_errors():
            async with asyncio.timeout(STATEMENT_SECONDS):
                yield
    except TimeoutError:
        raise UnavailableError(f"the database did not answer within {STATEMENT_SECONDS:g} s") from None
