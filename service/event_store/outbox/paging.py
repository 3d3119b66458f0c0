"""Reading the log page by page, as the relay and replays do: in bounded time and without a hole."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import psycopg

from event_store.errors import LogCorruptedError, UnavailableError
from event_store.log import queries
from event_store.outbox.lease import statement
from event_store.pubsub.event_message import EventRow

_SHRINK: Final = 4
_GROWTH: Final = 2


class PageSize:
    """How many events the next page asks for; it outlives a term that ends because a page took too long.

    Args:
        most_events: How many at first, and at most.

    Attributes:
        events: How many now.
    """

    def __init__(self, most_events: int) -> None:
        self._most_events = most_events
        self.events = most_events

    async def read(
        self,
        connection: psycopg.AsyncConnection[Any],
        query: str,
        parameters: Sequence[object] | Mapping[str, object],
    ) -> tuple[list[EventRow], EventRow]:
        """Return a page and the row at its end; the next page is smaller if this takes too long, else larger.

        Args:
            connection: Of the lease's holder.
            query: The name of a statement that reads by `read_page`.
            parameters: Its parameters.

        Raises:
            EventStoreError: The database is away, or did not answer in time.
        """
        try:
            async with statement():
                cursor = await connection.execute(queries[query], parameters)
                *rows, end = [EventRow._make(row) for row in await cursor.fetchall()]
        except UnavailableError:
            self.events = max(1, self.events // _SHRINK)
            raise
        self.events = min(self._most_events, self.events * _GROWTH)
        return rows, end


def hole_at(position: int, done: str = "published") -> LogCorruptedError:
    """Return the error for a position without an event, beyond which nothing is `done`."""
    return LogCorruptedError(
        f"the log has no event at position {position}, and nothing is {done} beyond it: "
        "find out who deleted it, and restore the database to a time before"
    )
