"""How far the log is published without a gap, while its events overtake each other."""

from collections import deque
from dataclasses import dataclass


@dataclass(slots=True)
class Delivery:
    """An event on its way.

    Attributes:
        position: Its global position.
        messages: How many of its messages are neither published nor parked yet.
    """

    position: int
    messages: int


class Watermark:
    """The lowest contiguous settled position.

    Invariant: every event up to `position` is settled, that is published to or parked for each of its topics;
    the events after it, in order and without a gap, are in the queue, the first of them unsettled.
    """

    def __init__(self, position: int) -> None:
        """Begin after a position up to which all is settled."""
        self.position = position
        self._deliveries: deque[Delivery] = deque()

    @property
    def last_position(self) -> int:
        """The position of the last event that has begun."""
        return self._deliveries[-1].position if self._deliveries else self.position

    @property
    def ahead(self) -> int:
        """How many events have begun beyond the watermark."""
        return len(self._deliveries)

    def begin(self, messages: int) -> Delivery:
        """Begin the next event of the log; without messages it is settled at once."""
        delivery = Delivery(self.last_position + 1, messages)
        self._deliveries.append(delivery)
        self._advance()
        return delivery

    def settle(self, delivery: Delivery) -> None:
        """Note that one message of an event was published or parked."""
        delivery.messages -= 1
        self._advance()

    def _advance(self) -> None:
        while self._deliveries and self._deliveries[0].messages == 0:
            self.position = self._deliveries.popleft().position
