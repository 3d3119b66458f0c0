"""The settings of the database."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from event_store.errors import ConfigurationError
from event_store_infra.settings.database.quiet_period import DAY, LONGEST_DAYS, check_quiet_period
from event_store_infra.settings.database.replica import CONNECTIONS, shortfall
from event_store_infra.settings.database.tier import EDITION_TIERS, check_tier, connections_of
from event_store_infra.settings.key import key

LOG_RETENTION_DAYS: Final = {"ENTERPRISE": 7, "ENTERPRISE_PLUS": 35}
KEY: Final = r"projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+"
MOST_CONNECTIONS: Final = (14, 262_143)  # https://cloud.google.com/sql/docs/postgres/flags#postgres-m
ALLOYDB_CONNECTIONS: Final = 1000  # of its smallest machine, and so of every one
# Flags that are not a stack's to set, and why.
KEPT_FLAGS: Final = {
    "alloydb.iam_authentication": "always on, since nobody logs in with a password",
    "cloudsql.iam_authentication": "always on, since nobody logs in with a password",
    "synchronous_commit": "always on, since an append is answered after it is on disk",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreSettings:
    """The source that a new generation is cloned from: see docs/howto/restore.md."""

    instance: str = key(
        "the instance to clone, in the same project",
        pattern=r"[a-z][a-z0-9-]{0,97}",
        allowed="an instance's name",
    )
    time: str = key(
        "the point in time to restore, within `log_retention_days` of that instance",
        pattern=r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z",
        allowed='a time in UTC, in quotes, as in "2026-01-31T08:00:00Z"',
    )

    def __post_init__(self) -> None:
        """Reject a time that does not exist."""
        try:
            datetime.fromisoformat(self.time.partition(".")[0].removesuffix("Z"))
        except ValueError as error:
            raise ConfigurationError(
                f"event-store:database.restore_from.time is {self.time}: {error}"
            ) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseSettings:
    """Cloud SQL for PostgreSQL."""

    engine: str = key(
        "Cloud SQL or AlloyDB; AlloyDB ignores edition, tier, disk, log retention and quiet days",
        changed="another database, refused: see docs/howto/alloydb.md",
        default="cloudsql",
        choices=("cloudsql", "alloydb"),
    )
    version: str = key(
        "major version of PostgreSQL",
        changed="an upgrade in place, with downtime, without a read replica; never back",
        default="POSTGRES_18",
        choices=("POSTGRES_16", "POSTGRES_17", "POSTGRES_18"),
    )
    instance: str = key(
        "an existing Cloud SQL instance to create the database in, with a private address and the flag "
        "`cloudsql.iam_authentication`; set `tier` and `disk_limit_gb` to its own",
        default="",
        pattern=r"|[a-z][a-z0-9-]{0,97}",
        allowed="an instance's name, or empty to create one",
        changed="another database, refused",
    )
    private_service_connect: bool = key(
        "reach the instance by an endpoint in the subnetwork (Private Service Connect) in place of "
        "network peering",
        changed="refused: it is fixed when the instance is created",
        default=False,
    )
    read_replica: bool = key(
        "a read replica: the service reads the older part of the log from it, and your own queries reach it "
        "at the address in the output `readers`",
        default=False,
    )
    replica_tier: str = key(
        "machine type of the read replica, at least as large as `tier`; empty for `tier`",
        changed="restarts the replica",
        default="",
    )
    replica_flags: Mapping[str, str] = key(
        "flags of the read replica or read pool that differ from `flags`",
        changed="some restart the replica",
        default=dict,
        pattern=".+",
        allowed="the flag's value as a text",
    )
    generation: int = key(
        "number at the end of the instance's name; another number is a new instance, as for a restore",
        changed="a new instance, refused while the old one would be deleted: see docs/howto/restore.md",
        default=1,
        lowest=1,
        highest=999,
    )
    kept_generations: tuple[int, ...] = key(
        "earlier generations whose instances are kept", default=(), lowest=1, highest=998
    )
    restore_from: RestoreSettings | None = key("source of this generation's clone", default=None)
    edition: str = key(
        "edition of Cloud SQL",
        default="ENTERPRISE",
        choices=tuple(EDITION_TIERS),
        changed="restarts the instance, without a read replica",
    )
    tier: str = key(
        "machine type",
        changed="restarts the instance; a larger one takes two updates with a replica, "
        "see docs/howto/deploy.md",
        default="db-custom-1-3840",
        pattern=".+",
        allowed="one of the edition's, as in `db-custom-<vCPUs>-<MiB>`",
    )
    availability: str = key(
        "one zone, or a standby in a second zone", default="ZONAL", choices=("ZONAL", "REGIONAL")
    )
    disk_size_gb: int = key(
        "initial size of the disk, which grows automatically",
        changed="nothing",
        unit="GB",
        default=10,
        lowest=10,
        highest=65536,
    )
    disk_limit_gb: int = key(
        "maximum size that the disk grows to", unit="GB", default=500, lowest=10, highest=65536
    )
    backups: bool = key("daily backups", default=True)
    backup_start_time: str = key(
        "start time of the backups, in UTC",
        default="02:00",
        pattern=r"([01]\d|2[0-3]):[0-5]\d",
        allowed="a time as in 02:00",
    )
    retained_backups: int = key("number of daily backups to keep", default=7, lowest=1, highest=365)
    point_in_time_recovery: bool = key(
        "point-in-time recovery, to any second within `log_retention_days`", default=True
    )
    log_retention_days: int = key(
        "retention of point-in-time recovery", unit="days", default=7, lowest=1, highest=35
    )
    maintenance_day: int = key("day of maintenance, 1 is Monday", default=7, lowest=1, highest=7)
    maintenance_hour: int = key(
        "hour of maintenance, in UTC", unit="o'clock", default=3, lowest=0, highest=23
    )

    deny_maintenance_start: str = key(
        "first day without maintenance except for urgent fixes",
        default="",
        pattern=DAY,
        allowed="a day as in 2026-11-20; empty for none",
    )
    deny_maintenance_end: str = key(
        f"last day without maintenance; at most {LONGEST_DAYS} days in all",
        default="",
        pattern=DAY,
        allowed="a day as in 2027-01-10; empty for none",
    )
    flags: Mapping[str, str] = key(
        "database flags, by Google's names",
        changed="some restart the instance; more connections take two updates with a replica",
        default=dict,
        pattern=".+",
        allowed='the value as a text, as in `"200"`',
    )
    trusted_ca: str = key(
        "PEM certificates to trust in addition to the instance's own CA during a rotation, see "
        "docs/howto/runbook.md",
        default="",
        pattern=r"|-----BEGIN CERTIFICATE-----\n[\s\S]+\n-----END CERTIFICATE-----\n?",
        allowed="certificates, one after the other, or empty",
        changed="a new revision",
    )
    kms_key: str = key(
        "your own Cloud KMS key for disk and backups; without it the data is unreadable",
        changed="another instance, refused",
        default="",
        pattern=f"|{KEY}",
        allowed="as in projects/P/locations/L/keyRings/R/cryptoKeys/K, or empty for Google's",
    )
    earlier_kms_keys: tuple[str, ...] = key(
        "former keys of kept generations and backups; the stack keeps its grants on them",
        changed="removing a key makes its data unreadable, refused",
        default=(),
        pattern=KEY,
        allowed="as in projects/P/locations/L/keyRings/R/cryptoKeys/K",
    )

    @property
    def kms_keys(self) -> tuple[str, ...]:
        """All keys that the stack's data may be encrypted with, the current one first."""
        return (*((self.kms_key,) if self.kms_key else ()), *self.earlier_kms_keys)

    @property
    def most_connections(self) -> int:
        """The instance's connection limit: the flag `max_connections`, or the engine's default."""
        own = ALLOYDB_CONNECTIONS if self.engine == "alloydb" else connections_of(self.tier)
        return int(self.flags.get("max_connections", own))

    @property
    def tier_of_replica(self) -> str:
        """The machine type of the read replica."""
        return self.replica_tier or self.tier

    @property
    def primary_flags(self) -> Mapping[str, str]:
        """The flags of the primary, with AlloyDB's connection limit, which its read pool needs, too."""
        own = {CONNECTIONS: str(self.most_connections)} if self.engine == "alloydb" else {}
        return {**own, **self.flags}

    @property
    def flags_of_replica(self) -> Mapping[str, str]:
        """The flags of the read replica or read pool."""
        return {**self.primary_flags, **self.replica_flags}

    def __post_init__(self) -> None:
        """Reject combinations that Cloud SQL rejects."""
        path = "event-store:database"
        _check_generations(path, self)
        _check_keys(path, self)
        check_tier(f"{path}.tier", self.tier, self.edition)
        _check_replica(path, self)
        if self.trusted_ca and self.engine == "alloydb":
            raise ConfigurationError(
                f"{path}.trusted_ca is for Cloud SQL only: "
                "put all certificates into event-store:alloydb.server_ca"
            )
        check_quiet_period(f"{path}.deny_maintenance", self.deny_maintenance_start, self.deny_maintenance_end)
        _check_flags(f"{path}.flags", self.flags)
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
        # A point in time is restored from the backup before it, so Google wants one for each day of log.
        if self.point_in_time_recovery and self.retained_backups < self.log_retention_days:
            raise ConfigurationError(
                f"{path}.retained_backups is {self.retained_backups}, but log_retention_days is "
                f"{self.log_retention_days}: keep at least as many backups, or fewer days"
            )


def _check_generations(path: str, settings: DatabaseSettings) -> None:
    """Reject generations that exclude each other."""
    if settings.instance and (settings.restore_from or settings.kept_generations):
        raise ConfigurationError(
            f"{path}.instance belongs to somebody else and has no generations: "
            "remove restore_from and kept_generations"
        )
    if settings.engine == "alloydb" and (
        settings.instance or settings.restore_from or settings.kept_generations
    ):
        raise ConfigurationError(
            f"{path}.engine alloydb supports neither existing instances nor restores: "
            f"remove {path}.instance, restore_from and kept_generations"
        )
    if settings.read_replica and (settings.engine == "alloydb" or settings.instance):
        raise ConfigurationError(
            f"{path}.read_replica needs a Cloud SQL instance of the stack's own: remove it"
            f"{', and set event-store:alloydb.read_nodes' * (settings.engine == 'alloydb')}"
        )
    if settings.read_replica and not settings.backups:
        raise ConfigurationError(f"{path}.read_replica needs backups: set {path}.backups to true")
    if settings.private_service_connect and (settings.engine == "alloydb" or settings.instance):
        raise ConfigurationError(
            f"{path}.private_service_connect needs a Cloud SQL instance of the stack's own: "
            f"remove it, or {path}.engine alloydb and {path}.instance"
        )
    kept = settings.kept_generations
    if len(set(kept)) != len(kept) or any(each >= settings.generation for each in kept):
        raise ConfigurationError(
            f"{path}.kept_generations is {list(kept)}, but must be different numbers "
            f"below generation, which is {settings.generation}"
        )
    if settings.restore_from and settings.generation == 1:
        raise ConfigurationError(
            f"{path}.restore_from makes a new instance and needs a new name: raise {path}.generation, "
            "and add the old generation to kept_generations"
        )


def _check_keys(path: str, settings: DatabaseSettings) -> None:
    """Reject duplicate keys, and keys without effect."""
    earlier = settings.earlier_kms_keys
    if settings.kms_key in earlier:
        raise ConfigurationError(
            f"{path}.earlier_kms_keys contains {settings.kms_key}, which is {path}.kms_key: remove it"
        )
    twice = next((each for each in earlier if earlier.count(each) > 1), None)
    if twice is not None:
        raise ConfigurationError(f"{path}.earlier_kms_keys lists {twice} twice: remove one")
    if settings.instance and settings.earlier_kms_keys:
        raise ConfigurationError(
            f"{path}.instance belongs to somebody else, who grants on its keys: remove earlier_kms_keys"
        )


def _check_replica(path: str, settings: DatabaseSettings) -> None:
    """Reject a replica that is smaller than its primary, and settings of a replica without one."""
    if settings.replica_tier and settings.engine == "alloydb":
        raise ConfigurationError(f"{path}.replica_tier is for Cloud SQL only: remove it")
    if (settings.replica_tier or settings.replica_flags) and not (
        settings.read_replica or settings.engine == "alloydb"
    ):
        raise ConfigurationError(
            f"{path}.replica_tier and replica_flags need a read replica: set {path}.read_replica to true, "
            "or remove them"
        )
    if settings.replica_tier:
        check_tier(f"{path}.replica_tier", settings.replica_tier, settings.edition)
    _check_flags(f"{path}.replica_flags", settings.replica_flags)
    lower = shortfall(
        (settings.tier, settings.primary_flags), (settings.tier_of_replica, settings.flags_of_replica)
    )
    if lower:
        keys = [f"{path}.replica_{'tier' if name == 'tier' else f'flags.{name}'}" for name in lower]
        raise ConfigurationError(
            f"{' and '.join(keys)}: lower than the primary's, but a replica needs at least as much: "
            "raise or remove it"
        )


def _check_flags(path: str, flags: Mapping[str, str]) -> None:
    for name, reason in KEPT_FLAGS.items():
        if name in flags:
            raise ConfigurationError(f"{path}.{name} cannot be set ({reason}): remove it")
    connections, (lowest, highest) = flags.get("max_connections"), MOST_CONNECTIONS
    if connections is not None and not (connections.isdecimal() and lowest <= int(connections) <= highest):
        raise ConfigurationError(
            f"{path}.max_connections is {connections!r}, but must be {lowest} to {highest}"
        )
