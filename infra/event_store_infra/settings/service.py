"""The settings of the service."""

from dataclasses import dataclass
from typing import Final

from event_store.environment import CONNECTIONS_BESIDE_REQUESTS, RELAY_CONNECTIONS
from event_store.errors import ConfigurationError
from event_store_infra.settings.key import key

# Cloud Run: how much memory so many CPUs take, in MiB.
MEMORY_OF_CPU: Final = {1: (512, 4096), 2: (512, 8192), 4: (2048, 16384), 6: (4096, 24576), 8: (4096, 32768)}


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSettings:
    """The Cloud Run service."""

    min_instances: int = key(
        "minimum number of instances; at least 1, since the relay works without requests",
        default=1,
        lowest=1,
        highest=1000,
    )
    max_instances: int = key(
        "maximum number of instances; a quota of the project limits instances with a network, see "
        "docs/howto/deploy.md",
        default=3,
        lowest=1,
        highest=1000,
    )
    cpu: int = key("CPUs of an instance: 1, 2, 4, 6 or 8", default=1, lowest=1, highest=8)
    memory_mib: int = key("memory of an instance", unit="MiB", default=1024, lowest=512, highest=32768)
    concurrency: int = key(
        "maximum number of concurrent requests and streams of one instance",
        default=250,
        lowest=1,
        highest=1000,
    )
    database_connections: int = key(
        "size of the connection pool for requests, per instance", default=6, lowest=2, highest=100
    )
    relay: str = key(
        "where the relay runs: in the service's instances, or in a Cloud Run worker pool of its own",
        default="service",
        choices=("service", "worker-pool"),
    )
    relay_instances: int = key(
        "number of instances of the relay's worker pool; one relays, the others stand by",
        default=1,
        lowest=1,
        highest=10,
    )
    log_level: str = key(
        "minimum severity of logged lines; the heartbeat is always logged, since alerts read it",
        default="INFO",
        choices=("DEBUG", "INFO", "WARNING", "ERROR"),
    )
    invokers: tuple[str, ...] = key(
        "IAM members that may call the service",
        default=(),
        pattern=r"(user|serviceAccount|group|domain|principal|principalSet):\S+",
        allowed="an IAM member as in group:developers@example.com; the public has no access",
    )

    def most_instances(self, revisions: int) -> int:
        """Return the maximum number of instances, including the relay's worker pool.

        Args:
            revisions: Number of revisions that serve at the same time, each with up to `max_instances`.
        """
        return revisions * self.max_instances + self._pooled

    def most_connections(self, revisions: int) -> int:
        """Return the maximum number of database connections of all instances.

        Args:
            revisions: As in `most_instances`.
        """
        beside = CONNECTIONS_BESIDE_REQUESTS - (RELAY_CONNECTIONS if self._pooled else 0)
        each = self.database_connections + beside
        return revisions * self.max_instances * each + self._pooled * RELAY_CONNECTIONS

    @property
    def _pooled(self) -> int:
        return self.relay_instances if self.relay == "worker-pool" else 0

    def __post_init__(self) -> None:
        """Reject combinations that Cloud Run rejects."""
        path = "event-store:service"
        if self.max_instances < self.min_instances:
            raise ConfigurationError(
                f"{path}.max_instances is {self.max_instances}, "
                f"but min_instances is {self.min_instances}: raise max_instances or lower min_instances"
            )
        if self.cpu not in MEMORY_OF_CPU:
            raise ConfigurationError(f"{path}.cpu is {self.cpu}, but must be 1, 2, 4, 6 or 8")
        lowest, highest = MEMORY_OF_CPU[self.cpu]
        if not lowest <= self.memory_mib <= highest:
            raise ConfigurationError(
                f"{path}.memory_mib is {self.memory_mib}, "
                f"but with {self.cpu} CPU must be {lowest} to {highest} MiB"
            )
        if len(set(self.invokers)) < len(self.invokers):
            raise ConfigurationError(f"{path}.invokers lists a member twice: remove one")
