"""Track the position up to which the log is published to each topic, while messages overtake each other."""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(slots=True)
class Publication:
    """The publication of one event to one topic.

    Attributes:
        topic: `projects/PROJECT/topics/NAME`.
        position: The event's global position.
        is_settled: Whether the message was published or parked.
    """

    topic: str
    position: int
    is_settled: bool = False


class Watermark:
    """The position up to which all events are settled, for each topic and, as their minimum, for all topics.

    Invariant: every event for a topic up to the topic's position is settled, that is published or parked. The
        later publications to the topic are in its queue, in order, and the first of them is unsettled. A
        topic with an empty queue is at the last read position.

    Args:
        position: Every event up to this position is settled for every topic.
        topics: The paths of all topics.
        topic_positions: Positions of the topics ahead of `position`; unknown topics are ignored.
    """

    def __init__(
        self, position: int, topics: Iterable[str] = (), topic_positions: Mapping[str, int] | None = None
    ) -> None:
        self.last_position = position  # of the last event that was begun
        self._publications: dict[str, deque[Publication]] = {topic: deque() for topic in topics}
        self._before = {
            topic: before
            for topic, before in (topic_positions or {}).items()
            if topic in self._publications and before > position
        }

    @property
    def position(self) -> int:
        """The position up to which every event is settled for every topic."""
        unsettled = [queue[0].position for queue in self._publications.values() if queue]
        return min(unsettled) - 1 if unsettled else self.last_position

    @property
    def ahead(self) -> int:
        """The number of events begun after `position`."""
        return self.last_position - self.position

    def topic_position(self, topic: str) -> int:
        """Return the position up to which every event for a topic is settled."""
        queue = self._publications[topic]
        return queue[0].position - 1 if queue else max(self.last_position, self._before.get(topic, 0))

    def topics_ahead(self) -> dict[str, int]:
        """Return the positions of the topics ahead of `position`, by path."""
        least = self.position
        positions = {topic: self.topic_position(topic) for topic in self._publications}
        return {topic: position for topic, position in positions.items() if position > least}

    def advance(self) -> None:
        """Begin the next event of the log; an event without publications is settled at once."""
        self.last_position += 1

    def begin(self, topic: str) -> Publication | None:
        """Begin the event's publication to a topic; None if it was settled there before this term."""
        if self._before and self.last_position <= self._before.get(topic, 0):
            return None
        publication = Publication(topic, self.last_position)
        self._publications[topic].append(publication)
        return publication

    def settle(self, publication: Publication) -> None:
        """Settle a publication, whose message was published or parked."""
        publication.is_settled = True
        queue = self._publications[publication.topic]
        while queue and queue[0].is_settled:
            queue.popleft()
