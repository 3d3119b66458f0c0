"""How far the log is published to each topic, while its messages overtake each other."""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(slots=True)
class Publication:
    """An event on its way to one topic.

    Attributes:
        topic: `projects/PROJECT/topics/NAME`.
        position: The event's global position.
        is_settled: Whether it was published or parked.
    """

    topic: str
    position: int
    is_settled: bool = False


class Watermark:
    """The lowest contiguous settled position: of each topic and, as the least of these, of all.

    Invariant: every event up to a topic's position that goes to it is settled, that is published or parked.
    The events after it that go to it and have begun are in the topic's queue, in order, the first of them
    unsettled; a topic whose queue is empty is as far as the log was read.

    Args:
        position: All up to here is settled for every topic.
        topics: The paths of all topics.
        topic_positions: How far those topics are that are further; others in it are ignored.
    """

    def __init__(
        self, position: int, topics: Iterable[str] = (), topic_positions: Mapping[str, int] | None = None
    ) -> None:
        self.last_position = position  # of the last event that has begun
        self._publications: dict[str, deque[Publication]] = {topic: deque() for topic in topics}
        self._before = {
            topic: before
            for topic, before in (topic_positions or {}).items()
            if topic in self._publications and before > position
        }

    @property
    def position(self) -> int:
        """Up to where all is settled for every topic."""
        unsettled = [queue[0].position for queue in self._publications.values() if queue]
        return min(unsettled) - 1 if unsettled else self.last_position

    @property
    def ahead(self) -> int:
        """How many events have begun beyond that."""
        return self.last_position - self.position

    def topic_position(self, topic: str) -> int:
        """Return up to where all that goes to a topic is settled."""
        queue = self._publications[topic]
        return queue[0].position - 1 if queue else max(self.last_position, self._before.get(topic, 0))

    def topics_ahead(self) -> dict[str, int]:
        """Return the positions of the topics that are further than `position`."""
        least = self.position
        positions = {topic: self.topic_position(topic) for topic in self._publications}
        return {topic: position for topic, position in positions.items() if position > least}

    def advance(self) -> None:
        """Begin the next event of the log; unless it goes to a topic, it is settled at once."""
        self.last_position += 1

    def begin(self, topic: str) -> Publication | None:
        """Begin the event's way to a topic; None if it was settled there before this watermark began."""
        if self._before and self.last_position <= self._before.get(topic, 0):
            return None
        publication = Publication(topic, self.last_position)
        self._publications[topic].append(publication)
        return publication

    def settle(self, publication: Publication) -> None:
        """Note that an event was published to or parked for a topic."""
        publication.is_settled = True
        queue = self._publications[publication.topic]
        while queue and queue[0].is_settled:
            queue.popleft()
