"""The settings of AlloyDB, where `event-store:database.engine` asks for it."""

from dataclasses import dataclass
from typing import Final

from event_store.errors import ConfigurationError
from event_store_infra.settings.key import key

CPUS: Final = (2, 4, 8, 16, 32, 64, 96, 128)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlloyDBSettings:
    """AlloyDB for PostgreSQL, in addition to the settings of every engine."""

    version: str = key(
        "major version of PostgreSQL",
        changed="an upgrade in place, with downtime; never back",
        default="POSTGRES_17",
        choices=("POSTGRES_16", "POSTGRES_17"),
    )
    cpus: int = key(
        f"vCPUs of the primary and of each read node: {', '.join(map(str, CPUS))}",
        default=2,
        lowest=min(CPUS),
        highest=max(CPUS),
    )
    read_nodes: int = key(
        "number of nodes in a read pool for your own queries; 0 for no pool", default=0, lowest=0, highest=20
    )
    recovery_window_days: int = key(
        "retention of point-in-time recovery", unit="days", default=14, lowest=1, highest=35
    )
    server_ca: str = key(
        "PEM certificate of the cluster's CA, known once the cluster exists; until it is set, an update "
        "creates everything up to the cluster, see docs/howto/alloydb.md",
        default="",
        pattern=r"|-----BEGIN CERTIFICATE-----\n[\s\S]+\n-----END CERTIFICATE-----\n?",
        allowed="a certificate, or empty until the cluster exists",
    )

    def __post_init__(self) -> None:
        """Reject machine sizes that do not exist."""
        if self.cpus not in CPUS:
            raise ConfigurationError(
                f"event-store:alloydb.cpus is {self.cpus}, but must be one of {', '.join(map(str, CPUS))}"
            )
