"""A projection in a process of its own that kills itself, at a point of the table in `projection.py`.

`crashing_projection.py POINT TARGET SUBSCRIPTION CONNINFO`
"""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from event_store.client.client import Client
from event_store.consumer.checkpoints import ProjectionVersions
from event_store.consumer.consumer import Consumer
from event_store.model.events import RecordedEvent
from event_store.pubsub.subscriber import Subscriber
from tests.event_store.consumer.words import Words


def die() -> NoReturn:
    """End without a word, as a machine does that loses its power."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


async def main(point: str, target: str, subscription: str, conninfo: str) -> None:
    """Consume until the point is reached, from the third event on."""
    acknowledge, save = Subscriber.acknowledge, ProjectionVersions.save
    handled = 0

    async def dying_save(self: ProjectionVersions) -> None:
        await save(self)
        if handled == 2:
            die()

    async def dying_acknowledge(self: Subscriber, name: str, ack_ids: Sequence[str]) -> None:
        if handled == 3:
            die()
        await acknowledge(self, name, ack_ids)

    if point == "before the commit":
        ProjectionVersions.save = dying_save  # type: ignore[method-assign] # a crash point
    elif point == "before the ack":
        Subscriber.acknowledge = dying_acknowledge  # type: ignore[method-assign,assignment] # a crash point

    async with Client(target) as client:
        projection = Words(conninfo).projection(client)

        async def handler(event: RecordedEvent, attempt: int) -> None:
            nonlocal handled
            await projection.handle(event, attempt)
            handled += 1
            if handled == 3 and point == "after the commit":
                die()

        await Consumer(subscription, handler, concurrency=1).run()


if __name__ == "__main__":
    arguments: list[Any] = sys.argv[1:]
    asyncio.run(main(*arguments))
