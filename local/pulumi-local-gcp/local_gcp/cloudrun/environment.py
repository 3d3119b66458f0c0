"""The environment and the startup probe that Cloud Run gives a container, for each type of resource."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from local_gcp.container.startup_probe import Probe
from local_gcp.resource.errors import CloudError
from local_gcp.resource.properties import Properties


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """The environment of the containers of one service or worker pool.

    Attributes:
        log: The prefix of its revisions' log names.
        variables: Returns the variables that Cloud Run sets, from the revision's name and its free port.
        probe: Reads a container's startup probe.
    """

    log: str
    variables: Callable[[str, int], Mapping[str, str]]
    probe: Callable[[Properties], Probe]


def of_service(name: str) -> Surroundings:
    """Return the surroundings of a service, which listens on the port that it is given."""
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
    """Return the surroundings of a worker pool, which is ready once started and need not listen."""
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
