"""Markers that a subscription yields between events.

Each marker has a position, the checkpoint: every event up to it was yielded or does not pass the filter. A
new subscription with `after_position` set to the checkpoint continues this one.
"""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class CaughtUp:
    """The subscription has reached the head of the log: the events that follow are live.

    Attributes:
        position: The checkpoint, which is the head of the log.
        time: When the head was reached, by the service's clock, in UTC.
    """

    position: int
    time: datetime


@dataclass(frozen=True, slots=True)
class FellBehind:
    """The caller reads events more slowly than they are appended; another `CaughtUp` will follow.

    Attributes:
        position: The checkpoint.
    """

    position: int


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The checkpoint has moved on without an event that passes the filter, or 10 seconds have passed.

    Attributes:
        position: The checkpoint.
    """

    position: int


Marker = CaughtUp | FellBehind | Checkpoint
