"""A service in a process of its own that kills itself.

`python -m tests.event_store.log.crashing_service POINT` starts it.
The points are those of the table in `appender.py`, and `in a read`; `none` serves until it is killed.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from event_store.database.pool import Database
from event_store.environment import Environment
from event_store.log.append_codec import Verdict
from event_store.log.appender import Appender
from event_store.server.server import serve


def die() -> NoReturn:
    """End without a word, as a machine does that loses its power."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def install(point: str) -> None:
    """Make this process die at a point."""
    send, execute = Appender._send, Database.execute
    pages = 0

    async def before_sending(*_: Any) -> NoReturn:
        die()

    async def after_the_commit(self: Appender, *arguments: Any) -> Sequence[Verdict]:
        await send(self, *arguments)
        die()

    async def in_a_read(self: Database, *arguments: Any) -> Any:
        nonlocal pages
        pages += 1
        if pages > 1:
            die()
        return await execute(self, *arguments)

    if point == "before a batch is sent":
        Appender._send = before_sending  # type: ignore[method-assign,assignment] # a crash point
    elif point == "after a commit":
        Appender._send = after_the_commit  # type: ignore[method-assign,assignment] # a crash point
    elif point == "in a read":
        Database.execute = in_a_read  # type: ignore[method-assign,assignment] # a crash point


if __name__ == "__main__":
    install(sys.argv[1])
    asyncio.run(serve(Environment.parse(os.environ), None))
