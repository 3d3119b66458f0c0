"""The relay: publishes the log to Pub/Sub, in order, at least once. The log itself is its outbox.

Invariants:

- One relay publishes at a time, by a lease; any number stand by and take over when it ends or runs out.
- An event is published to every topic of its routes, under the ordering key of its aggregate, after all
  earlier events of that key. An event without a route is passed over.
- The checkpoint only grows, and everything up to it is published or parked. Whatever happens, the next
  holder begins there. So nothing is lost, and what is published twice is a part of the log in its order:

      killed …                                         then …
      the relay, before a publish                      the next holder publishes it
      the relay, between a publish and its checkpoint  the next holder publishes it again, and all behind it
      the relay, between parking and its checkpoint    it is refused again, and not parked twice
      the relay, asleep beyond its lease               there is another epoch, its checkpoint is refused
      PostgreSQL, before a checkpoint                  what was published is published again
      PostgreSQL, after a checkpoint                   the relay goes on behind it, though it was not told
      PostgreSQL, before parking                       it is refused again, and parked then
      Pub/Sub, before it has a message                 it is published to the next one
      Pub/Sub, before it acknowledges a message        it is published again
      Pub/Sub, after it acknowledged a message         it is checkpointed: it is the bus's to keep

- A message may therefore come twice, but an event first comes after the one before it. Subscribers drop what
  is not newer than the aggregate's version that they have.
- The relay outlives the database and Pub/Sub: it waits and tries again, until it is told to stop.
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
    """A relay of this process: `run` it in a task, `wake` it after an append, `stop` it in the end.

    Args:
        login: For its two connections to the database, one for statements and one to listen.
        routing: Which events go where.
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
        """Say that the log has grown. Costs nothing where another relay is the active one."""
        self._wakeup.hint()

    def stop(self) -> None:
        """Let `run` end: requests in flight end, the checkpoint is written, the lease released."""
        self._stopping.set()

    async def run(self) -> None:
        """Relay until stopped."""
        try:
            while not self._stopping.is_set():
                try:
                    await self._hold_office()
                    continue
                except LeaseLostError as error:
                    logger.warning("stopped publishing: %s", error)
                except (ConfigurationError, LogCorruptedError) as error:
                    logger.error("cannot publish until somebody helps: %s", error)  # noqa: TRY400 # no traceback
                except EventStoreError as error:
                    logger.warning("cannot publish, trying again: %s", error)
                await wait_or_stop(self._stopping, self._backoff.next_seconds())
        finally:
            await self._publisher.close()

    async def _hold_office(self) -> None:
        """Stand by for the lease, then publish until stopped or until something fails."""
        if self._routing.topics:  # a store without a bus needs no credentials for one
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
                with suppress(EventStoreError, LeaseLostError):  # it runs out by itself
                    await lease.release()
            logger.info("released the lease", extra=log | {"position": lease.position})

    async def _acquire(self, connection: psycopg.AsyncConnection[Any]) -> RelayLease | None:
        while not self._stopping.is_set():
            lease = await RelayLease.acquire(connection, self.owner)
            if lease is not None:
                return lease
            await wait_or_stop(self._stopping, STANDBY_SECONDS)
        return None
