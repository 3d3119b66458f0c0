"""A consumer in a process of its own that is killed by an event whose word is `killer`.

`killed_consumer.py SUBSCRIPTION CONCURRENCY`
"""

import asyncio
import os
import signal
import sys
from typing import NoReturn

from event_store.consumer.consumer import Consumer
from event_store.model.events import RecordedEvent


async def _handle(event: RecordedEvent, _attempt: int) -> None:
    if event.event_data == "killer":
        _die()
    sys.stdout.write(f"{event.event_data}\n")
    sys.stdout.flush()


def _die() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


if __name__ == "__main__":
    asyncio.run(Consumer(sys.argv[1], _handle, concurrency=int(sys.argv[2])).run())
