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
    "alloydb.iam_authentication": "it is always on: nobody logs in with a password",
    "cloudsql.iam_authentication": "it is always on: nobody logs in with a password",
    "synchronous_commit": "an append is answered when it is on the disk, and not before",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreSettings:
    """What a new generation's instance is a clone of: see docs/howto/restore.md."""

    instance: str = key(
        "the instance to clone, of the same project",
        pattern=r"[a-z][a-z0-9-]{0,97}",
        allowed="an instance's name",
    )
    time: str = key(
        "the point in time to clone it at, within its `log_retention_days`",
        pattern=r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z",
        allowed='a time in UTC, in quotes, as in "2026-01-31T08:00:00Z"',
    )

    def __post_init__(self) -> None:
        """Refuse a time that no calendar has."""
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
        "Cloud SQL, or AlloyDB, where the settings of edition, tier, disk, log retention and quiet days mean "
        "nothing",
        changed="another database, refused: see docs/howto/alloydb.md",
        default="cloudsql",
        choices=("cloudsql", "alloydb"),
    )
    version: str = key(
        "the major version",
        changed="an upgrade in place, with downtime, without a read replica; never back",
        default="POSTGRES_18",
        choices=("POSTGRES_16", "POSTGRES_17", "POSTGRES_18"),
    )
    instance: str = key(
        "an instance that is there, to make the database in; it must have a private address and the flag "
        "`cloudsql.iam_authentication`, and `tier` and `disk_limit_gb` say what it has",
        default="",
        pattern=r"|[a-z][a-z0-9-]{0,97}",
        allowed="an instance's name, or empty for an own one",
        changed="another database, refused",
    )
    private_service_connect: bool = key(
        "whether an endpoint in the stack's subnetwork leads to the instance, and no peering of networks "
        "(Private Service Connect)",
        changed="refused: it is decided before the instance is made",
        default=False,
    )
    read_replica: bool = key(
        "whether an instance of the same size follows this one: the service reads the older part of the log "
        "from it, and readers of your own such as reports find it at the output `readers`",
        default=False,
    )
    replica_tier: str = key(
        "the machine type of the read replica where it is not `tier`; never a smaller one",
        changed="restarts the replica",
        default="",
    )
    replica_flags: Mapping[str, str] = key(
        "flags of the read replica, or of AlloyDB's read pool, where they are not those of `flags`",
        changed="some restart the replica",
        default=dict,
        pattern=".+",
        allowed="the value as a text",
    )
    generation: int = key(
        "the number that ends the instance's name: another one is another instance, as for a restore",
        changed="another instance, refused while the one before would go: see docs/howto/restore.md",
        default=1,
        lowest=1,
        highest=999,
    )
    kept_generations: tuple[int, ...] = key(
        "earlier generations whose instances stay beside this one", default=(), lowest=1, highest=998
    )
    restore_from: RestoreSettings | None = key("what this generation is a clone of", default=None)
    edition: str = key(
        "the edition",
        default="ENTERPRISE",
        choices=tuple(EDITION_TIERS),
        changed="restarts the instance, without a read replica",
    )
    tier: str = key(
        "the machine type",
        changed="restarts the instance; a larger one takes two updates with a replica, "
        "see docs/howto/deploy.md",
        default="db-custom-1-3840",
        pattern=".+",
        allowed="one of the edition's, as in `db-custom-<vCPUs>-<MiB>`",
    )
    availability: str = key(
        "one zone, or a standby in another", default="ZONAL", choices=("ZONAL", "REGIONAL")
    )
    disk_size_gb: int = key(
        "the disk's size at the beginning; it grows by itself",
        changed="nothing",
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

    deny_maintenance_start: str = key(
        "the first day of a year without maintenance but for urgent mends",
        default="",
        pattern=DAY,
        allowed="a day as in 2026-11-20; empty for none",
    )
    deny_maintenance_end: str = key(
        f"the last such day, at most {LONGEST_DAYS} in all",
        default="",
        pattern=DAY,
        allowed="in the same way",
    )
    flags: Mapping[str, str] = key(
        "PostgreSQL's own settings, by Cloud SQL's names of flags",
        changed="some restart the instance; more connections take two updates with a replica",
        default=dict,
        pattern=".+",
        allowed='the value as a text, as in `"200"`',
    )
    trusted_ca: str = key(
        "PEM certificates that are trusted beside the instance's own CA while that is rotated, see "
        "docs/howto/runbook.md",
        default="",
        pattern=r"|-----BEGIN CERTIFICATE-----\n[\s\S]+\n-----END CERTIFICATE-----\n?",
        allowed="certificates, one after the other, or empty",
        changed="a new revision",
    )
    kms_key: str = key(
        "your own key, which encrypts disk and backups for good: without it nobody reads them",
        changed="another instance, refused",
        default="",
        pattern=f"|{KEY}",
        allowed="as in projects/P/locations/L/keyRings/R/cryptoKeys/K, or empty for Google's",
    )
    earlier_kms_keys: tuple[str, ...] = key(
        "keys before it that kept generations or backups are still encrypted with: the grants on them stay",
        changed="without a key its data cannot be read any more, refused",
        default=(),
        pattern=KEY,
        allowed="as in projects/P/locations/L/keyRings/R/cryptoKeys/K",
    )

    @property
    def kms_keys(self) -> tuple[str, ...]:
        """All keys that data of the stack may be encrypted with, the present one first."""
        return (*((self.kms_key,) if self.kms_key else ()), *self.earlier_kms_keys)

    @property
    def most_connections(self) -> int:
        """How many connections the instance takes: the flag `max_connections`, or the engine's own."""
        own = ALLOYDB_CONNECTIONS if self.engine == "alloydb" else connections_of(self.tier)
        return int(self.flags.get("max_connections", own))

    @property
    def tier_of_replica(self) -> str:
        """The machine type of the read replica."""
        return self.replica_tier or self.tier

    @property
    def primary_flags(self) -> Mapping[str, str]:
        """The flags of the primary, with AlloyDB's number of connections, which its read pool needs, too."""
        own = {CONNECTIONS: str(self.most_connections)} if self.engine == "alloydb" else {}
        return {**own, **self.flags}

    @property
    def flags_of_replica(self) -> Mapping[str, str]:
        """The flags of what follows the primary."""
        return {**self.primary_flags, **self.replica_flags}

    def __post_init__(self) -> None:
        """Refuse what Cloud SQL refuses."""
        path = "event-store:database"
        _check_generations(path, self)
        _check_keys(path, self)
        check_tier(f"{path}.tier", self.tier, self.edition)
        _check_replica(path, self)
        if self.trusted_ca and self.engine == "alloydb":
            raise ConfigurationError(
                f"{path}.trusted_ca is Cloud SQL's: put all certificates into event-store:alloydb.server_ca"
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
                f"{self.log_retention_days}: keep as many backups at least, or fewer days"
            )


def _check_generations(path: str, settings: DatabaseSettings) -> None:
    """Refuse generations that cannot stand beside each other."""
    if settings.instance and (settings.restore_from or settings.kept_generations):
        raise ConfigurationError(
            f"{path}.instance is another's and has no generations: remove restore_from and kept_generations"
        )
    if settings.engine == "alloydb" and (
        settings.instance or settings.restore_from or settings.kept_generations
    ):
        raise ConfigurationError(
            f"{path}.engine alloydb is for a cluster of its own that was not restored: "
            f"remove {path}.instance, restore_from and kept_generations"
        )
    if settings.read_replica and (settings.engine == "alloydb" or settings.instance):
        raise ConfigurationError(
            f"{path}.read_replica follows an own instance of Cloud SQL: remove it"
            f"{', and set event-store:alloydb.read_nodes' * (settings.engine == 'alloydb')}"
        )
    if settings.read_replica and not settings.backups:
        raise ConfigurationError(f"{path}.read_replica needs backups: set {path}.backups to true")
    if settings.private_service_connect and (settings.engine == "alloydb" or settings.instance):
        raise ConfigurationError(
            f"{path}.private_service_connect is for an own instance of Cloud SQL: "
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
            "and put the one before into kept_generations"
        )


def _check_keys(path: str, settings: DatabaseSettings) -> None:
    """Refuse keys that are named twice, or that mean nothing."""
    earlier = settings.earlier_kms_keys
    if settings.kms_key in earlier:
        raise ConfigurationError(
            f"{path}.earlier_kms_keys has {settings.kms_key}, which {path}.kms_key is: name it once"
        )
    twice = next((each for each in earlier if earlier.count(each) > 1), None)
    if twice is not None:
        raise ConfigurationError(f"{path}.earlier_kms_keys has {twice} twice: name it once")
    if settings.instance and settings.earlier_kms_keys:
        raise ConfigurationError(
            f"{path}.instance is another's, whose owner grants on its keys: remove earlier_kms_keys"
        )


def _check_replica(path: str, settings: DatabaseSettings) -> None:
    """Refuse a replica that is smaller than its primary, or that does not exist."""
    if settings.replica_tier and settings.engine == "alloydb":
        raise ConfigurationError(f"{path}.replica_tier is Cloud SQL's: remove it")
    if (settings.replica_tier or settings.replica_flags) and not (
        settings.read_replica or settings.engine == "alloydb"
    ):
        raise ConfigurationError(
            f"{path}.replica_tier and replica_flags are the read replica's: set {path}.read_replica to true, "
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
            f"{' and '.join(keys)}: lower than the primary's, but what follows it must have at least as much"
        )


def _check_flags(path: str, flags: Mapping[str, str]) -> None:
    for name, reason in KEPT_FLAGS.items():
        if name in flags:
            raise ConfigurationError(f"{path}.{name} is not yours to set ({reason}): remove it")
    connections, (lowest, highest) = flags.get("max_connections"), MOST_CONNECTIONS
    if connections is not None and not (connections.isdecimal() and lowest <= int(connections) <= highest):
        raise ConfigurationError(
            f"{path}.max_connections is {connections!r}, but must be {lowest} to {highest}"
        )
