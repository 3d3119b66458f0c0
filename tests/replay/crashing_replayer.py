"""A replayer in a process of its own that kills itself: `crashing_replayer.py POINT ROUTING`.

The points are those of the table in `replayer.py`; `none` replays until it is killed from outside.
"""

import asyncio
import sys
from typing import Any

from event_store.environment import Environment
from event_store.login import Login
from event_store.publisher import Publisher
from event_store.replay_lease import ReplayLease
from event_store.replay_term import ReplayTerm
from event_store.replayer import Replayer
from event_store.topology import Routing
from tests.relay.crashing_relay import die


def install(point: str) -> None:
    """Make this process die at a point."""
    publish, park = Publisher.publish, ReplayTerm._park
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

    async def after_parking(self: ReplayTerm, *arguments: Any) -> None:
        await park(self, *arguments)
        die()

    if point == "before a publish":
        Publisher.publish = before_publish  # type: ignore[method-assign,assignment] # a crash point
    elif point == "between publishes":
        Publisher.publish = between_publishes  # type: ignore[method-assign,assignment] # a crash point
    elif point == "before a checkpoint":
        ReplayLease.checkpoint = before_checkpoint  # type: ignore[method-assign,assignment] # a crash point
    elif point == "after parking":
        ReplayTerm._park = after_parking  # type: ignore[method-assign,assignment] # a crash point


if __name__ == "__main__":
    install(sys.argv[1])
    asyncio.run(Replayer(Login(Environment()), Routing.from_json(sys.argv[2])).run())
