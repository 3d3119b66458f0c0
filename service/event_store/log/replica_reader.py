"""Reads the log where a replica has the older part of it.

Invariants:

- An answer never lacks what was committed before it was asked for: a replica holds a prefix of the log, since
  positions are given in the order of commits, and the primary is asked for what follows.
- A replica that is away costs a read one attempt, and the next ones nothing for `AVOIDED_SECONDS`; the
  primary goes on where it ended.
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
    """Reads as `Reader` does, and takes the events of the log from a replica as far as that has them.

    Args:
        database: The primary.
        replica: Reads what the replica has.
    """

    def __init__(self, database: Database, replica: Reader) -> None:
        super().__init__(database)
        self._replica = replica
        self._avoided_until = 0.0

    async def read_all(
        self, start: int | None, limit: int, event_filter: EventFilter, *, backwards: bool = False
    ) -> AsyncGenerator[pb.ReadAllResponse, None]:
        """Yield the events of the log; backwards, only the primary's, since the latest come first."""
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
                logger.warning("the read replica is away, so the primary is read: %s", error)
                self._avoided_until = asyncio.get_running_loop().time() + AVOIDED_SECONDS
            if limit and not left:
                return
        rest = super().read_all(start, left, event_filter, backwards=backwards)
        async with aclosing(rest) as parts:
            async for part in parts:
                yield part
