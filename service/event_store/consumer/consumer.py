"""A consumer takes the events of a subscription by streaming pull and hands them to a handler.

Invariants:

- An event is acknowledged after its handler returned, never before: at least once.
- Events of one ordering key are handled one after the other, in their order; keys beside each other, at most
  `concurrency` of them.
- An event whose handler raises is refused, and what came behind it of its key is dropped: Pub/Sub delivers
  all of them again after its backoff, or makes the first a dead letter, and the others follow.
- An event whose handler raises UnavailableError, OverloadedError or ConfigurationError is kept and tried
  again: an outage of the store or of a database, or a table that is not there yet, makes no dead letters and
  keeps no worker from other events.
- What is held is bounded by the stream's flow control, and held for as long as it takes. A handler that takes
  longer than LONGEST_SECONDS has failed, and so has one that raises CancelledError if nobody cancelled it.
- A message that may have killed the processes that held it is handled alone: see `suspects.py`.
- The consumer outlives Pub/Sub: it connects again until it is told to stop. Then what is being handled ends
  and is acknowledged; the rest comes again when its deadline has passed.
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
    """A consumer of this process: `run` it in a task, `stop` it in the end."""

    def __init__(self, subscription: str, handler: EventHandler, *, concurrency: int = 16) -> None:
        """Describe a consumer.

        Args:
            subscription: `projects/PROJECT/subscriptions/NAME`, on Google Cloud or on the emulator that
                PUBSUB_EMULATOR_HOST names.
            handler: Takes an event and the number of its delivery attempt, from 1, or 0 where the
                subscription has no dead letters; as `Projection.handle` does.
            concurrency: How many events are handled next to each other, each of another ordering key; 1 to
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
        """Let `run` end: what is being handled ends and is acknowledged. Stopping twice is harmless."""
        self._stopping.set()

    async def run(self) -> None:
        """Consume until stopped.

        It raises nothing: what Pub/Sub or a handler cannot do is logged and tried again.
        """
        try:
            while not self._stopping.is_set():
                try:
                    await self._subscriber.open()
                    await self._take()
                except ConfigurationError as error:
                    logger.error("cannot consume until somebody helps: %s", error)  # noqa: TRY400 # no traceback
                except EventStoreError as error:
                    logger.info("the stream ended, opening another: %s", error)  # Google ends each in time
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
