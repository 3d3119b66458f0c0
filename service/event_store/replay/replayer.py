"""Run replays next to the relay, with the same publish loop.

Invariants:

- One process publishes a replay at a time, the owner of its lease; any number look for replays without an
  owner.
- An event of the range that passes the filter is published to the replay's topic, with the id, attributes and
  ordering key of the first time and after all earlier events of that key; or it is parked.
- The checkpoint only grows, and every event up to it is published or parked, and counted once. The next owner
  begins there, whatever happens:

      a crash …                                   then the next owner …
      before a publish                            publishes the message
      between a publish and its checkpoint        publishes it and all later ones again, and counts them once
      between parking and its checkpoint          is rejected again, parks nothing twice, and counts it once
      while asleep beyond its lease               has another epoch: the sleeper's checkpoint is rejected

- Replays run concurrently, each with requests and pages of its own, at most `MOST_REPLAYS` in a process. They
  share one connection to the database: a statement of one waits at most for a page of another. A paused
  replay takes no place. If more replays are running, each has turns of `TURN_SECONDS`.
- A replay survives failures of the database and Pub/Sub, and a topology without its topic: it records the
  error and retries, until it is cancelled.
"""

import asyncio
import logging
from contextlib import suppress
from typing import Any, Final

import psycopg

from event_store.backoff import Backoff, wait_or_stop
from event_store.database.login import Login
from event_store.errors import ConfigurationError, EventStoreError
from event_store.outbox.lease import LeaseLostError, new_owner, statement
from event_store.outbox.paging import PageSize
from event_store.pubsub.publisher import Publisher
from event_store.replay import queries
from event_store.replay.lease import ReplayLease
from event_store.replay.term import PAGE_EVENTS, ReplayTerm
from event_store.replay.topics import fault_of
from event_store.topology import Routing

MOST_REPLAYS: Final = 4  # a statement may wait for a page of each of the others
TURN_SECONDS: Final = 10.0  # after this a replay yields its place to a waiting one
LOOK_SECONDS: Final = 0.5  # between two looks for a replay
RETRY_SECONDS: Final = 2.0  # before a failed replay is retried
_FIRST_WAIT_SECONDS: Final = 0.2
_LONGEST_WAIT_SECONDS: Final = 10.0

logger = logging.getLogger(__name__)


class Replayer:
    """The replayer of one process: `run` it in a task, and `stop` it to end the task.

    Args:
        login: The login of its connection to the database.
        routing: The topics and routes.
    """

    def __init__(self, login: Login, routing: Routing) -> None:
        self.owner = new_owner()
        self._login = login
        self._routing = routing
        self._publisher = Publisher()
        self._page_size = PageSize(PAGE_EVENTS)
        self._held: dict[str, ReplayTerm | None] = {}
        self._places = 0
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """End `run` after finishing requests in flight, writing checkpoints and releasing leases."""
        self._stopping.set()
        for term in self._held.values():
            if term is not None:
                term.stop()

    async def run(self) -> None:
        """Run replays until stopped."""
        backoff = Backoff(_FIRST_WAIT_SECONDS, _LONGEST_WAIT_SECONDS)
        try:
            while not self._stopping.is_set():
                try:
                    await self._hold_connection(backoff)
                except EventStoreError as error:
                    logger.warning("cannot look for replays, retrying: %s", error)
                    await wait_or_stop(self._stopping, backoff.next_seconds())
        finally:
            await self._publisher.close()

    async def _hold_connection(self, backoff: Backoff) -> None:
        """Run replays until stopped, which ends running ones first, or until the connection is lost."""
        failure: EventStoreError | None = None
        async with await self._login.connect_async() as connection, asyncio.TaskGroup() as running:
            try:
                while not self._stopping.is_set():
                    await self._look(connection, running)
                    backoff.reset()
                    await wait_or_stop(self._stopping, LOOK_SECONDS)
            except EventStoreError as error:
                failure = error
                connection.give_up()  # running replays fail, too, and begin again on the next connection
        if failure is not None:
            raise failure

    async def _look(self, connection: psycopg.AsyncConnection[Any], running: asyncio.TaskGroup) -> None:
        """Start a task for a replay without an owner, if there is one."""
        async with statement():
            cursor = await connection.execute(
                queries["replay_waits"], {"owner": self.owner, "held": list(self._held)}
            )
            row = await cursor.fetchone()
        if row and row[0]:
            if self._places < MOST_REPLAYS:
                self._places += 1
                running.create_task(self._take_one(connection))
            else:
                self._end_a_turn()

    def _end_a_turn(self) -> None:
        terms = [term for term in self._held.values() if term is not None]
        longest = min(terms, key=lambda term: term.began_at, default=None)
        if longest and asyncio.get_running_loop().time() - longest.began_at >= TURN_SECONDS:
            longest.stop()

    async def _take_one(self, connection: psycopg.AsyncConnection[Any]) -> None:
        """Acquire and run a replay without an owner, if there still is one, until its term ends."""
        replay_id = ""
        try:
            lease = await ReplayLease.acquire(connection, self.owner, list(self._held))
            if lease is not None:
                replay_id = lease.replay_id
                self._held[replay_id] = None
                await self._run(lease)
        except LeaseLostError as error:
            logger.warning("stopped replaying: %s", error)
        except EventStoreError as error:
            logger.warning("cannot replay, retrying: %s", error, extra={"replay_id": replay_id})
        finally:
            self._places -= 1
            self._held.pop(replay_id, None)

    async def _run(self, lease: ReplayLease) -> None:
        log = {"owner": self.owner, "epoch": lease.epoch, "replay_id": lease.replay_id}
        logger.info("replaying", extra=log | {"position": lease.checkpointed[0]})
        try:
            if fault := fault_of(lease.topic, self._routing):
                raise ConfigurationError(fault)
            await self._publisher.open()
            topic = next(each for each in self._routing.topics.values() if each.path == lease.topic)
            term = ReplayTerm(lease, self._publisher, topic, self._page_size)
            self._held[lease.replay_id] = term
            if self._stopping.is_set():
                return
            await term.run()
        except EventStoreError as error:
            with suppress(EventStoreError, LeaseLostError):
                position, published_events, parked_events, _ = lease.checkpointed
                await lease.checkpoint(position, published_events, parked_events, str(error))
            await wait_or_stop(self._stopping, RETRY_SECONDS)
            raise
        finally:
            with suppress(EventStoreError, LeaseLostError):  # the lease expires by itself
                await lease.release()
        logger.info("released the replay", extra=log | {"position": lease.checkpointed[0]})
