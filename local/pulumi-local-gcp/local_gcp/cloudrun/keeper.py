"""Restarts one instance of a revision whenever it ends.

Invariants: one task restarts the instance whenever it ends by itself, after a pause that doubles, until
`stop`. `port` is the port of a ready instance, or 0; `changed` is called after every change of `port`.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

from local_gcp.container.revision import Revision
from local_gcp.resource.errors import CloudError

_FIRST_PAUSE_SECONDS: Final = 0.5
_LONGEST_PAUSE_SECONDS: Final = 30.0


class Keeper:
    """Keeps one instance running: call `start` or `resume` once, and `stop` at the end.

    Args:
        start: Starts the instance; raises CloudError if it does not become ready.
        changed: Called when the instance has become ready again, or has ended.
    """

    def __init__(
        self, start: Callable[[], Awaitable[Revision]], changed: Callable[[], Awaitable[None]]
    ) -> None:
        self._start = start
        self._changed = changed
        self._revision: Revision | None = None
        self._keeping: asyncio.Task[None] | None = None

    @property
    def port(self) -> int:
        """The port of the ready instance; 0 while there is none."""
        return self._revision.port if self._revision is not None else 0

    @property
    def pid(self) -> int:
        """The instance's process id; 0 while it has no process."""
        return self._revision.pid if self._revision is not None else 0

    async def start(self) -> None:
        """Start the instance, and restart it from then on.

        Raises:
            CloudError: The instance does not become ready; nothing of it is left running.
        """
        self._revision = await self._start()
        self._keeping = asyncio.create_task(self._keep())

    async def resume(self) -> None:
        """Start the instance, and keep retrying if it does not become ready."""
        with suppress(CloudError):
            self._revision = await self._start()
        self._keeping = asyncio.create_task(self._keep())

    async def stop(self) -> None:
        """Stop the instance. Stopping twice is harmless."""
        keeping, self._keeping = self._keeping, None
        if keeping is not None:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)
        revision, self._revision = self._revision, None
        if revision is not None:
            await revision.stop()

    async def _keep(self) -> None:
        pause_seconds = _FIRST_PAUSE_SECONDS
        while True:
            if self._revision is not None:
                await self._revision.wait()
                ended, self._revision = self._revision, None
                await self._changed()
                await ended.stop()
            await asyncio.sleep(pause_seconds)
            pause_seconds = min(2 * pause_seconds, _LONGEST_PAUSE_SECONDS)
            with suppress(CloudError):  # its log says why
                self._revision = await self._start()
                await self._changed()
