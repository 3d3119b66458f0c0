"""A relay in a process of its own that kills itself: `crashing_relay.py POINT ROUTING`.

The points are those of the table in `relay.py`; `none` relays until it is killed from outside.
"""

import asyncio
import os
import signal
import sys
from typing import Any, NoReturn

from event_store.environment import Environment
from event_store.lease import Lease
from event_store.login import Login
from event_store.publisher import Publisher
from event_store.relay import Relay
from event_store.term import Term
from event_store.topology import Routing


def die() -> NoReturn:
    """End without a word, as a machine does that loses its power."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def install(point: str) -> None:
    """Make this process die at a point."""
    publish, park = Publisher.publish, Term._park
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

    async def after_parking(self: Term, *arguments: Any) -> None:
        await park(self, *arguments)
        die()

    if point == "before a publish":
        Publisher.publish = before_publish  # type: ignore[method-assign,assignment] # a crash point
    elif point == "between publishes":
        Publisher.publish = between_publishes  # type: ignore[method-assign,assignment] # a crash point
    elif point == "before a checkpoint":
        Lease.checkpoint = before_checkpoint  # type: ignore[method-assign,assignment] # a crash point
    elif point == "after parking":
        Term._park = after_parking  # type: ignore[method-assign,assignment] # a crash point


if __name__ == "__main__":
    install(sys.argv[1])
    asyncio.run(Relay(Login(Environment()), Routing.from_json(sys.argv[2])).run())
