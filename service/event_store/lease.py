"""The right to publish: one relay at a time.

Invariants:

- The lease is a row; only the database's clock says when it runs out. What this process believes is never
  later than that: it counts from before it asked.
- Each time the lease is acquired its epoch grows. A checkpoint carries the epoch of its writer and is refused
  once another has acquired the lease, so a relay that slept through its lease cannot move the checkpoint.
- Pub/Sub knows no epochs. A publish request therefore ends before the lease does.
- No transaction is open between two statements, and no lock is held.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import psycopg
from psycopg.types.json import Jsonb

from event_store.database import queries
from event_store.database_errors import domain_errors
from event_store.errors import UnavailableError

LEASE_SECONDS: Final = 15.0
STATEMENT_SECONDS: Final = 4.0  # a renewal, due after a third, comes in time even behind a slow statement
RELAY: Final = "main"


class LeaseLostError(Exception):
    """Another relay holds the lease, or may hold it: stop publishing at once."""


@dataclass(slots=True)
class Lease:
    """A lease that this process holds.

    Attributes:
        connection: Where its statements run, in autocommit.
        epoch: Grows with each holder.
        position: The checkpoint, at first that of the holder before.
        topic_positions: The positions of the topics that are further than that, by path.
    """

    connection: psycopg.AsyncConnection[Any]
    epoch: int
    position: int
    topic_positions: Mapping[str, int]
    _expires_at: float

    @classmethod
    async def acquire(cls, connection: psycopg.AsyncConnection[Any], owner: str) -> "Lease | None":
        """Take the lease if it is free, has run out or is `owner`'s own; None while another holds it.

        Raises:
            EventStoreError: The database is away.
        """
        asked_at = _now()
        parameters = {"relay": RELAY, "owner": owner, "seconds": LEASE_SECONDS}
        async with statement():
            cursor = await connection.execute(queries["relay_acquire"], parameters)
            row = await cursor.fetchone()
        if row is None:
            return None
        epoch, position, topic_positions = row
        return cls(connection, epoch, position, topic_positions, asked_at + LEASE_SECONDS)

    @property
    def remaining_seconds(self) -> float:
        """How long the lease lasts at least; not above 0 if it may be another's."""
        return self._expires_at - _now()

    async def renew(self) -> None:
        """Begin its time anew.

        Raises:
            LeaseLostError: It is another's.
            EventStoreError: The database is away.
        """
        asked_at = _now()
        await self._write("relay_renew", {"seconds": LEASE_SECONDS})
        self._expires_at = asked_at + LEASE_SECONDS

    async def checkpoint(self, position: int, topic_positions: Mapping[str, int]) -> None:
        """Note that every event up to a position is published or parked, and up to where for some topics.

        Raises:
            LeaseLostError: The lease is another's, and so is the checkpoint.
            EventStoreError: The database is away.
        """
        await self._write(
            "relay_checkpoint", {"position": position, "topic_positions": Jsonb(topic_positions)}
        )
        self.position, self.topic_positions = position, topic_positions

    async def release(self) -> None:
        """Give the lease to whoever waits.

        Raises:
            LeaseLostError: It is another's already.
            EventStoreError: The database is away.
        """
        self._expires_at = 0
        await self._write("relay_release", {})

    async def _write(self, query: str, parameters: dict[str, Any]) -> None:
        async with statement():
            cursor = await self.connection.execute(
                queries[query], {"relay": RELAY, "epoch": self.epoch, **parameters}
            )
        if cursor.rowcount != 1:
            raise LeaseLostError(f"another relay has acquired the lease after epoch {self.epoch}")


@asynccontextmanager
async def statement() -> AsyncIterator[None]:
    """Bound a statement of the relay in time.

    Raises:
        EventStoreError: The database is away, or did not answer in time.
    """
    try:
        with domain_errors():
            async with asyncio.timeout(STATEMENT_SECONDS):
                yield
    except TimeoutError:
        raise UnavailableError(f"the database did not answer within {STATEMENT_SECONDS:g} s") from None


def _now() -> float:
    return asyncio.get_running_loop().time()
