"""A service in a process of its own that kills or stops itself in an import: `crashing_service.py POINT`.

The points are those at which an import may be torn: see `POINTS`. It happens with the second part.
"""

import asyncio
import os
import signal
import sys
from typing import Any, Final

import psycopg

from event_store.environment import Environment
from event_store.log import queries
from event_store.server.server import serve

BEFORE, COPIED, STORED = "before the part is sent", "between COPY and commit", "between commit and answer"
HANGS: Final = "hangs between COPY and commit"
POINTS: Final = (BEFORE, COPIED, STORED)


def install(point: str) -> None:
    """Make this process end, or hang, at a point."""
    execute = psycopg.AsyncCursor.execute
    number = signal.SIGSTOP if point == HANGS else signal.SIGKILL
    before = {BEFORE: "import_part_clear", COPIED: "import_part_store", HANGS: "import_part_store"}.get(point)
    seen = 0

    async def crashing(self: Any, query: Any, *arguments: Any, **options: Any) -> Any:
        nonlocal seen
        seen += query == queries["import_part_clear"]
        if seen == 2 and before is not None and query == queries[before]:
            os.kill(os.getpid(), number)
        result = await execute(self, query, *arguments, **options)
        if seen == 2 and before is None and query == queries["import_part_store"]:
            os.kill(os.getpid(), number)
        return result

    psycopg.AsyncCursor.execute = crashing  # type: ignore[method-assign] # a crash point


if __name__ == "__main__":
    install(sys.argv[1])
    asyncio.run(serve(Environment.parse(os.environ), None))
