"""Setting messages aside: those that can never be published and, where the topic blocks, what follows them.

Invariants:

- A message counts as settled only after the statement that parks it. Only the holder of the lease parks what
  is refused or blocks a key: the statement asks for the lease's epoch and holds its row.
- A key is blocked by the statement that parks the message it waits behind: both are there, or neither.
- What comes for a blocked key is parked behind it, in order, by a statement that changes the key's row. If
  that row is gone, `event-store parked retry` has published all that was parked: the key is published again
  from there on. The retry in turn removes the row only if it has not changed since nothing was parked.
- Of the keys that the table has, none is missing in memory: they are read after the lease is acquired, only
  its holder adds one, and only the retry removes any.

So what follows a blocked message is published after it or, if an operator drops it, without it:

    a crash …                                       then …
    before the statement that blocks                the message is refused again
    between that and the checkpoint                 the key is read as blocked, and parked behind again
    between parking behind and the checkpoint       the same; if the retry was faster, it is published again
    of the retry, between publishing and removing   the next retry publishes it again
    of the retry, between removing and unblocking   what comes is parked, and the next retry publishes it
"""

import logging
from collections.abc import Sequence
from typing import Any, Final

from event_store.errors import InvalidArgumentError
from event_store.outbox import queries
from event_store.outbox.lease import LeaseLostError, statement
from event_store.outbox.publish_loop import Pending
from event_store.outbox.relay_lease import RELAY, RelayLease
from event_store.topology import Routing

_ERROR_CHARACTERS: Final = 1000
_BEHIND: Final = "waits behind a message of its ordering key that cannot be published"

logger = logging.getLogger(__name__)


class Parking:
    """Parks messages for the holder of a lease.

    Args:
        lease: What allows it, and where the statements run.
        routing: Says which topics block.
    """

    def __init__(self, lease: RelayLease, routing: Routing) -> None:
        self._lease = lease
        self._blocking = {topic.path for topic in routing.topics.values() if topic.unpublishable == "block"}
        self._blocked: set[tuple[str, str]] = set()

    async def load(self) -> None:
        """Read which keys are blocked.

        Raises:
            EventStoreError: The database is away.
        """
        async with statement():
            cursor = await self._lease.connection.execute(queries["relay_blocked_keys"])
            self._blocked.update(await cursor.fetchall())

    async def park(self, pending: Pending, error: InvalidArgumentError) -> None:
        """Set a message aside that can never be published and, by its topic's policy, block its key.

        Raises:
            LeaseLostError: The lease is another's.
            EventStoreError: The database is away.
        """
        topic, ordering_key = pending.publication.topic, pending.message.ordering_key
        is_blocking = topic in self._blocking and ordering_key != ""
        parked = parked_row(pending, error) | {"is_blocking": is_blocking}
        async with statement():
            office = {"relay": RELAY, "epoch": self._lease.epoch}
            cursor = await self._lease.connection.execute(queries["relay_park"], parked | office)
        if cursor.rowcount != 1:
            raise LeaseLostError("the lease was lost before a message could be parked")
        if is_blocking:
            self._blocked.add((topic, ordering_key))
        logger.error("parked a message that cannot be published", extra=parked)

    async def park_behind(self, request: Sequence[Pending]) -> bool:
        """Set the next messages of an ordering key aside if it is blocked; return whether it is.

        Raises:
            EventStoreError: The database is away.
        """
        topic, ordering_key = key = (request[0].publication.topic, request[0].message.ordering_key)
        if key not in self._blocked:
            return False
        behind = {
            "topic": topic,
            "ordering_key": ordering_key,
            "positions": [pending.publication.position for pending in request],
            "event_ids": [pending.event_id for pending in request],
            "error": _BEHIND,
        }
        async with statement():
            cursor = await self._lease.connection.execute(queries["relay_park_behind"], behind)
        if cursor.rowcount == 0:
            self._blocked.discard(key)
            logger.info(
                "an ordering key is blocked no more", extra={"topic": topic, "ordering_key": ordering_key}
            )
            return False
        return True


def parked_row(pending: Pending, error: InvalidArgumentError) -> dict[str, Any]:
    """Return what `parked_messages` keeps of a message that can never be published."""
    return {
        "global_position": pending.publication.position,
        "topic": pending.publication.topic,
        "event_id": pending.event_id,
        "ordering_key": pending.message.ordering_key,
        "error": str(error)[:_ERROR_CHARACTERS],
        "attempts": pending.attempts + 1,
    }
