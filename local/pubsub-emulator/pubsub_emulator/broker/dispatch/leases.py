"""Leases: the consumer, the ack id and the deadline of each outstanding message.

An ack id is valid until its lease ends: by an acknowledgement, a nack, its deadline, the end of its stream,
a seek, or the redelivery of an earlier message of its key. Ids are never reused.

After the end of its stream, an id is late: it acknowledges the message until the message is leased again.
A client that stops closes its stream first, and then acknowledges the messages that it still finishes.
"""

import itertools
import re
import secrets
from collections.abc import Callable, Iterator, Sequence
from weakref import WeakValueDictionary

from pubsub_emulator.broker.clock import Clock
from pubsub_emulator.broker.dispatch.deadlines import Deadlines
from pubsub_emulator.broker.dispatch.ordering_lane import QueuedMessage
from pubsub_emulator.broker.dispatch.receiver import Receiver
from pubsub_emulator.errors import InvalidArgumentError

_ACK_ID = re.compile(r"[0-9a-f]{8}:[0-9]+")


class Leases:
    """The outstanding messages of one subscription.

    Args:
        clock: Whose time it is.
        expire: Called with messages whose deadline has passed; has to end their leases.
    """

    def __init__(self, clock: Clock, expire: Callable[[list[QueuedMessage]], None]) -> None:
        self._clock = clock
        self._held: dict[str, QueuedMessage] = {}
        self._late: WeakValueDictionary[str, QueuedMessage] = WeakValueDictionary()
        self._deadlines: Deadlines[QueuedMessage] = Deadlines(clock, expire)
        self._prefix = secrets.token_hex(4)
        self._numbers = itertools.count(1)

    def __iter__(self) -> Iterator[QueuedMessage]:
        return iter(self._held.values())

    def find(self, ack_id: str) -> QueuedMessage | None:
        """Return the message that is leased under an id; None if the id is no longer valid.

        Raises:
            InvalidArgumentError: The id is malformed.
        """
        delivery = self._held.get(ack_id)
        if delivery is None and _ACK_ID.fullmatch(ack_id) is None:
            raise InvalidArgumentError(
                f"You have passed an invalid ack ID to the service (ack_id={ack_id[:40]})."
            )
        return delivery

    def find_late(self, ack_id: str) -> QueuedMessage | None:
        """Return the message whose lease ended with its stream; None once it is leased again."""
        delivery = self._late.get(ack_id)
        return delivery if delivery is not None and delivery.late_id == ack_id else None

    def grant(self, deliveries: Sequence[QueuedMessage], seconds: float) -> None:
        """Lease messages: give each one an id and a deadline `seconds` from now."""
        deadline = self._clock.now() + seconds
        for delivery in deliveries:
            delivery.ack_id = f"{self._prefix}:{next(self._numbers)}"
            delivery.late_id = ""
            delivery.slot = self._deadlines.add(delivery, deadline)
            self._held[delivery.ack_id] = delivery

    def extend(self, delivery: QueuedMessage, seconds: float) -> None:
        """Move a deadline to `seconds` from now."""
        self._deadlines.withdraw(delivery, delivery.slot)
        delivery.slot = self._deadlines.add(delivery, self._clock.now() + seconds)

    def end(self, delivery: QueuedMessage) -> None:
        """End a lease, if there is one, and release the consumer's room."""
        if self._held.pop(delivery.ack_id, None) is None:
            return
        self._deadlines.withdraw(delivery, delivery.slot)
        delivery.ack_id = ""
        if delivery.consumer is not None:
            delivery.consumer.release(delivery.message.size_bytes)
            delivery.consumer = None

    def held_by(self, consumer: Receiver) -> list[QueuedMessage]:
        """Return the messages that a consumer holds, in the order of delivery."""
        return [delivery for delivery in self._held.values() if delivery.consumer is consumer]

    def keep_late(self, delivery: QueuedMessage, ack_id: str) -> None:
        """Accept an acknowledgement by the id of an ended lease until the message is leased again."""
        delivery.late_id = ack_id
        self._late[ack_id] = delivery

    def clear(self) -> None:
        """End every lease."""
        for delivery in list(self._held.values()):
            self.end(delivery)
        self._late.clear()
        self._deadlines.clear()
