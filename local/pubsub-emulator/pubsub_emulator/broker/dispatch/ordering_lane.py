"""A lane: the messages of one ordering key on one subscription.

Invariants:
- `outstanding` followed by `waiting` is always the order of publication.
- A message is handed out only after every earlier one of its key. While some are outstanding, only
  their holder gets further messages.
- A redelivery repeats every later message of the key too, acknowledged or not (Google: "consistent
  redelivery"). A redelivered message goes out alone until it is settled, so a message that keeps
  failing repeats alone.
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
        message: The published message.
        lane: The lane of its ordering key; None without ordering.
        attempt: Number of the current or the next attempt, from 1.
        ack_id: "" unless it is leased.
        late_id: The ack id of a lease that ended with its stream; "" once the message is leased again.
        consumer: The consumer that holds it, while it is leased.
        slot: The deadline's slot in `Deadlines`.
        acked: Whether it is acknowledged; it may still be in a queue, which drops it later.
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
        queued: Whether the lane is in a queue of lanes: a consumer's or the common one.
        delayed: The message whose retry delay blocks the lane, while it is the first waiting one.
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
        """Return whether a message is the first outstanding one, so it may be acknowledged in order."""
        return self.outstanding[0] is delivery

    def may_go_to(self, consumer: "Receiver | None") -> bool:
        """Return whether the next message may go to `consumer` now; None stands for any new consumer."""
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
        """Acknowledge a message, and remove the acknowledged messages at the front."""
        delivery.acked = True
        while self.outstanding and self.outstanding[0].acked:
            self.outstanding.popleft()

    def drop(self, delivery: QueuedMessage) -> bool:
        """Remove a waiting message if it is the first one of the key; return whether it was."""
        if self.outstanding or self.waiting[0] is not delivery:
            return False
        self.waiting.popleft()
        return True

    def rewind(self, delivery: QueuedMessage) -> list[QueuedMessage]:
        """Put `delivery` and every later outstanding message back at the front of the queue.

        Returns:
            The messages that went back; the caller ends their leases.
        """
        back: list[QueuedMessage] = []
        while not back or back[-1] is not delivery:
            last = self.outstanding.pop()
            last.acked = False
            self.waiting.appendleft(last)
            back.append(last)
        return back
