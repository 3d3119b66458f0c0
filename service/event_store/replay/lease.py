"""Hold the lease of one replay, which allows one process to publish it, and its checkpoint.

Each replay has its own lease in its row. So replays run concurrently in one process or in several, and one
statement on one row checks and changes checkpoint, counts, state and epoch. A paused or cancelled replay
cannot be acquired. Its owner learns of the change from its next statement, and can still count the messages
that it has published until then.
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
    """The lease of a replay, held by this process.

    Attributes:
        replay_id: The UUID of the replay.
        topic: `projects/PROJECT/topics/NAME`.
        to_position: The last position of the replay, inclusive.
        event_filter: The events to publish.
        events_per_second: The rate limit; 0 is no limit.
        checkpointed: The last written position, number of published events, number of parked events and
            error.
        goes_on: Whether the replay was running at the last statement.
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
        """Acquire the lease of the replay that has waited longest; None if none waits.

        Args:
            connection: The connection of the replayer.
            owner: The name of the owner.
            held: The ids of the replays that the owner already holds.

        Raises:
            EventStoreError: The database is unavailable.
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
        """Write the checkpoint; a running replay at its last position becomes finished.

        Args:
            position: Every event up to this position that passes the filter is published or parked.
            published_events: The number of them that are published.
            parked_events: The number of them that are parked.
            error: The error that stops publishing; empty for none.

        Raises:
            LeaseLostError: Another owner holds the lease and its checkpoint.
            EventStoreError: The database is unavailable.
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
            raise LeaseLostError(
                f"another process has acquired replay {self.replay_id} after epoch {self.epoch}"
            )
        self.goes_on = row[0]
