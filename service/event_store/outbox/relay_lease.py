"""The right to publish the log, and its checkpoint: one relay at a time."""

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
        position: The checkpoint, at first that of the holder before.
        topic_positions: The positions of the topics that are further than that, by path.
    """

    position: int
    topic_positions: Mapping[str, int]

    @classmethod
    async def acquire(cls, connection: psycopg.AsyncConnection[Any], owner: str) -> "RelayLease | None":
        """Take the lease if it is free, has run out or is `owner`'s own; None while another holds it.

        Raises:
            EventStoreError: The database is away.
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
        """Note that every event up to a position is published or parked, and up to where for some topics.

        Raises:
            LeaseLostError: The lease is another's, and so is the checkpoint.
            EventStoreError: The database is away.
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
