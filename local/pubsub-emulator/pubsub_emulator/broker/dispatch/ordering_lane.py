"""The messages of one ordering key on one subscription.

Invariants:
- `outstanding` then `waiting` is the order of publication, always.
- A message is handed out only after every earlier one of its key; while some are outstanding, more go
  to their holder only.
- What is redelivered takes everything behind it along, acknowledged or not (Google: "consistent
  redelivery"), and goes out alone until it is settled: a key that fails repeats one message, not all.
"""

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pubsub_emulator.broker.message import Message

if TYPE_CHECKING:
    from pubsub_emulator.broker.dispatch.receiver import Receiver


@dataclass(slots=True, weakref_slot=True, eq=False)
class QueuedMessage:
    """One message on one subscription, waiting or outstanding.

    Attributes:
        message: What is delivered.
        lane: Its key's lane; None where order does not matter.
        attempt: Number of the current or the next attempt, from 1.
        ack_id: "" unless it is leased.
        late_id: The ack id of a lease that ended with its stream; "" once the message is leased again.
        consumer: Who holds it, while it is leased.
        slot: Where its lease's deadline is noted.
        acked: Acknowledged; it may still stand in a queue, to be dropped when its turn comes.
    """

    message: Message
    lane: "Lane | None" = None
    attempt: int = 1
    ack_id: str = ""
    late_id: str = ""
    consumer: "Receiver | None" = None
    slot: int = 0
    acked: bool = False


class Lane:
    """The queue of one ordering key.

    Attributes:
        queued: Whether it stands in some consumer's (or the common) queue of lanes.
        delayed: The message whose retry delay it waits for, as long as that comes first.
    """

    __slots__ = ("delayed", "holder", "key", "outstanding", "queued", "waiting")

    def __init__(self, key: str) -> None:
        self.key = key
        self.waiting: deque[QueuedMessage] = deque()
        self.outstanding: deque[QueuedMessage] = deque()
        self.holder: Receiver | None = None
        self.queued = False
        self.delayed: QueuedMessage | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing is left to deliver or to acknowledge."""
        return not self.waiting and not self.outstanding

    def is_first(self, delivery: QueuedMessage) -> bool:
        """Whether nothing that was handed out before it is unacknowledged."""
        return self.outstanding[0] is delivery

    def may_go_to(self, consumer: "Receiver | None") -> bool:
        """Whether the next message may be handed to `consumer` now; None stands for any newcomer."""
        if not self.waiting or self.waiting[0] is self.delayed:
            return False
        if not self.outstanding:
            return True
        return (
            consumer is not None
            and consumer is self.holder
            and not consumer.closed
            and not consumer.one_per_key
            and self.waiting[0].attempt == 1
            and self.outstanding[-1].attempt == 1
        )

    def hand_out(self, consumer: "Receiver") -> QueuedMessage:
        """Move the next message to `consumer`."""
        delivery = self.waiting.popleft()
        self.outstanding.append(delivery)
        self.holder = consumer
        return delivery

    def settle(self, delivery: QueuedMessage) -> None:
        """Note an acknowledgement; what is acknowledged from the front on is gone for good."""
        delivery.acked = True
        while self.outstanding and self.outstanding[0].acked:
            self.outstanding.popleft()

    def drop(self, delivery: QueuedMessage) -> bool:
        """Be done with a message that waits, if it is the key's first; tell whether it is."""
        if self.outstanding or self.waiting[0] is not delivery:
            return False
        self.waiting.popleft()
        return True

    def rewind(self, delivery: QueuedMessage) -> list[QueuedMessage]:
        """Put `delivery`, and everything that was handed out after it, back in front of the queue.

        Returns:
            What went back, leases to be revoked.
        """
        back: list[QueuedMessage] = []
        while not back or back[-1] is not delivery:
            last = self.outstanding.pop()
            last.acked = False
            self.waiting.appendleft(last)
            back.append(last)
        return back
