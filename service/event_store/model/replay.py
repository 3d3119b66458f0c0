"""Describe a replay: a job that publishes a part of the log again."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from event_store.model.event_filter import EventFilter

# The limits that the contract states.
MOST_EVENTS_PER_SECOND: Final = 100_000
MOST_LISTED: Final = 1_000


class ReplayState(StrEnum):
    """The state of a replay."""

    COUNTED = "counted"
    """The events were counted by a dry run; no replay was started."""
    RUNNING = "running"
    PAUSED = "paused"
    FINISHED = "finished"
    CANCELLED = "cancelled"

    @property
    def is_over(self) -> bool:
        """Whether the replay has ended: its state is final."""
        return self not in (ReplayState.RUNNING, ReplayState.PAUSED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """A replay, and its progress.

    Attributes:
        replay_id: The id of the replay, a UUID; its messages have it in the attribute `replay_id`.
        topic: The topic that it publishes to, `projects/PROJECT/topics/NAME`.
        from_position: The first position of the range, inclusive.
        to_position: The last position of the range, inclusive; below `from_position` if the range is empty.
        event_filter: The events to publish.
        events_per_second: The rate limit in events per second; 0 is no limit.
        state: The state of the replay.
        position: Every event of the range up to this position was published, was parked, or does not pass the
            filter.
        published_events: The number of events that were published, each at least once.
        parked_events: The number of parked events: rejected by Pub/Sub, or set aside behind a rejected one.
        total_events: The number of events in the range that pass the filter.
        error: The error that stops publishing at the moment; empty if there is none.
        created_at: When the replay was started, by the database's clock, in UTC; None after a dry run.
        updated_at: When the replay last changed, by the database's clock, in UTC; None after a dry run.
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
