"""`event-store parked retry` that kills itself, at a point of `parking.py`: `crashing_retry.py POINT`."""

import os
import signal
import sys
from typing import Any

from event_store.cli.main import main
from event_store.outbox.parked_messages import ParkedMessages

if __name__ == "__main__":
    unblock = ParkedMessages._unblock

    async def before_removing(*_: Any) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    async def before_unblocking(self: ParkedMessages, topic: str | None, ordering_key: str | None) -> None:
        if topic is not None:
            os.kill(os.getpid(), signal.SIGKILL)
        await unblock(self, topic, ordering_key)

    if sys.argv[1] == "before removing":
        ParkedMessages._remove = before_removing  # type: ignore[method-assign,assignment] # a crash point
    else:
        ParkedMessages._unblock = before_unblocking  # type: ignore[method-assign] # a crash point
    sys.exit(main(["parked", "retry"]))
