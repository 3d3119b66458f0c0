"""Track the progress of a replay, while its messages overtake each other."""

from collections import deque

from event_store.outbox.watermark import Publication


class ReplayMark:
    """The position up to which all events of a replay are settled, with the counts up to it.

    Invariant: every event up to `position` that passes the filter is counted once, as published or as parked.
    The later publications are in the queue, in order, and the first of them is unsettled.

    Attributes:
        last_position: Every event up to this position was begun or does not pass the filter.
        published_events: The number of published events up to `position`.
        parked_events: The number of parked events up to `position`.
    """

    def __init__(self, topic: str, position: int, published_events: int, parked_events: int) -> None:
        """Begin after a position up to which every event is settled, with the counts up to it."""
        self._topic = topic
        self.last_position = position
        self.published_events = published_events
        self.parked_events = parked_events
        self._publications: deque[Publication] = deque()
        self._parked: set[int] = set()

    @property
    def position(self) -> int:
        """The position up to which every event is settled."""
        return self._publications[0].position - 1 if self._publications else self.last_position

    @property
    def ahead(self) -> int:
        """The number of events begun after `position`."""
        return len(self._publications)

    def begin(self, position: int) -> Publication:
        """Begin the publication of the next event that passes the filter."""
        publication = Publication(self._topic, position)
        self._publications.append(publication)
        self.last_position = position
        return publication

    def pass_over(self, position: int) -> None:
        """Skip to a position: no further event up to it passes the filter."""
        self.last_position = position

    def park(self, publication: Publication) -> None:
        """Count a publication as parked when it is settled."""
        self._parked.add(publication.position)

    def settle(self, publication: Publication) -> None:
        """Settle a publication, whose message was published or parked."""
        publication.is_settled = True
        while self._publications and self._publications[0].is_settled:
            position = self._publications.popleft().position
            if position in self._parked:
                self._parked.discard(position)
                self.parked_events += 1
            else:
                self.published_events += 1
