"""The running revisions of one Cloud Run service or worker pool: a front, and one instance per revision.

Invariants: the front leads only to ready revisions, by their percents, or to none. A new revision is ready,
and clients are sent to it, before an old one is stopped. If one revision of a rollout does not become ready,
all new ones are stopped and the old ones continue.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from local_gcp.cloudrun.environment import Surroundings
from local_gcp.cloudrun.keeper import Keeper
from local_gcp.cloudrun.supervisor import Runner
from local_gcp.container.ingress import Front
from local_gcp.container.no_ingress import NoFront
from local_gcp.container.revision import Revision
from local_gcp.resource.place import Place
from local_gcp.resource.properties import Properties

_DRAIN_SECONDS: Final = 2.0  # a revision that is asked to end finishes its requests by itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A revision that has to run.

    Attributes:
        name: As in `event-store-00002`.
        template: Its template, as in the resource's inputs.
        percent: Its share of new connections. One without a share has to become ready, and is then stopped.
    """

    name: str
    template: Properties
    percent: int


class Deployment:
    """The running revisions of one service or worker pool, one instance each whatever the scaling says.

    Args:
        surroundings: Variables and startup probe of its containers.
        front: Its stable address; a `NoFront` for a worker pool.
        runner: Starts its containers.
    """

    def __init__(self, surroundings: Surroundings, front: Front | NoFront, runner: Runner) -> None:
        self._surroundings = surroundings
        self._front = front
        self._runner = runner
        self._keepers: dict[str, Keeper] = {}
        self._percents: dict[str, int] = {}

    @property
    def address(self) -> str:
        """The address of the front, as HOST:PORT."""
        return f"127.0.0.1:{self._front.port}"

    @property
    def pids(self) -> dict[str, int]:
        """The process id of each revision, by the revision's name; 0 while it has no process."""
        return {name: keeper.pid for name, keeper in self._keepers.items()}

    async def roll_out(self, wanted: Sequence[Wanted], place: Place) -> None:
        """Start the missing revisions, share out the connections, and stop the revisions that are not wanted.

        Raises:
            CloudError: A revision does not become ready; the earlier revisions continue unchanged.
        """
        new = {each.name: self._keeper(each, place) for each in wanted if each.name not in self._keepers}
        is_ready = False
        try:
            for keeper in new.values():
                await keeper.start()
            is_ready = True
        finally:
            if not is_ready:
                await asyncio.gather(*(keeper.stop() for keeper in new.values()))
        self._keepers |= new
        await self._become(wanted)

    async def resume(self, wanted: Sequence[Wanted], place: Place) -> None:
        """Start all revisions, and keep retrying those that do not become ready."""
        self._keepers = {each.name: self._keeper(each, place) for each in wanted}
        for keeper in self._keepers.values():
            await keeper.resume()
        await self._become(wanted)

    async def stop(self) -> None:
        """Stop all revisions. Stopping twice is harmless."""
        await self._become(())

    async def _become(self, wanted: Sequence[Wanted]) -> None:
        self._percents = {each.name: each.percent for each in wanted if each.percent}
        leaving = [self._keepers.pop(name) for name in tuple(self._keepers) if name not in self._percents]
        await self._share()
        if wanted:
            await self._front.send_on({keeper.port for keeper in leaving}, _DRAIN_SECONDS)
        await asyncio.gather(*(keeper.stop() for keeper in leaving))

    async def _share(self) -> None:
        ready = {name: keeper.port for name, keeper in self._keepers.items() if keeper.port}
        await self._front.share({port: self._percents.get(name, 0) for name, port in ready.items()})

    def _keeper(self, each: Wanted, place: Place) -> Keeper:
        async def start() -> Revision:
            return await Revision.start(self._surroundings, each.name, each.template, place, self._runner)

        return Keeper(start, self._share)
