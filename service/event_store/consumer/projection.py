"""Handle each event once in effect, although Pub/Sub delivers it at least once.

Invariants:

- The last handled `event_version` of each aggregate is written in the handler's own transaction. Both are
  committed or neither, so whichever process is killed, an event has had its effect once or not yet:

      killed …                                         then the event …
      the projection, before the commit                is delivered again and handled
      the projection, after it, before the ack         is delivered again and skipped as a duplicate
      the projection, during the ack                   the same
      its PostgreSQL, before the commit                is kept, retried and handled
      its PostgreSQL, after the commit                 is kept, retried and skipped as a duplicate
      Pub/Sub, between delivery and ack                has its effect; another delivery is skipped
      the store, while a gap is filled                 waits for the store to restart, then the gap is filled

- The events of an aggregate are handled one at a time in the order of their versions, by any number of
  processes: the aggregate's row is locked meanwhile. Missing earlier events are read from the store.
- An event that its handler rejects on its last delivery is passed over: it is recorded with the error, and
  its aggregate continues. Pub/Sub makes its message a dead letter; once redriven, it is handled, late but
  once. A missing event that fails is passed over on the last delivery of the event that needs it.
- A transaction is committed, or `handle` raises: see `transaction.py`.
- A failure before the handler has its event is never the event's fault. After that the SQLSTATE decides, see
  `database.errors`:

      the store or the database is unreachable    UnavailableError: nothing changes, nothing is passed over
      a table, a right or disk space is missing   ConfigurationError: the same
      a deadlock, a lock timeout …                retried at once, up to TRIES times, then rejected
      the connection is lost                      UnavailableError; rejected after TRIES losses
      anything else                               rejected
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Final

import psycopg

from event_store.backoff import Backoff
from event_store.client.client import Client
from event_store.consumer.checkpoints import PassedOver, ProjectionVersions, passed_over
from event_store.consumer.verdict import (
    BusyError,
    GapError,
    LostConnectionError,
    LostError,
    RefusedError,
    after_handling,
    before_handling,
)
from event_store.database.transaction import refuse_unless_open, transaction
from event_store.errors import EventStoreError
from event_store.model import arguments
from event_store.model.events import RecordedEvent

Connection = psycopg.AsyncConnection[Any]
Handler = Callable[[Connection, RecordedEvent], Awaitable[None]]
TRIES: Final = 5
_DELIVERY_ATTEMPTS: Final = (1, 100)  # emulators take fewer than the 5 that Google asks for
_PAGE_EVENTS: Final = 100
_ANSWER_SECONDS: Final = 10.0
_MOST_LOSSES: Final = 1000
_FIRST_WAIT_SECONDS: Final = 0.1
_LONGEST_WAIT_SECONDS: Final = 2.0

logger = logging.getLogger(__name__)


class Projection:
    """Projects the log into tables of a PostgreSQL database. Any number of tasks can share a projection."""

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
        """Configure a projection.

        Args:
            name: The name, unique in its database. A projection with a new name begins at version 0.
            client: An open client of the store.
            connect: Returns a context with a connection to the projection's database, such as the method
                `connection` of a pool. The database needs the tables of `create_projection_tables`.
            handler: A coroutine function that receives a connection, in a transaction, and an event. It
                changes the tables through this connection only, never commits, and ignores unknown event
                types.
            aggregate_types: The types of aggregates whose events to handle; empty for all.
            max_delivery_attempts: The delivery attempt on which a failing event is passed over, 1 to 100; use
                the subscription's value, which is at least 5 on Google Cloud.
            timeout_seconds: The time limit of the handler for one event; above 0, at most 604,800.

        Raises:
            InvalidArgumentError: `aggregate_types` is a single string, or a number is out of its range.
        """
        self.name = name
        self._client = client
        self._connect = connect
        self._handler = handler
        self._aggregate_types = frozenset(arguments.texts(aggregate_types, "aggregate_types"))
        self._max_delivery_attempts = arguments.whole(
            max_delivery_attempts, "max_delivery_attempts", *_DELIVERY_ATTEMPTS
        )
        self._timeout_seconds = arguments.seconds(timeout_seconds, "timeout_seconds")
        self._losses: dict[str, int] = {}  # of a connection, by the event that was in hand

    async def handle(self, event: RecordedEvent, attempt: int = 0) -> None:
        """Handle an event and all missing earlier events of its aggregate; skip a duplicate.

        Args:
            event: The received event.
            attempt: The number of the delivery attempt, from 1; 0 if it is unknown, which is never the last.

        Raises:
            UnavailableError, OverloadedError: The store or the database is unreachable: retry later.
            ConfigurationError: The database lacks a table, a right or disk space: retry once it is fixed.
            Exception: The handler's own error. The tables are unchanged; on its last attempt the event is
                passed over.
        """
        if self._aggregate_types and event.aggregate_type not in self._aggregate_types:
            return
        is_last = attempt >= self._max_delivery_attempts
        try:
            try:
                await self._apply([event])
            except GapError as gap:
                await self._fill(gap.version, event, self._settle if is_last else self._apply)
                await self._apply([event])
        except RefusedError as refused:
            if is_last and refused.event is event:
                await self._pass_over(event, refused.reason)
            raise refused.reason from None

    async def rebuild(self) -> int:
        """Handle the whole log, from its first event to its head at the time of the call.

        Handled events are skipped, so a rebuild can be interrupted and repeated, and can run next to live
        deliveries. An event that the handler rejects is passed over.

        Returns:
            The number of events read.

        Raises:
            UnavailableError: The store or the database is unreachable.
            ConfigurationError: The database lacks a table, a right or disk space.
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
        """Return the events that were passed over, in the order of aggregate id and version.

        Raises:
            UnavailableError: The database is unreachable.
        """
        try:
            async with self._transaction() as (connection, _):
                return await passed_over(connection, self.name)
        except Exception as error:
            raise before_handling(self.name, error) from error

    async def retry_passed_over(self) -> int:
        """Retry the events that were passed over.

        Returns:
            The number of events that are still passed over.

        Raises:
            UnavailableError: The store or the database is unreachable.
            ConfigurationError: The database lacks a table, a right or disk space.
        """
        for left in await self.passed_over():
            events = self._client.read_aggregate(left.aggregate_id, from_version=left.event_version, limit=1)
            async for event in events:
                try:
                    await self._apply([event])
                except RefusedError as error:
                    logger.warning(
                        "event rejected again: %r", error.reason, extra={"event_id": left.event_id}
                    )
        return len(await self.passed_over())

    async def _fill(
        self, version: int, event: RecordedEvent, take: Callable[[Sequence[RecordedEvent]], Awaitable[None]]
    ) -> None:
        """Handle the events of an aggregate after a version and before an event."""
        missing = self._client.read_aggregate(
            event.aggregate_id, from_version=version + 1, limit=event.event_version - version - 1
        )
        async for page in _pages(missing):
            await take(page)

    async def _settle(self, events: Sequence[RecordedEvent]) -> None:
        """Handle events; pass over the rejected ones."""
        try:
            await self._apply_through_losses(events)
        except RefusedError:
            for event in events:  # one by one, to find the rejected ones
                try:
                    await self._apply_through_losses([event])
                except RefusedError as refused:
                    await self._pass_over(event, refused.reason)

    async def _apply_through_losses(self, events: Sequence[RecordedEvent]) -> None:
        """Handle events; retry when the connection is lost with one in hand, at most TRIES times for each."""
        while True:
            try:
                return await self._apply(events)
            except LostConnectionError as error:
                logger.warning("connection lost, retrying: %s", error)

    async def _apply(self, events: Sequence[RecordedEvent]) -> None:
        """Handle events in one transaction, those of an aggregate in order; skip duplicates.

        Raises:
            RefusedError: One of the events cannot be handled.
            GapError: An earlier event of an aggregate is missing.
            UnavailableError, OverloadedError, ConfigurationError: As for `handle`.
        """
        backoff = Backoff(_FIRST_WAIT_SECONDS, _LONGEST_WAIT_SECONDS)
        for tries_left in reversed(range(TRIES)):
            try:
                await self._try(events)
            except BusyError as busy:
                if not tries_left:
                    raise RefusedError(busy.event, busy.reason) from busy.reason
                logger.info("%s retries an event: %r", self.name, busy.reason)
                await asyncio.sleep(backoff.next_seconds())
            except LostError as lost:
                raise self._counted(lost) from lost.reason
            else:
                for event in events:
                    self._losses.pop(event.event_id, None)
                return

    def _counted(self, lost: LostError) -> Exception:
        """Return the error to raise when the connection was lost with an event in hand."""
        event_id = lost.event.event_id
        self._losses[event_id] = losses = self._losses.pop(event_id, 0) + 1
        if len(self._losses) > _MOST_LOSSES:  # the oldest: another process has handled it
            del self._losses[next(iter(self._losses))]
        if losses >= TRIES:
            return RefusedError(lost.event, lost.reason)
        return LostConnectionError(
            f"projection {self.name} lost its database connection while handling an event: {lost.reason}"
        )

    async def _try(self, events: Sequence[RecordedEvent]) -> None:
        in_hand: RecordedEvent | None = None
        try:
            async with self._transaction() as (connection, limit):
                versions = await ProjectionVersions.lock(connection, self.name, events)
                for event in events:
                    version = versions[event]
                    if event.event_version > version + 1:
                        raise GapError(self.name, event, version)  # noqa: TRY301 # it ends the transaction
                    if event.event_version == version + 1:
                        versions.advance(event)
                    elif not await versions.take_back(event):
                        continue
                    in_hand = event
                    limit.reschedule(self._deadline())
                    await self._handle(connection, event)
                await versions.save()
        except GapError:
            raise
        except Exception as error:  # whatever PostgreSQL and the user's code raise
            if in_hand is None:
                raise before_handling(self.name, error) from error
            raise after_handling(self.name, in_hand, error) from error

    async def _handle(self, connection: Connection, event: RecordedEvent) -> None:
        """Call the handler, and convert errors that the transaction or the task would mistake for its own."""
        try:
            async with asyncio.timeout(self._timeout_seconds):
                await self._handler(connection, event)
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            reason = EventStoreError("the handler raised CancelledError although it was not cancelled")
            raise RefusedError(event, reason) from error
        except Exception as error:  # whatever the user's code raises
            raise after_handling(self.name, event, error, is_lost=connection.closed) from error
        refuse_unless_open(connection)

    async def _pass_over(self, event: RecordedEvent, reason: Exception) -> None:
        try:
            async with self._transaction() as (connection, _):
                versions = await ProjectionVersions.lock(connection, self.name, [event])
                if versions[event] != event.event_version - 1:
                    return  # handled meanwhile, passed over before, or never reached
                await versions.pass_over(event, reason)
                await versions.save()
        except Exception as error:
            raise before_handling(self.name, error) from error
        place = {"event_id": event.event_id, "global_position": event.global_position}
        logger.error("projection %s passed over an event: %r", self.name, reason, extra=place)

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[tuple[Connection, asyncio.Timeout]]:
        """Open a transaction with a time limit, in case the database hangs. The handler has its own limit.

        Raises:
            psycopg.OperationalError: The time limit has passed.
        """
        try:
            async with (
                asyncio.timeout_at(self._deadline()) as limit,
                self._connect() as connection,
                transaction(connection),
            ):
                yield connection, limit
        except TimeoutError as error:
            raise psycopg.OperationalError("the database did not answer in time") from error

    def _deadline(self) -> float:
        # Another process may hold the aggregate's row for as long as its handler may take.
        return asyncio.get_running_loop().time() + 2 * self._timeout_seconds + _ANSWER_SECONDS


async def _pages(events: AsyncIterator[RecordedEvent]) -> AsyncIterator[list[RecordedEvent]]:
    page: list[RecordedEvent] = []
    async for event in events:
        page.append(event)
        if len(page) == _PAGE_EVENTS:
            yield page
            page = []
    if page:
        yield page
