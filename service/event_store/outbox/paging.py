"""Read the log page by page for the relay and replays, in bounded time, and detect holes."""

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
    """Adapts the number of events in a page, across terms: smaller after a page that could not be read.

    Args:
        most_events: The first and highest number of events in a page.

    Attributes:
        events: The number of events in the next page.
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
        """Read a page; return its events and its last row, which is not an event.

        The next page is smaller if this one times out or the database is otherwise unavailable, and larger
        after a page that was read.

        Args:
            connection: The connection of the lease.
            query: The name of a statement that calls `read_page`.
            parameters: The parameters of the statement.

        Raises:
            EventStoreError: The database is unavailable, or did not answer in time.
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
    """Return the error for a position without an event, at which publishing or replaying stops."""
    return LogCorruptedError(
        f"the log has no event at position {position}, and nothing is {done} after it: "
        "find the program that deleted it, and restore the database to a time before"
    )
