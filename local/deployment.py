"""What runs for a service or worker pool of Cloud Run: a front, and behind it the newest ready revision.

Invariants: the front points to a ready revision or to none; a new revision takes over, and the clients of the
old one are sent to it, before the old one is asked to end; a revision that ends by itself is started again,
with a pause that doubles, until the resource is deleted; exactly one task does that.
"""

import asyncio
from contextlib import suppress
from typing import Final

from local.errors import CloudError
from local.front import Front
from local.no_front import NoFront
from local.place import Place
from local.properties import Properties
from local.revision import Revision
from local.runner import Runner
from local.surroundings import Surroundings

_DRAIN_SECONDS: Final = 2.0  # a revision that is asked to end finishes its requests by itself
_FIRST_PAUSE_SECONDS: Final = 0.5
_LONGEST_PAUSE_SECONDS: Final = 30.0


class Deployment:
    """The running part of one service or worker pool; one instance, however many it says.

    Args:
        surroundings: What its containers are given.
        front: Its address; none for a worker pool.
        runner: Starts its containers.
    """

    def __init__(self, surroundings: Surroundings, front: Front | NoFront, runner: Runner) -> None:
        self._surroundings = surroundings
        self._front = front
        self._runner = runner
        self._revision: Revision | None = None
        self._keeper: asyncio.Task[None] | None = None

    @property
    def address(self) -> str:
        """Where it serves."""
        return f"127.0.0.1:{self._front.port}"

    async def roll_out(self, name: str, template: Properties, place: Place) -> None:
        """Start a revision, send new connections to it, and end the one before.

        Raises:
            CloudError: It does not become ready; the one before still serves.
        """
        revision = await Revision.start(self._surroundings, name, template, place, self._runner)
        await self._end_keeper()
        old, self._revision = self._revision, revision
        await self._front.point_to(revision.port)
        self._keeper = asyncio.create_task(self._keep(name, template, place))
        if old is not None:
            await self._front.drain(old.port, _DRAIN_SECONDS)
            await old.stop()

    async def resume(self, name: str, template: Properties, place: Place) -> None:
        """Start a revision, and go on trying if it does not become ready."""
        try:
            await self.roll_out(name, template, place)
        except CloudError:
            self._keeper = asyncio.create_task(self._keep(name, template, place))

    async def stop(self) -> None:
        """End it. Stopping twice is harmless."""
        await self._end_keeper()
        revision, self._revision = self._revision, None
        await self._front.point_to(0)
        if revision is not None:
            await revision.stop()

    async def _keep(self, name: str, template: Properties, place: Place) -> None:
        pause_seconds = _FIRST_PAUSE_SECONDS
        while True:
            if self._revision is not None:
                await self._revision.wait()
                await self._front.point_to(0)
                await self._revision.stop()
                self._revision = None
            await asyncio.sleep(pause_seconds)
            pause_seconds = min(2 * pause_seconds, _LONGEST_PAUSE_SECONDS)
            with suppress(CloudError):  # its log says why
                self._revision = await Revision.start(self._surroundings, name, template, place, self._runner)
                await self._front.point_to(self._revision.port)

    async def _end_keeper(self) -> None:
        keeper, self._keeper = self._keeper, None
        if keeper is not None:
            keeper.cancel()
            await asyncio.gather(keeper, return_exceptions=True)
