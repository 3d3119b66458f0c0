"""Read the older part of the log from a replica, and the rest from the primary.

Invariants:

- A read includes every event committed before it began: a replica holds a prefix of the log, because
  positions are assigned in the order of commits, and the primary provides the later events.
- An unavailable replica costs one read an attempt, and is not used for `AVOIDED_SECONDS`; the primary
  continues where the replica ended.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final

from event_store.database.pool import Database
from event_store.errors import SchemaError, UnavailableError
from event_store.log.reader import Reader
from event_store.model.event_filter import EventFilter
from event_store.v1 import event_store_pb2 as pb

AVOIDED_SECONDS: Final = 30.0

logger = logging.getLogger(__name__)


class ReplicaReader(Reader):
    """Reads like `Reader`, with the events of the log from a replica as far as it has them.

    Args:
        database: The pool of the primary.
        replica: The reader of the replica.
    """

    def __init__(self, database: Database, replica: Reader) -> None:
        super().__init__(database)
        self._replica = replica
        self._avoided_until = 0.0

    async def read_all(
        self, start: int | None, limit: int, event_filter: EventFilter, *, backwards: bool = False
    ) -> AsyncGenerator[pb.ReadAllResponse, None]:
        """Yield the events of the log; a read backwards uses the primary, as the newest events come first."""
        left = limit
        if not backwards and asyncio.get_running_loop().time() >= self._avoided_until:
            start = start or 1
            try:
                async with aclosing(self._replica.read_all(start, limit, event_filter)) as parts:
                    async for part in parts:
                        start = max(start, part.last_scanned_position + 1)
                        left -= len(part.events) if limit else 0
                        if part.events:
                            yield part
            except (UnavailableError, SchemaError) as error:  # it may lack the latest migration for a moment
                logger.warning("the read replica is unavailable, reading from the primary: %s", error)
                self._avoided_until = asyncio.get_running_loop().time() + AVOIDED_SECONDS
            if limit and not left:
                return
        rest = super().read_all(start, left, event_filter, backwards=backwards)
        async with aclosing(rest) as parts:
            async for part in parts:
                yield part
