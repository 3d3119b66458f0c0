"""What Cloud Run gives a container and asks of it, by the kind of resource that rolls it out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from local_gcp.container.startup_probe import Probe
from local_gcp.resource.errors import CloudError
from local_gcp.resource.properties import Properties


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What surrounds the containers of one service or worker pool.

    Attributes:
        log: Names the log of its revisions.
        variables: What Cloud Run sets by itself, by the revision's name and the port that is free for it.
        probe: Reads from a container how it is known to be ready.
    """

    log: str
    variables: Callable[[str, int], Mapping[str, str]]
    probe: Callable[[Properties], Probe]


def of_service(name: str) -> Surroundings:
    """Return that of a service: it listens on the port that it is given."""
    return Surroundings(
        log=f"service-{name}",
        variables=lambda revision, port: {
            "PORT": str(port),
            "K_SERVICE": name,
            "K_REVISION": revision,
            "K_CONFIGURATION": name,
        },
        probe=Probe.parse,
    )


def of_worker_pool(name: str) -> Surroundings:
    """Return that of a worker pool: it need not listen anywhere, and is ready when it has started."""
    return Surroundings(
        log=f"worker-pool-{name}",
        variables=lambda revision, _: {
            "CLOUD_RUN_WORKER_POOL": name,
            "CLOUD_RUN_WORKER_POOL_REVISION": revision,
        },
        probe=_unprobed,
    )


def _unprobed(container: Properties) -> Probe:
    if "startupProbe" in container:
        raise CloudError(
            "the local Google Cloud has no probes of worker pools: "
            "add them to local_gcp/cloudrun/environment.py, or use none"
        )
    return Probe.passing()
