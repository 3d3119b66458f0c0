"""A relay in a process of its own that kills itself: `crashing_relay.py POINT ROUTING`.

The points are those of the table in `relay.py`; `none` relays until it is killed from outside.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, NoReturn

from event_store.database.login import Login
from event_store.environment import Environment
from event_store.outbox.parking import Parking
from event_store.outbox.relay import Relay
from event_store.outbox.relay_lease import RelayLease
from event_store.pubsub.publisher import Publisher
from event_store.topology import Routing


def die() -> NoReturn:
    """End without a word, as a machine does that loses its power."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


async def die_before(*_: Any) -> None:
    """Die in the place of a method."""
    die()


def die_after(
    method: Callable[..., Awaitable[Any]], calls: int = 1, *, result: object = None
) -> Callable[..., Awaitable[Any]]:
    """Return the method, which dies once it has returned `result` so many times."""
    returned = 0

    async def dying(*arguments: Any) -> Any:
        nonlocal returned
        value = await method(*arguments)
        returned += value is result
        if returned == calls:
            die()
        return value

    return dying


def install(points: Mapping[str, tuple[type, str, Callable[..., Awaitable[Any]]]], point: str) -> None:
    """Make this process die at one of the points: each is a method and what takes its place."""
    if point != "none":
        place, name, dying = points[point]
        setattr(place, name, dying)


POINTS: Final = {
    "before a publish": (Publisher, "publish", die_before),
    "between publishes": (Publisher, "publish", die_after(Publisher.publish, 3)),
    "before a checkpoint": (RelayLease, "checkpoint", die_before),
    "after parking": (Parking, "park", die_after(Parking.park)),
    "after parking behind": (Parking, "park_behind", die_after(Parking.park_behind, result=True)),
}

if __name__ == "__main__":
    install(POINTS, sys.argv[1])
    asyncio.run(Relay(Login(Environment()), Routing.from_json(sys.argv[2])).run())
