"""Publish the log to Pub/Sub, in order per key and at least once. The log itself is the outbox.

Invariants:

- One relay publishes at a time, the holder of a lease. Any number stand by, and one takes over when the lease
  is released or expires.
- An event is published to every topic of its routes, with the ordering key of its aggregate, after all
  earlier events of that key. An event without a route is skipped.
- The checkpoint only grows, and every event up to it is published or parked. The next holder begins there,
  whatever happens. So nothing is lost, and events that are published twice come again in the log's order:

      killed …                                         then …
      the relay, before a publish                      the next holder publishes the message
      the relay, between a publish and its checkpoint  the next holder publishes it and all later ones again
      the relay, between parking and its checkpoint    it is rejected again, and not parked twice
      the relay, asleep beyond its lease               the epoch has changed, so its checkpoint is rejected
      PostgreSQL, before a checkpoint                  the published messages are published again
      PostgreSQL, after a checkpoint                   the relay resumes after it, although it got no answer
      PostgreSQL, before parking                       the message is rejected again, and then parked
      Pub/Sub, before it has a message                 the message is retried
      Pub/Sub, before it acknowledges a message        the message is published again
      Pub/Sub, after it acknowledged a message         the message is checkpointed; Pub/Sub must keep it

- A message may therefore be published twice, but the first time it comes after all earlier ones of its key.
  Subscribers skip events that are not newer than the aggregate's version that they have.
- The relay survives failures of the database and Pub/Sub: it retries with backoff until it is stopped.
"""

import asyncio
import logging
from contextlib import suppress
from typing import Any, Final

import psycopg

from event_store.backoff import Backoff, wait_or_stop
from event_store.database.login import Login
from event_store.errors import ConfigurationError, EventStoreError, LogCorruptedError
from event_store.log.notifications import Wakeup
from event_store.outbox.lease import LeaseLostError, new_owner
from event_store.outbox.paging import PageSize
from event_store.outbox.relay_lease import RelayLease
from event_store.outbox.relay_term import PAGE_EVENTS, Term
from event_store.pubsub.publisher import Publisher
from event_store.topology import Routing

STANDBY_SECONDS: Final = 1.0  # between two attempts to acquire the lease
_FIRST_WAIT_SECONDS: Final = 0.2
_LONGEST_WAIT_SECONDS: Final = 10.0

logger = logging.getLogger(__name__)


class Relay:
    """The relay of one process: `run` it in a task, `wake` it after an append, and `stop` it to end the task.

    Args:
        login: The login of its two connections to the database, one for statements and one to listen.
        routing: The routes from events to topics.
    """

    def __init__(self, login: Login, routing: Routing) -> None:
        self.owner = new_owner()
        self._login = login
        self._routing = routing
        self._publisher = Publisher()
        self._wakeup = Wakeup(login)
        self._page_size = PageSize(PAGE_EVENTS)
        self._stopping = asyncio.Event()
        self._backoff = Backoff(_FIRST_WAIT_SECONDS, _LONGEST_WAIT_SECONDS)

    def wake(self) -> None:
        """Wake the relay after the log has grown; has no effect if another relay is active."""
        self._wakeup.hint()

    def stop(self) -> None:
        """End `run` after finishing requests in flight, writing the checkpoint and releasing the lease."""
        self._stopping.set()

    async def run(self) -> None:
        """Publish the log until stopped."""
        try:
            while not self._stopping.is_set():
                try:
                    await self._run_term()
                    continue
                except LeaseLostError as error:
                    logger.warning("stopped publishing: %s", error)
                except (ConfigurationError, LogCorruptedError) as error:
                    logger.error("publishing stopped, operator action required: %s", error)  # noqa: TRY400 # no traceback
                except EventStoreError as error:
                    logger.warning("cannot publish, retrying: %s", error)
                await wait_or_stop(self._stopping, self._backoff.next_seconds())
        finally:
            await self._publisher.close()

    async def _run_term(self) -> None:
        """Acquire the lease, then publish until stopped or until a failure."""
        if self._routing.topics:  # without topics no credentials are needed
            await self._publisher.open()
        async with await self._login.connect_async() as connection:
            lease = await self._acquire(connection)
            if lease is None:
                return
            self._backoff.reset()
            log = {"owner": self.owner, "epoch": lease.epoch, "position": lease.position}
            logger.info("publishing", extra=log)
            try:
                await Term(lease, self._publisher, self._routing, self._wakeup, self._page_size).run(
                    self._stopping
                )
            finally:
                with suppress(EventStoreError, LeaseLostError):  # the lease expires by itself
                    await lease.release()
            logger.info("released the lease", extra=log | {"position": lease.position})

    async def _acquire(self, connection: psycopg.AsyncConnection[Any]) -> RelayLease | None:
        while not self._stopping.is_set():
            lease = await RelayLease.acquire(connection, self.owner)
            if lease is not None:
                return lease
            await wait_or_stop(self._stopping, STANDBY_SECONDS)
        return None
