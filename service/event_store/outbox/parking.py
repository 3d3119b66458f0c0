"""Park messages that Pub/Sub rejects for good and, if the topic blocks, the later messages of their key.

Invariants:

- A message counts as settled only after the statement that parks it. Only the owner of the lease parks a
  rejected message or blocks a key: the statement checks the lease's epoch and locks its row.
- One statement parks a message and blocks its key: both happen or neither.
- New messages of a blocked key are parked behind it, in order, by a statement that changes the key's row. If
  the row is gone, `event-store parked retry` has published all parked messages, and the key is published
  again from there on. The retry removes the row only if it has not changed since no message was parked.
- Every blocked key of the table is in memory: the keys are read after the lease is acquired, only its owner
  adds one, and only the retry removes one.

So the messages behind a blocked one are published after it or, if an operator drops it, without it:

    a crash …                                       then …
    before the statement that blocks                the message is rejected again
    between that and the checkpoint                 the key is read as blocked; later messages are parked
    again between parking behind and the checkpoint       the same; or published again if the retry was faster
    of the retry, between publishing and removing   the next retry publishes the message again
    of the retry, between removing and unblocking   new messages are parked, and the next retry publishes them
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
_BEHIND: Final = "waits behind a rejected message of its ordering key"

logger = logging.getLogger(__name__)


class Parking:
    """Parks messages for the owner of a lease.

    Args:
        lease: The lease that allows it, with the connection for the statements.
        routing: The topics with their policies.
    """

    def __init__(self, lease: RelayLease, routing: Routing) -> None:
        self._lease = lease
        self._blocking = {topic.path for topic in routing.topics.values() if topic.unpublishable == "block"}
        self._blocked: set[tuple[str, str]] = set()

    async def load(self) -> None:
        """Read the blocked keys.

        Raises:
            EventStoreError: The database is unavailable.
        """
        async with statement():
            cursor = await self._lease.connection.execute(queries["relay_blocked_keys"])
            self._blocked.update(await cursor.fetchall())

    async def park(self, pending: Pending, error: InvalidArgumentError) -> None:
        """Park a message that Pub/Sub rejects for good and, if its topic's policy is `block`, block its key.

        Raises:
            LeaseLostError: Another owner holds the lease.
            EventStoreError: The database is unavailable.
        """
        topic, ordering_key = pending.publication.topic, pending.message.ordering_key
        is_blocking = topic in self._blocking and ordering_key != ""
        parked = parked_row(pending, error) | {"is_blocking": is_blocking}
        async with statement():
            lease = {"relay": RELAY, "epoch": self._lease.epoch}
            cursor = await self._lease.connection.execute(queries["relay_park"], parked | lease)
        if cursor.rowcount != 1:
            raise LeaseLostError("the lease was lost before a message could be parked")
        if is_blocking:
            self._blocked.add((topic, ordering_key))
        logger.error("message rejected by Pub/Sub and parked", extra=parked)

    async def park_behind(self, request: Sequence[Pending]) -> bool:
        """Park the next messages of an ordering key if the key is blocked; return whether it is.

        Raises:
            EventStoreError: The database is unavailable.
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
                "an ordering key is no longer blocked", extra={"topic": topic, "ordering_key": ordering_key}
            )
            return False
        return True


def parked_row(pending: Pending, error: InvalidArgumentError) -> dict[str, Any]:
    """Return the row of `parked_messages` for a message that Pub/Sub rejects for good."""
    return {
        "global_position": pending.publication.position,
        "topic": pending.publication.topic,
        "event_id": pending.event_id,
        "ordering_key": pending.message.ordering_key,
        "error": str(error)[:_ERROR_CHARACTERS],
        "attempts": pending.attempts + 1,
    }
