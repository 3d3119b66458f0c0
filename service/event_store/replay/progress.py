"""How far a replay is, while its events overtake each other."""

from collections import deque

from event_store.outbox.watermark import Publication


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
        self._publications: deque[Publication] = deque()
        self._parked: set[int] = set()

    @property
    def position(self) -> int:
        """Up to where all is settled."""
        return self._publications[0].position - 1 if self._publications else self.last_position

    @property
    def ahead(self) -> int:
        """How many events have begun beyond that."""
        return len(self._publications)

    def begin(self, position: int) -> Publication:
        """Begin the next event that passes the filter."""
        publication = Publication(self._topic, position)
        self._publications.append(publication)
        self.last_position = position
        return publication

    def pass_over(self, position: int) -> None:
        """Note that no further event up to here passes the filter."""
        self.last_position = position

    def park(self, publication: Publication) -> None:
        """Note that an event is parked; it is settled after that."""
        self._parked.add(publication.position)

    def settle(self, publication: Publication) -> None:
        """Note that an event was published or parked."""
        publication.is_settled = True
        while self._publications and self._publications[0].is_settled:
            position = self._publications.popleft().position
            if position in self._parked:
                self._parked.discard(position)
                self.parked_events += 1
            else:
                self.published_events += 1
