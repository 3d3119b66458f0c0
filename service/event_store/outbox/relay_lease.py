"""Hold the relay's lease, which allows one relay at a time to publish, and its checkpoint."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import psycopg
from psycopg.types.json import Jsonb

from event_store.outbox import queries
from event_store.outbox.lease import LEASE_SECONDS, Lease, LeaseLostError, expiry, statement

RELAY: Final = "main"


@dataclass(slots=True, kw_only=True)
class RelayLease(Lease):
    """The relay's lease.

    Attributes:
        position: The checkpoint; at first that of the owner before.
        topic_positions: The positions of the topics ahead of `position`, by path.
    """

    position: int
    topic_positions: Mapping[str, int]

    @classmethod
    async def acquire(cls, connection: psycopg.AsyncConnection[Any], owner: str) -> "RelayLease | None":
        """Acquire the lease if it is free, has expired or is the owner's own; return None otherwise.

        Raises:
            EventStoreError: The database is unavailable.
        """
        expires_at = expiry()
        parameters = {"relay": RELAY, "owner": owner, "seconds": LEASE_SECONDS}
        async with statement():
            cursor = await connection.execute(queries["relay_acquire"], parameters)
            row = await cursor.fetchone()
        if row is None:
            return None
        epoch, position, topic_positions = row
        return cls(
            connection=connection,
            epoch=epoch,
            expires_at=expires_at,
            position=position,
            topic_positions=topic_positions,
        )

    async def checkpoint(self, position: int, topic_positions: Mapping[str, int]) -> None:
        """Write the checkpoint.

        Args:
            position: Every event up to this position is published or parked.
            topic_positions: The positions of the topics ahead of `position`, by path.

        Raises:
            LeaseLostError: Another owner holds the lease and its checkpoint.
            EventStoreError: The database is unavailable.
        """
        await self._write("checkpoint", {"position": position, "topic_positions": Jsonb(topic_positions)})
        self.position, self.topic_positions = position, topic_positions

    async def _write(self, action: str, parameters: Mapping[str, Any]) -> None:
        async with statement():
            cursor = await self.connection.execute(
                queries[f"relay_{action}"], {"relay": RELAY, "epoch": self.epoch, **parameters}
            )
        if cursor.rowcount != 1:
            raise LeaseLostError(f"another relay has acquired the lease after epoch {self.epoch}")
