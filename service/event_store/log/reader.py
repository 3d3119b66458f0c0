"""Read an aggregate or the log in pages.

Invariants:

- A connection is returned to the pool before its page is sent.
- While a page is sent, one further page is read: a slow client costs the memory of two pages.
- A read that ends early leaves no task running.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing
from typing import Final

from event_store.contract.read_request import microseconds_of
from event_store.database.pool import Database
from event_store.errors import LogCorruptedError
from event_store.log import queries
from event_store.log.gap_check import Walk
from event_store.log.page import PAGE_BYTES, PAGE_EVENTS, POSITION, Page, in_messages, read_page
from event_store.model.arguments import HIGHEST_VERSION
from event_store.model.event_filter import EventFilter
from event_store.v1 import event_store_pb2 as pb

SCAN_POSITIONS: Final = 10_000  # measured: 5 ms for a filter that no event passes
_HIGHEST_POSITION: Final = 1 << 62  # above every log's, with room for additions


class Reader:
    """Reads one aggregate, or the log.

    Args:
        database: The pool that lends a connection for each page.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read_aggregate(
        self, aggregate_id: str, from_version: int, limit: int, *, backwards: bool
    ) -> AsyncGenerator[pb.ReadAggregateResponse, None]:
        """Yield the events of an aggregate in parts, at least one part.

        Args:
            aggregate_id: A canonical UUID.
            from_version: The first version, inclusive; 0 is the first version or, with `backwards`, the last.
            limit: The highest number of events; 0 is no limit.
            backwards: Whether to read down to version 1.

        Raises:
            LogCorruptedError: A version is missing.
        """
        query = queries["read_aggregate_backwards" if backwards else "read_aggregate_forwards"]
        start = min(from_version, HIGHEST_VERSION) or (HIGHEST_VERSION if backwards else 1)
        walk = Walk(query, (aggregate_id,), -1 if backwards else 1, start, limit or _HIGHEST_POSITION)
        async with aclosing(self._pages(walk)) as pages:
            async for page in pages:
                for response in in_messages(page, pb.ReadAggregateResponse):
                    yield response

    async def read_all(
        self, start: int | None, limit: int, event_filter: EventFilter, *, backwards: bool = False
    ) -> AsyncGenerator[pb.ReadAllResponse, None]:
        """Yield the events of the log in parts, at least one, up to its head at the time of the first part.

        Args:
            start: The first position, inclusive; None is the first position or, with `backwards`, the last.
            limit: The highest number of events; 0 is no limit.
            event_filter: The events to read. A selective filter does not detect a missing position.
            backwards: Whether to read down to position 1.

        Raises:
            LogCorruptedError: A position up to the head is missing.
        """
        if start is None:
            start = _HIGHEST_POSITION if backwards else 1
        start = min(start, _HIGHEST_POSITION)
        step = -1 if backwards else 1
        if event_filter.is_selective:
            async for page, scanned in self._scan(start, limit or _HIGHEST_POSITION, event_filter, step):
                for response in _responses(page, scanned):
                    yield response
            return
        query = queries["read_all_backwards" if backwards else "read_all_forwards"]
        walk = Walk(query, (), step, start, limit or _HIGHEST_POSITION)
        async with aclosing(self._pages(walk)) as pages:
            async for page in pages:
                if page.rows:
                    scanned = page.rows[-1][POSITION]
                else:
                    scanned = 0 if backwards else min(start - 1, page.head_position)
                for response in _responses(page, scanned):
                    yield response

    async def position_at(self, microseconds: int) -> int:
        """Return the first position recorded at a time or later; one above the head if there is none.

        Args:
            microseconds: The time in microseconds since 1970.

        Raises:
            LogCorruptedError: A position is missing.
        """
        row = await (await self._database.execute(queries["position_at"], (microseconds,))).fetchone()
        if row is None:
            raise LogCorruptedError(
                "the log is corrupted, a position is missing: read the whole log to find it"
            )
        position: int = row[0]
        return position

    async def head_position(self) -> int:
        """Return the last position of the log; 0 if it is empty.

        Raises:
            LogCorruptedError: The row of log_head is missing.
        """
        row = await (await self._database.execute(queries["head_position"])).fetchone()
        if row is None:
            raise LogCorruptedError("the row of log_head is missing: restore it from a backup")
        position: int = row[0]
        return position

    async def _pages(self, walk: Walk) -> AsyncGenerator[Page, None]:
        page = await self._page(walk)
        while True:
            is_answer = page.rows or walk.is_first
            walk.take(page)
            if walk.is_over:
                if is_answer:
                    yield page
                return
            reading = asyncio.create_task(self._page(walk))
            try:
                if is_answer:
                    yield page
                page = await reading
            finally:
                reading.cancel()
                await asyncio.gather(reading, return_exceptions=True)

    async def _page(self, walk: Walk) -> Page:
        return await read_page(self._database, walk.query, (*walk.key, walk.following, walk.size, PAGE_BYTES))

    async def _scan(
        self, first: int, remaining: int, event_filter: EventFilter, step: int
    ) -> AsyncIterator[tuple[Page, int]]:
        """Yield the events that pass a filter and the last scanned position, after each bounded step."""
        query = queries["scan_log_backwards" if step < 0 else "scan_log_forwards"]
        end = 1 if step < 0 else None
        while True:
            page = await read_page(
                self._database,
                query,
                {
                    **event_filter.like_patterns(),
                    "first": first,
                    "positions": SCAN_POSITIONS,
                    "end": end,
                    "events": min(remaining, PAGE_EVENTS),
                    "bytes": PAGE_BYTES,
                },
            )
            if end is None:
                end = page.head_position
            first = min(first, page.head_position + (step > 0))  # there is nothing to scan after the head
            if page.has_more:
                scanned = page.rows[-1][POSITION]
            else:
                scanned = first + step * (SCAN_POSITIONS - 1)
                scanned = min(scanned, end) if step > 0 else min(first, max(scanned, end))
            remaining -= len(page.rows)
            yield page, scanned
            first = scanned + step
            if remaining == 0 or (end - scanned) * step <= 0:
                return


async def start_of(request: pb.ReadAllRequest, reader: Reader) -> int | None:
    """Return the position at which a read begins; None for its natural start, the first or last position.

    Raises:
        InvalidArgumentError: The time is outside the years 1 to 9999.
    """
    if request.WhichOneof("start") != "from_time":
        return request.from_position or None
    microseconds = microseconds_of(request.from_time, "from_time", round_up=not request.backwards)
    if request.backwards:
        return await reader.position_at(microseconds + 1) - 1
    return await reader.position_at(microseconds)


def _responses(page: Page, scanned: int) -> Iterator[pb.ReadAllResponse]:
    for response in in_messages(page, pb.ReadAllResponse):
        reached = response.events[-1].global_position if response.events else scanned
        is_last = not page.rows or reached == page.rows[-1][POSITION]
        response.last_scanned_position = scanned if is_last else reached
        yield response
