"""Acknowledge and reject the messages of a subscription, and extend the deadlines of those it holds.

Invariants:

- The deadline of a held message is extended by DEADLINE_SECONDS every RENEWAL_SECONDS, until the message is
  settled or dropped.
- A settlement is complete when Pub/Sub has answered; an interrupted one is sent again.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Final, NoReturn

from event_store.pubsub.subscriber import Subscriber

# Google's shortest: the messages of a dead consumer are delivered again after this time.
DEADLINE_SECONDS: Final = 10
RENEWAL_SECONDS: Final = 3.0


class Acknowledgements:
    """Acknowledges, rejects and holds messages of one subscription by their ack ids.

    Attributes:
        held: The ack ids of the held messages.
        refused_keys: The ordering keys with a rejected message that Pub/Sub has not been told about yet.
    """

    def __init__(self, subscriber: Subscriber, subscription: str) -> None:
        self.held: set[str] = set()
        self.refused_keys: set[str] = set()
        self._subscriber = subscriber
        self._subscription = subscription
        self._done: list[str] = []
        self._refused: dict[str, str] = {}
        self._has_settled = asyncio.Event()
        self._telling = asyncio.Lock()

    def acknowledge(self, ack_id: str) -> None:
        """Acknowledge a message with the next request."""
        self.held.discard(ack_id)
        self._done.append(ack_id)
        self._has_settled.set()

    def refuse(self, key: str, ack_ids: Sequence[str]) -> None:
        """Reject a message with the next request, and stop holding those behind it.

        Args:
            key: The ordering key of the messages.
            ack_ids: The ack id of the rejected message, which Pub/Sub delivers again after its backoff or
                makes a dead letter; then the ids of those behind it, which it delivers again after that.
        """
        self.held.difference_update(ack_ids)
        self.refused_keys.add(key)
        self._refused[ack_ids[0]] = key
        self._has_settled.set()

    async def run(self) -> NoReturn:
        """Send settlements to Pub/Sub at once, and extend the deadlines of held messages in time.

        Raises:
            EventStoreError: As for `Subscriber.acknowledge`.
        """
        loop = asyncio.get_running_loop()
        renewal = loop.time() + RENEWAL_SECONDS
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout_at(renewal):
                    await self._has_settled.wait()
            await self.tell()
            if loop.time() >= renewal:
                renewal = loop.time() + RENEWAL_SECONDS
                await self._subscriber.hold(self._subscription, list(self.held), DEADLINE_SECONDS)

    async def tell(self) -> None:
        """Send the waiting settlements to Pub/Sub.

        Raises:
            EventStoreError: As for `Subscriber.acknowledge`; unsettled messages are delivered again.
        """
        async with self._telling:  # when it returns, the settlements of a concurrent call are sent, too
            await self._tell()

    async def _tell(self) -> None:
        self._has_settled.clear()
        done, self._done = self._done, []
        refused, self._refused = self._refused, {}
        # A message of these keys that arrives from now on may be the rejected one or, after it, the next one.
        self.refused_keys.difference_update(refused.values())
        try:
            await self._subscriber.hold(self._subscription, list(refused), 0)
            await self._subscriber.acknowledge(self._subscription, done)
        except asyncio.CancelledError:  # Pub/Sub may not have received it: the next call sends it again
            self._done += done
            self._refused |= refused
            raise
