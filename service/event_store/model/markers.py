"""What a subscription says of itself between its events.

Each has a position, the checkpoint: every event up to there was given or does not pass the filter, so that a
subscription after it continues this one.
"""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class CaughtUp:
    """Everything that was appended until now was given; what follows is live.

    Attributes:
        position: The checkpoint, which is the head of the log.
        time: When, by the service's clock; in UTC.
    """

    position: int
    time: datetime


@dataclass(frozen=True, slots=True)
class FellBehind:
    """Events are taken more slowly than they are appended; another `CaughtUp` will follow.

    Attributes:
        position: The checkpoint.
    """

    position: int


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """There is no event for now: those behind do not pass the filter, or 10 seconds have passed.

    Attributes:
        position: The checkpoint.
    """

    position: int


Marker = CaughtUp | FellBehind | Checkpoint
