"""What a consumer holds of a subscription, and what it tells Pub/Sub about it.

Invariants:

- What is held is held again every RENEWAL_SECONDS for DEADLINE_SECONDS, until it is settled or dropped.
- What is settled is told once Pub/Sub has answered; an acknowledgement that was interrupted is sent again.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Final, NoReturn

from event_store.pubsub.subscriber import Subscriber

# Google's shortest: what a consumer that died has held comes again after this.
DEADLINE_SECONDS: Final = 10
RENEWAL_SECONDS: Final = 3.0


class Acknowledgements:
    """Acknowledges, refuses and holds messages of one subscription by their ack ids.

    Attributes:
        held: The messages that are held.
        refused_keys: The ordering keys of which a message was refused and Pub/Sub has not been told yet.
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
        """Be done with a message."""
        self.held.discard(ack_id)
        self._done.append(ack_id)
        self._has_settled.set()

    def refuse(self, key: str, ack_ids: Sequence[str]) -> None:
        """Give a message back, and hold those behind it no longer.

        Args:
            key: Their ordering key.
            ack_ids: The message that was refused, which Pub/Sub delivers again after its backoff or makes a
                dead letter; then those behind it, which it delivers again after that.
        """
        self.held.difference_update(ack_ids)
        self.refused_keys.add(key)
        self._refused[ack_ids[0]] = key
        self._has_settled.set()

    async def run(self) -> NoReturn:
        """Tell Pub/Sub what is settled, at once, and hold what is not, in time.

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
        """Tell Pub/Sub what is settled.

        Raises:
            EventStoreError: As for `Subscriber.acknowledge`; what was not told comes again.
        """
        async with self._telling:  # when it returns, what another call has begun to tell is told, too
            await self._tell()

    async def _tell(self) -> None:
        self._has_settled.clear()
        done, self._done = self._done, []
        refused, self._refused = self._refused, {}
        # What comes from now on may be the refused message again, or what follows it as a dead letter.
        self.refused_keys.difference_update(refused.values())
        try:
            await self._subscriber.hold(self._subscription, list(refused), 0)
            await self._subscriber.acknowledge(self._subscription, done)
        except asyncio.CancelledError:  # Pub/Sub may not have heard it: the next call says it again
            self._done += done
            self._refused |= refused
            raise
