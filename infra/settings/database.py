"""The settings of the database."""

import math
import re
from dataclasses import dataclass
from typing import Final

from event_store.errors import ConfigurationError
from infra.settings.key import key

EDITION_TIERS: Final = {
    "ENTERPRISE": r"db-custom-\d+-\d+|db-f1-micro|db-g1-small",
    "ENTERPRISE_PLUS": r"db-perf-optimized-N-\d+",
}
SHARED_CORE_GIB: Final = {"db-f1-micro": 0.6, "db-g1-small": 1.7}
# From so many GiB of memory on: https://cloud.google.com/sql/docs/postgres/flags#postgres-m
CONNECTIONS: Final = (
    *((120, 1000), (60, 800), (30, 600), (15, 500), (7.5, 400), (6, 200), (3.75, 100)),
    *((1.7, 50), (0, 25)),
)
LOG_RETENTION_DAYS: Final = {"ENTERPRISE": 7, "ENTERPRISE_PLUS": 35}


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseSettings:
    """Cloud SQL for PostgreSQL."""

    version: str = key(
        "the major version; a newer one is an upgrade in place, with downtime",
        default="POSTGRES_18",
        choices=("POSTGRES_16", "POSTGRES_17", "POSTGRES_18"),
    )
    instance: str = key(
        "an instance that is there, to make the database in; it must have a private address and the flag "
        "`cloudsql.iam_authentication`, and `tier` and `disk_limit_gb` say what it has",
        default="",
        pattern=r"|[a-z][a-z0-9-]{0,97}",
        allowed="an instance's name, or empty for an own one",
    )
    generation: int = key(
        "the number that ends the instance's name; a deleted instance's name is blocked for a week",
        default=1,
        lowest=1,
        highest=999,
    )
    edition: str = key("the edition", default="ENTERPRISE", choices=tuple(EDITION_TIERS))
    tier: str = key(
        "the machine type",
        default="db-custom-1-3840",
        pattern=".+",
        allowed="one of the edition's, as in `db-custom-<vCPUs>-<MiB>`",
    )
    availability: str = key(
        "one zone, or a standby in another", default="ZONAL", choices=("ZONAL", "REGIONAL")
    )
    disk_size_gb: int = key(
        "the disk's size at the beginning; it grows by itself",
        unit="GB",
        default=10,
        lowest=10,
        highest=65536,
    )
    disk_limit_gb: int = key(
        "the size that the disk stops growing at", unit="GB", default=500, lowest=10, highest=65536
    )
    backups: bool = key("whether a backup is made every day", default=True)
    backup_start_time: str = key(
        "when backups begin, in UTC",
        default="02:00",
        pattern=r"([01]\d|2[0-3]):[0-5]\d",
        allowed="a time as in 02:00",
    )
    retained_backups: int = key("how many daily backups are kept", default=7, lowest=1, highest=365)
    point_in_time_recovery: bool = key("whether every second can be restored, not only backups", default=True)
    log_retention_days: int = key(
        "how far point-in-time recovery reaches back", unit="days", default=7, lowest=1, highest=35
    )
    maintenance_day: int = key("the day of maintenance, 1 is Monday", default=7, lowest=1, highest=7)
    maintenance_hour: int = key(
        "the hour of maintenance, in UTC", unit="o'clock", default=3, lowest=0, highest=23
    )

    @property
    def most_connections(self) -> int:
        """How many connections the instance takes: Cloud SQL's `max_connections` for its memory."""
        custom = re.fullmatch(r"db-custom-\d+-(\d+)", self.tier)
        optimized = re.fullmatch(r"db-perf-optimized-N-(\d+)", self.tier)
        if custom is not None:
            gibibytes = int(custom[1]) / 1024
        elif optimized is not None:
            gibibytes = int(optimized[1]) * 8.0
        else:
            gibibytes = SHARED_CORE_GIB[self.tier]
        return next(most for least, most in CONNECTIONS if gibibytes >= least)

    def __post_init__(self) -> None:
        """Refuse what Cloud SQL refuses."""
        path = "event-store:database"
        if not re.fullmatch(EDITION_TIERS[self.edition], self.tier):
            fitting = EDITION_TIERS[self.edition].replace(r"\d+", "<n>").replace("|", ", ")
            raise ConfigurationError(f"{path}.tier is {self.tier!r}, but {self.edition} has {fitting}")
        _check_custom_tier(f"{path}.tier", self.tier)
        if self.point_in_time_recovery and not self.backups:
            raise ConfigurationError(
                f"{path}.point_in_time_recovery needs backups: set {path}.backups to true, or both to false"
            )
        if self.availability == "REGIONAL" and not self.point_in_time_recovery:
            raise ConfigurationError(
                f"{path}.availability REGIONAL needs backups and point_in_time_recovery: set both to true"
            )
        if self.disk_limit_gb < self.disk_size_gb:
            raise ConfigurationError(
                f"{path}.disk_limit_gb is {self.disk_limit_gb}, "
                f"but disk_size_gb is {self.disk_size_gb} already: raise the limit"
            )
        if self.log_retention_days > LOG_RETENTION_DAYS[self.edition]:
            raise ConfigurationError(
                f"{path}.log_retention_days is {self.log_retention_days}, "
                f"but {self.edition} keeps at most {LOG_RETENTION_DAYS[self.edition]} days"
            )


def _check_custom_tier(path: str, tier: str) -> None:
    """Refuse a custom machine type that does not exist; other tiers pass."""
    custom = re.fullmatch(r"db-custom-(\d+)-(\d+)", tier)
    if custom is None:
        return
    cpus, mebibytes = int(custom[1]), int(custom[2])
    if not (cpus == 1 or (cpus % 2 == 0 and 2 <= cpus <= 96)):  # noqa: PLR2004 # Google's limit, in the message
        raise ConfigurationError(f"{path} has {cpus} vCPUs, but must have 1 or an even number up to 96")
    lowest, highest = max(3840, math.ceil(cpus * 0.9 * 1024)), int(cpus * 6.5 * 1024)
    if not lowest <= mebibytes <= highest or mebibytes % 256:
        raise ConfigurationError(
            f"{path} has {mebibytes} MiB, "
            f"but with {cpus} vCPU must have {lowest} to {highest} in steps of 256"
        )
