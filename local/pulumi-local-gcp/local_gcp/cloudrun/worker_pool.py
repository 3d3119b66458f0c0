"""Cloud Run worker pools."""

from local_gcp.cloudrun import run_rules
from local_gcp.cloudrun.environment import Surroundings, of_worker_pool
from local_gcp.cloudrun.rollout import RolledOutKind
from local_gcp.container.no_ingress import NoFront


class WorkerPoolKind(RolledOutKind):
    """A worker pool whose latest revision runs, as one instance whatever its scaling says."""

    limits = run_rules.WORKER_POOL
    collection = "workerPools"

    def _surroundings(self, name: str) -> Surroundings:
        return of_worker_pool(name)

    async def _next_front(self) -> NoFront:
        return NoFront()
