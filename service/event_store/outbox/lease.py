"""Hold a lease, the right to publish: the common part of the relay's and the replays' leases.

Invariants:

- A lease is a row with an expiry, by the database's clock. This process never assumes a later expiry: it
  counts from before the statement.
- Each acquisition increments the lease's epoch. A checkpoint carries its writer's epoch and is rejected once
  another owner has acquired the lease, so a process that slept beyond its lease cannot move the checkpoint.
- Pub/Sub does not check epochs. A publish request therefore ends before the lease does.
- Between two statements no transaction is open and no lock is held.
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
STATEMENT_SECONDS: Final = 4.0  # a renewal, due after a third, is in time even after a slow statement


class LeaseLostError(Exception):
    """Another owner holds the lease, or may hold it: stop publishing at once."""


@dataclass(slots=True, kw_only=True)
class Lease(ABC):
    """A lease that this process holds.

    Attributes:
        connection: The connection for its statements, with autocommit.
        epoch: The number of the acquisition; it grows with each owner.
        expires_at: The earliest expiry, in seconds of the event loop's clock.
    """

    connection: psycopg.AsyncConnection[Any]
    epoch: int
    expires_at: float

    @property
    def remaining_seconds(self) -> float:
        """The seconds until the earliest expiry; 0 or less if another owner may hold the lease."""
        return self.expires_at - asyncio.get_running_loop().time()

    async def renew(self) -> None:
        """Extend the lease by its full duration.

        Raises:
            LeaseLostError: Another owner has acquired the lease.
            EventStoreError: The database is unavailable.
        """
        expires_at = expiry()
        await self._write("renew", {"seconds": LEASE_SECONDS})
        self.expires_at = expires_at

    async def release(self) -> None:
        """Release the lease for the next owner.

        Raises:
            LeaseLostError: Another owner has already acquired the lease.
            EventStoreError: The database is unavailable.
        """
        self.expires_at = 0
        await self._write("release", {})

    @abstractmethod
    async def _write(self, action: str, parameters: Mapping[str, Any]) -> None:
        """Run the statement for `renew`, `checkpoint` or `release`, if the epoch is unchanged.

        Raises:
            LeaseLostError: Another owner has acquired the lease.
            EventStoreError: The database is unavailable.
        """


def expiry() -> float:
    """Return the earliest expiry of a lease acquired now, in seconds of the event loop's clock."""
    return asyncio.get_running_loop().time() + LEASE_SECONDS


def new_owner() -> str:
    """Return a unique name for an owner of leases, from host, process and a random part."""
    return f"{socket.gethostname()}-{os.getpid()}-{uuid4().hex[:8]}"


@asynccontextmanager
async def statement() -> AsyncIterator[None]:
    """Run a statement of a lease's owner with a time limit.

    Raises:
        EventStoreError: The database is unavailable, or did not answer in time.
    """
    try:
        with domain_errors():
            async with asyncio.timeout(STATEMENT_SECONDS):
                yield
    except TimeoutError:
        raise UnavailableError(f"the database did not answer within {STATEMENT_SECONDS:g} s") from None
