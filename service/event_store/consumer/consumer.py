"""Receive the events of a subscription by streaming pull and pass them to a handler.

Invariants:

- An event is acknowledged after its handler has returned, never before: at least once.
- Events of one ordering key are handled one at a time and in order; at most `concurrency` keys are handled
  concurrently.
- An event whose handler raises is rejected, and the events behind it with the same key are dropped. Pub/Sub
  delivers them again after its backoff, or makes the first one a dead letter and delivers the others.
- An event whose handler raises UnavailableError, OverloadedError or ConfigurationError is kept and retried.
  So an outage of the store or a database, or a missing table, makes no dead letters, and no worker waits.
- The stream's flow control bounds the held messages, whose deadlines are extended without limit. A handler
  that takes longer than LONGEST_SECONDS has failed, as has one that raises CancelledError uncancelled.
- A message that may have killed the processes that held it is handled alone: see `suspects.py`.
- The consumer reconnects to Pub/Sub until it is stopped. On stop, the events in hand are finished and
  acknowledged; Pub/Sub delivers the others again after their deadline.
"""

import asyncio
import logging
from typing import Final

from event_store.backoff import Backoff, wait_or_stop
from event_store.consumer.outage import Outage
from event_store.consumer.streaming_pull import EventHandler, Intake
from event_store.consumer.suspects import Suspects
from event_store.errors import ConfigurationError, EventStoreError
from event_store.model import arguments
from event_store.pubsub.subscriber import Subscriber

_CONCURRENCY: Final = (1, 1000)
_FIRST_WAIT_SECONDS: Final = 0.1
_LONGEST_WAIT_SECONDS: Final = 10.0

logger = logging.getLogger(__name__)


class Consumer:
    """Consumes a subscription with a handler: `run` it in a task, and `stop` it to end the task."""

    def __init__(self, subscription: str, handler: EventHandler, *, concurrency: int = 16) -> None:
        """Configure a consumer.

        Args:
            subscription: `projects/PROJECT/subscriptions/NAME`, on Google Cloud or on the emulator that
                PUBSUB_EMULATOR_HOST names.
            handler: A coroutine function that receives an event and the number of its delivery attempt, such
                as `Projection.handle`. The attempt counts from 1; 0 if the subscription has no dead letters.
            concurrency: The highest number of events handled concurrently, each of another ordering key; 1 to
                1,000.

        Raises:
            InvalidArgumentError: `concurrency` is out of its range.
        """
        self._subscription = subscription
        self._handler = handler
        self._concurrency = arguments.whole(concurrency, "concurrency", *_CONCURRENCY)
        self._subscriber = Subscriber()
        self._outage = Outage()
        self._suspects = Suspects()
        self._stopping = asyncio.Event()
        self._backoff = Backoff(_FIRST_WAIT_SECONDS, _LONGEST_WAIT_SECONDS)

    def stop(self) -> None:
        """End `run`, after the events in hand are finished and acknowledged. Stopping twice is harmless."""
        self._stopping.set()

    async def run(self) -> None:
        """Consume until stopped.

        It raises nothing: errors of Pub/Sub and of the handler are logged and retried.
        """
        try:
            while not self._stopping.is_set():
                try:
                    await self._subscriber.open()
                    await self._take()
                except ConfigurationError as error:
                    logger.error("consuming stopped, operator action required: %s", error)  # noqa: TRY400 # no traceback
                except EventStoreError as error:
                    logger.info("stream ended, reconnecting: %s", error)  # Google ends every stream in time
                await wait_or_stop(self._stopping, self._backoff.next_seconds())
        finally:
            await self._subscriber.close()

    async def _take(self) -> None:
        intake = Intake(
            self._subscriber,
            self._subscription,
            self._handler,
            self._concurrency,
            self._outage,
            self._suspects,
        )
        try:
            await intake.run(self._stopping)
        finally:
            if intake.has_received:
                self._backoff.reset()
