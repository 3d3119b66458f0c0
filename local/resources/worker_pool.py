"""Cloud Run worker pools."""

from local.limits import run
from local.no_front import NoFront
from local.resources.rolled_out import RolledOutKind
from local.surroundings import Surroundings, of_worker_pool


class WorkerPoolKind(RolledOutKind):
    """A worker pool whose latest revision runs, in one instance however many it says."""

    limits = run.WORKER_POOL
    collection = "workerPools"

    def _surroundings(self, name: str) -> Surroundings:
        return of_worker_pool(name)

    async def _next_front(self) -> NoFront:
        return NoFront()
