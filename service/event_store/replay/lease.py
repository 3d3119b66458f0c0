"""The right to publish one replay, and its checkpoint.

Each replay has a lease of its own in its row, so that replays run beside each other, in one process or in
several, and checkpoint, counts, state and epoch are judged by one statement on one row. A paused or cancelled
replay cannot be acquired; who holds it learns of it from the next statement, and may still count what it had
published until then.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

import psycopg

from event_store.model.event_filter import EventFilter
from event_store.outbox.lease import LEASE_SECONDS, Lease, LeaseLostError, expiry, statement
from event_store.replay import queries

_ERROR_CHARACTERS: Final = 1000


@dataclass(slots=True, kw_only=True)
class ReplayLease(Lease):
    """A replay that this process may publish.

    Attributes:
        replay_id: The replay.
        topic: `projects/PROJECT/topics/NAME`.
        to_position: Its last position.
        event_filter: Which events.
        events_per_second: At most so many; 0 is no limit.
        checkpointed: Position, published and parked events, and what is in the way, as written last.
        goes_on: Whether it was running at the last statement.
    """

    replay_id: str
    topic: str
    to_position: int
    event_filter: EventFilter
    events_per_second: int
    checkpointed: tuple[int, int, int, str]
    goes_on: bool = True

    @classmethod
    async def acquire(
        cls, connection: psycopg.AsyncConnection[Any], owner: str, held: Collection[str]
    ) -> "ReplayLease | None":
        """Take the lease of the oldest replay that waits for one; None if none does.

        Args:
            connection: Of the replayer.
            owner: Who asks.
            held: The replays that the owner has already.

        Raises:
            EventStoreError: The database is away.
        """
        expires_at = expiry()
        parameters = {"owner": owner, "held": list(held), "seconds": LEASE_SECONDS}
        async with statement():
            cursor = await connection.execute(queries["replay_acquire"], parameters)
            row = await cursor.fetchone()
        if row is None:
            return None
        epoch, replay_id, topic, to_position, aggregate_types, event_types, rate, *checkpointed = row
        return cls(
            connection=connection,
            epoch=epoch,
            expires_at=expires_at,
            replay_id=replay_id,
            topic=topic,
            to_position=to_position,
            event_filter=EventFilter(tuple(aggregate_types), tuple(event_types)),
            events_per_second=rate,
            checkpointed=(*checkpointed,),
        )

    async def checkpoint(self, position: int, published_events: int, parked_events: int, error: str) -> None:
        """Note how far it is, and what is in the way; at its end a running replay is finished.

        Args:
            position: Every event up to here that passes the filter is published or parked.
            published_events: How many of them are published.
            parked_events: How many of them are parked.
            error: What is in the way; empty for nothing.

        Raises:
            LeaseLostError: The lease is another's, and so is the checkpoint.
            EventStoreError: The database is away.
        """
        values = {
            "position": position,
            "published_events": published_events,
            "parked_events": parked_events,
            "error": error[:_ERROR_CHARACTERS],
        }
        await self._write("checkpoint", values)
        self.checkpointed = (position, published_events, parked_events, error)

    async def _write(self, action: str, parameters: Mapping[str, Any]) -> None:
        async with statement():
            cursor = await self.connection.execute(
                queries[f"replay_{action}"], {"replay_id": self.replay_id, "epoch": self.epoch, **parameters}
            )
            row = await cursor.fetchone()
        if row is None:
            raise LeaseLostError(f"another has acquired replay {self.replay_id} after epoch {self.epoch}")
        self.goes_on = row[0]
