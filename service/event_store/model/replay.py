"""A part of the log that is published again."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from event_store.model.event_filter import EventFilter

# The limits that the contract states.
MOST_EVENTS_PER_SECOND: Final = 100_000
MOST_LISTED: Final = 1_000


class ReplayState(StrEnum):
    """How a replay stands."""

    COUNTED = "counted"
    """It was only counted, and is not begun."""
    RUNNING = "running"
    PAUSED = "paused"
    FINISHED = "finished"
    CANCELLED = "cancelled"

    @property
    def is_over(self) -> bool:
        """Whether nothing will change any more."""
        return self not in (ReplayState.RUNNING, ReplayState.PAUSED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """A part of the log that is published again, and how far it is.

    Attributes:
        replay_id: Its id, a UUID; its messages have it in the attribute `replay_id`.
        topic: `projects/PROJECT/topics/NAME`.
        from_position: The first position of the range, inclusive.
        to_position: The last one, inclusive; below the first one if the range is empty.
        event_filter: Which events.
        events_per_second: At most so many; 0 is no limit.
        state: How it stands.
        position: Every event of the range up to here was published, was parked, or does not pass the filter.
        published_events: How many were published, at least once.
        parked_events: How many could not be published and were set aside.
        total_events: How many events of the range pass the filter.
        error: What is in the way; empty while nothing is.
        created_at: When it was started, by the database's clock, in UTC; None if it was only counted.
        updated_at: When it last moved, by the same clock.
    """

    replay_id: str
    topic: str
    from_position: int
    to_position: int
    event_filter: EventFilter
    events_per_second: int
    state: ReplayState
    position: int
    published_events: int
    parked_events: int
    total_events: int
    error: str
    created_at: datetime | None
    updated_at: datetime | None
