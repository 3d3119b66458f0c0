"""A relay in a process of its own that kills itself: `crashing_relay.py POINT ROUTING`.

The points are those of the table in `relay.py`; `none` relays until it is killed from outside.
"""

import asyncio
import os
import signal
import sys
from typing import Any, NoReturn

from event_store.environment import Environment
from event_store.login import Login
from event_store.parking import Parking
from event_store.publisher import Publisher
from event_store.relay import Relay
from event_store.relay_lease import RelayLease
from event_store.topology import Routing


def die() -> NoReturn:
    """End without a word, as a machine does that loses its power."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def install(point: str) -> None:
    """Make this process die at a point."""
    publish, park, park_behind = Publisher.publish, Parking.park, Parking.park_behind
    published = 0

    async def before_publish(*_: Any) -> None:
        die()

    async def between_publishes(self: Publisher, *arguments: Any) -> None:
        nonlocal published
        await publish(self, *arguments)
        published += 1
        if published == 3:
            die()

    async def before_checkpoint(*_: Any) -> None:
        die()

    async def after_parking(self: Parking, *arguments: Any) -> None:
        await park(self, *arguments)
        die()

    async def after_parking_behind(self: Parking, *arguments: Any) -> bool:
        if await park_behind(self, *arguments):
            die()
        return False

    place, name, dying = {
        "before a publish": (Publisher, "publish", before_publish),
        "between publishes": (Publisher, "publish", between_publishes),
        "before a checkpoint": (RelayLease, "checkpoint", before_checkpoint),
        "after parking": (Parking, "park", after_parking),
        "after parking behind": (Parking, "park_behind", after_parking_behind),
        "none": (None, "", None),
    }[point]
    if place is not None:
        setattr(place, name, dying)


if __name__ == "__main__":
    install(sys.argv[1])
    asyncio.run(Relay(Login(Environment()), Routing.from_json(sys.argv[2])).run())
