"""How far a replay is, while its events overtake each other."""

from collections import deque

from event_store.outbox.watermark import Delivery


class ReplayMark:
    """The lowest contiguous settled position of a replay, and what became of the events up to there.

    Invariant: every event up to `position` that passes the filter is counted, either as published or as
    parked. Those after it that have begun are in the queue, in order, the first of them unsettled.

    Attributes:
        last_position: Up to where events have begun or do not pass the filter.
        published_events: How many up to `position` were published.
        parked_events: How many up to `position` were parked.
    """

    def __init__(self, topic: str, position: int, published_events: int, parked_events: int) -> None:
        """Begin after a position up to which all is settled, with the counts up to there."""
        self._topic = topic
        self.last_position = position
        self.published_events = published_events
        self.parked_events = parked_events
        self._deliveries: deque[Delivery] = deque()
        self._parked: set[int] = set()

    @property
    def position(self) -> int:
        """Up to where all is settled."""
        return self._deliveries[0].position - 1 if self._deliveries else self.last_position

    @property
    def ahead(self) -> int:
        """How many events have begun beyond that."""
        return len(self._deliveries)

    def begin(self, position: int) -> Delivery:
        """Begin the next event that passes the filter."""
        delivery = Delivery(self._topic, position)
        self._deliveries.append(delivery)
        self.last_position = position
        return delivery

    def pass_over(self, position: int) -> None:
        """Note that no further event up to here passes the filter."""
        self.last_position = position

    def park(self, delivery: Delivery) -> None:
        """Note that an event is parked; it is settled after that."""
        self._parked.add(delivery.position)

    def settle(self, delivery: Delivery) -> None:
        """Note that an event was published or parked."""
        delivery.is_settled = True
        while self._deliveries and self._deliveries[0].is_settled:
            position = self._deliveries.popleft().position
            if position in self._parked:
                self._parked.discard(position)
                self.parked_events += 1
            else:
                self.published_events += 1
