"""A projection handles each event once in effect, though Pub/Sub delivers it at least once.

Invariants:

- The last handled `event_version` of each aggregate is written in the transaction in which the handler
  writes. Both are there or neither is, so whatever is killed, an event had its effect once or not yet:

      killed …                                         then the event …
      the projection, before the commit                comes again, and is handled
      the projection, after it, before the ack         comes again, and is a duplicate: it is skipped
      the projection, in the ack itself                the same
      its PostgreSQL, before the commit                is kept and tried again, and is handled
      its PostgreSQL, after the commit                 is kept and tried again, and is a duplicate
      Pub/Sub, between delivery and ack                has its effect; if it comes again, it is a duplicate
      the store, while a gap is filled                  waits for the next one, which gives the rest

- The events of an aggregate are handled in the order of their versions, one after the other, by however many
  processes: the aggregate's row is locked meanwhile. What is missing before an event is read from the store.
- An event that its handler refuses on its last delivery is passed over: noted with the error, so that its
  aggregate goes on. Pub/Sub makes its message a dead letter; redriven, it is handled then, late but once. A
  missing event that fails is passed over on the last delivery of the event that needs it.
- What the store or the projection's database cannot do just now is no fault of the event: it raises
  UnavailableError, changes nothing and passes nothing over.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Final

import psycopg

from event_store.client import Client
from event_store.errors import EventStoreError, OverloadedError, UnavailableError
from event_store.events import RecordedEvent
from event_store.projection_versions import PassedOver, ProjectionVersions, passed_over

Connection = psycopg.AsyncConnection[Any]
Handler = Callable[[Connection, RecordedEvent], Awaitable[None]]
_PAGE_EVENTS: Final = 100

logger = logging.getLogger(__name__)


class Projection:
    """A projection of the log into tables of a database of its own. Any number of tasks may share one."""

    def __init__(
        self,
        name: str,
        client: Client,
        connect: Callable[[], AbstractAsyncContextManager[Connection]],
        handler: Handler,
        *,
        aggregate_types: Collection[str] = (),
        max_delivery_attempts: int = 5,
        timeout_seconds: float = 30,
    ) -> None:
        """Describe a projection.

        Args:
            name: Tells it from others in its database; a projection of a new name begins at zero.
            client: A connected client of the store.
            connect: Lends a connection to the projection's database, as a pool's `connection` does.
                `create_projection_tables` was called there.
            handler: Takes a connection, in a transaction, and an event, and changes the tables by that
                connection only. It never commits. Event types that it does not know it passes by.
            aggregate_types: Only events of aggregates of these types; none is all.
            max_delivery_attempts: The subscription's: on which delivery an event is given up.
            timeout_seconds: How long the handler may take for an event.
        """
        self.name = name
        self._client = client
        self._connect = connect
        self._handler = handler
        self._aggregate_types = frozenset(aggregate_types)
        self._max_delivery_attempts = max_delivery_attempts
        self._timeout_seconds = timeout_seconds

    async def handle(self, event: RecordedEvent, attempt: int = 0) -> None:
        """Handle an event, unless it was handled before, and what is missing before it.

        Args:
            event: As it came.
            attempt: Which delivery of it this is, from 1; 0 if that is not known, which is never the last.

        Raises:
            UnavailableError: The store or the database is away: the same again later.
            Exception: What the handler raised; nothing was changed, but that it may be passed over.
        """
        if self._aggregate_types and event.aggregate_type not in self._aggregate_types:
            return
        is_last = attempt >= self._max_delivery_attempts
        try:
            try:
                await self._apply([event])
            except _GapError as gap:
                await self._fill(gap.version, event, self._settle if is_last else self._apply)
                await self._apply([event])
        except _RefusedError as refused:
            if is_last and refused.event is event:
                await self._pass_over(event, refused.reason)
            raise refused.reason from None

    async def rebuild(self) -> int:
        """Handle the whole log, from its first event to its head at the time of the call.

        What was handled before is skipped, so that it may be interrupted and repeated, and live deliveries
        may be handled meanwhile. An event that the handler refuses is passed over.

        Returns:
            How many events were read.

        Raises:
            UnavailableError: The store or the database is away.
        """
        count = 0
        async for page in _pages(self._client.read_all()):
            count += len(page)
            wanted = [
                event
                for event in page
                if not self._aggregate_types or event.aggregate_type in self._aggregate_types
            ]
            if wanted:
                await self._settle(wanted)
        return count

    async def passed_over(self) -> tuple[PassedOver, ...]:
        """Return the events that were left behind, in order.

        Raises:
            UnavailableError: The database is away.
        """
        async with self._transaction() as connection:
            return await passed_over(connection, self.name)

    async def retry_passed_over(self) -> int:
        """Handle again what was left behind; return how many are still.

        Raises:
            UnavailableError: The store or the database is away.
        """
        refused = 0
        for left in await self.passed_over():
            events = self._client.read_aggregate(left.aggregate_id, from_version=left.event_version, limit=1)
            async for event in events:
                try:
                    await self._apply([event])
                except _RefusedError as error:
                    refused += 1
                    logger.warning("still refused: %r", error.reason, extra={"event_id": left.event_id})
        return refused

    async def _fill(
        self, version: int, event: RecordedEvent, take: Callable[[Sequence[RecordedEvent]], Awaitable[None]]
    ) -> None:
        """Handle what comes after a version of the event's aggregate and before the event."""
        missing = self._client.read_aggregate(
            event.aggregate_id, from_version=version + 1, limit=event.event_version - version - 1
        )
        async for page in _pages(missing):
            await take(page)

    async def _settle(self, events: Sequence[RecordedEvent]) -> None:
        """Handle events; pass over those that are refused."""
        try:
            await self._apply(events)
        except _RefusedError:
            for event in events:  # one by one, to find which
                try:
                    await self._apply([event])
                except _RefusedError as refused:
                    await self._pass_over(event, refused.reason)

    async def _apply(self, events: Sequence[RecordedEvent]) -> None:
        """Handle events, those of an aggregate in order, in one transaction; skip what was handled before."""
        async with self._transaction() as connection:
            versions = await self._locked(connection, events)
            for event in events:
                version = versions[event.aggregate_id]
                if event.event_version > version + 1:
                    raise _GapError(self.name, event, version)
                if event.event_version == version + 1:
                    versions.advance(event)
                elif not await versions.take_back(event):
                    continue
                try:
                    async with asyncio.timeout(self._timeout_seconds):
                        await self._handler(connection, event)
                except Exception as error:  # whatever the user's code raises
                    if _is_away(error, connection):
                        raise UnavailableError(f"{self.name} cannot handle an event now: {error}") from error
                    raise _RefusedError(event, error) from error
            await versions.save()

    async def _pass_over(self, event: RecordedEvent, error: Exception) -> None:
        async with self._transaction() as connection:
            versions = await self._locked(connection, [event])
            if versions[event.aggregate_id] != event.event_version - 1:
                return  # handled meanwhile, passed over before, or never reached
            await versions.pass_over(event, error)
            await versions.save()
        place = {"event_id": event.event_id, "global_position": event.global_position}
        logger.error("%s passed over an event: %r", self.name, error, extra=place)

    async def _locked(self, connection: Connection, events: Sequence[RecordedEvent]) -> ProjectionVersions:
        aggregate_ids = {event.aggregate_id for event in events}
        return await ProjectionVersions.lock(connection, self.name, aggregate_ids)

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[Connection]:
        try:
            async with self._connect() as connection, connection.transaction():
                yield connection
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            raise UnavailableError(f"the database of the projection {self.name} is away: {error}") from error


class _GapError(EventStoreError):
    """Something before an event was not handled yet. Whoever sees it has another store's events."""

    def __init__(self, projection: str, event: RecordedEvent, version: int) -> None:
        super().__init__(
            f"{projection} is at version {version} of aggregate {event.aggregate_id} and got version "
            f"{event.event_version}, but the store has none between: is it the same store?"
        )
        self.version = version


class _RefusedError(Exception):
    """The handler raised `reason` for `event`."""

    def __init__(self, event: RecordedEvent, reason: Exception) -> None:
        self.event = event
        self.reason = reason


def _is_away(error: Exception, connection: Connection) -> bool:
    """Return whether an error of the handler is the database's or the store's, and may pass."""
    if isinstance(error, psycopg.errors.QueryCanceled):
        return False  # a statement that takes too long does so again
    passing = (psycopg.OperationalError, UnavailableError, OverloadedError)
    return isinstance(error, passing) or connection.closed


async def _pages(events: AsyncIterator[RecordedEvent]) -> AsyncIterator[list[RecordedEvent]]:
    page: list[RecordedEvent] = []
    async for event in events:
        page.append(event)
        if len(page) == _PAGE_EVENTS:
            yield page
            page = []
    if page:
        yield page
