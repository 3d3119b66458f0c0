"""Who holds which message, under which ack id and until when.

An ack id counts until its lease ends: by an acknowledgement, a refusal, its deadline, the end of its stream,
or a seek or an earlier message of its key that takes the message back. Ids are never used twice.

After the end of its stream, an id is late: an acknowledgement by it counts until the message is leased again,
since a client that stops closes its stream first and acknowledges what it still finishes.
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
        expire: Called with messages whose deadline has passed; it ends their leases.
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
        """The message that is held under an id; None if the id counts no more.

        Raises:
            InvalidArgumentError: It never was an id.
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
        """Give each an id and `seconds` from now."""
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
        """End a lease, if there is one, and tell the consumer that it has room again."""
        if self._held.pop(delivery.ack_id, None) is None:
            return
        self._deadlines.withdraw(delivery, delivery.slot)
        delivery.ack_id = ""
        if delivery.consumer is not None:
            delivery.consumer.release(delivery.message.size_bytes)
            delivery.consumer = None

    def held_by(self, consumer: Receiver) -> list[QueuedMessage]:
        """Return what a consumer holds, in the order in which it was handed out."""
        return [delivery for delivery in self._held.values() if delivery.consumer is consumer]

    def keep_late(self, delivery: QueuedMessage, ack_id: str) -> None:
        """Let an acknowledgement by the id of an ended lease count until the message is leased again."""
        delivery.late_id = ack_id
        self._late[ack_id] = delivery

    def clear(self) -> None:
        """End every lease."""
        for delivery in list(self._held.values()):
            self.end(delivery)
        self._late.clear()
        self._deadlines.clear()
