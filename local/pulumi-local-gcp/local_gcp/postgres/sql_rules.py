"""The limits of Cloud SQL for PostgreSQL: https://cloud.google.com/sql/docs/postgres/instance-settings."""

import re
from collections.abc import Iterator
from datetime import date
from typing import Final

from local_gcp.resource.field import GIVEN, IMMUTABLE, Choice, Field, KeptOnceSet, Text, Whole
from local_gcp.resource.properties import Properties, is_known
from local_gcp.resource.table import Limits

# The service returns any other form changed, so that each preview would show a difference:
# https://github.com/hashicorp/terraform-provider-google/issues/29169 for a day of each year, and for zeros
# https://github.com/GoogleCloudPlatform/magic-modules/pull/11277 and the provider's own test.
_DAY: Final = Text(r"\d{4}-[1-9]\d?-[1-9]\d?", "a day of a year without leading zeros, as in 2026-1-5")
_LONGEST_QUIET_DAYS: Final = 90
_LOG_RETENTION_DAYS: Final = {"ENTERPRISE": 7, "ENTERPRISE_PLUS": 35}
# https://cloud.google.com/sql/docs/postgres/machine-series-overview
_OPTIMIZED: Final = re.compile(r"db-perf-optimized-N-(2|4|8|16|32|48|64|80|96|128)")
_REPLICATION: Final = (
    *("caCertificate", "clientCertificate", "clientKey", "connectRetryInterval", "dumpFilePath"),
    *("failoverTarget", "masterHeartbeatPeriod", "password", "sslCipher", "username"),
    "verifyServerCertificate",
)


def _tier_fits_edition(inputs: Properties) -> Iterator[tuple[str, str]]:
    settings = inputs.get("settings", {})
    version, tier = inputs.get("databaseVersion", ""), settings.get("tier", "")
    if not is_known([version, tier, settings.get("edition")]):
        return
    # PostgreSQL 16 and later are ENTERPRISE_PLUS where the program does not say.
    usual = "ENTERPRISE" if version in ("POSTGRES_14", "POSTGRES_15") else "ENTERPRISE_PLUS"
    edition = settings.get("edition", usual)
    if tier.startswith("db-perf-optimized-") != (edition == "ENTERPRISE_PLUS"):
        yield "settings.tier", f"Invalid Tier ({tier}) for ({edition}) Edition"
    elif not _is_machine(tier):
        yield "settings.tier", f"Invalid Tier ({tier}): this machine type does not exist"


def _is_machine(tier: str) -> bool:
    """Tell whether a machine type exists: https://cloud.google.com/sql/docs/postgres/create-instance."""
    if custom := re.fullmatch(r"db-custom-(\d+)-(\d+)", tier):
        cpus, mebibytes = int(custom[1]), int(custom[2])
        has_cpus = cpus == 1 or (cpus % 2 == 0 and 2 <= cpus <= 96)  # noqa: PLR2004 # Google's limit
        fits = max(3840, cpus * 0.9 * 1024) <= mebibytes <= cpus * 6.5 * 1024
        return has_cpus and fits and mebibytes % 256 == 0
    return tier in ("db-f1-micro", "db-g1-small") or _OPTIMIZED.fullmatch(tier) is not None


def _recovery_has_backups(inputs: Properties) -> Iterator[tuple[str, str]]:
    settings = inputs.get("settings", {})
    backups = settings.get("backupConfiguration", {})
    if not is_known([settings.get("availabilityType"), backups]):
        return
    recovers = backups.get("pointInTimeRecoveryEnabled") is True
    if recovers and backups.get("enabled") is not True:
        yield "settings.backupConfiguration.pointInTimeRecoveryEnabled", "needs backups to be enabled"
    if settings.get("availabilityType") == "REGIONAL" and not recovers:
        yield "settings.availabilityType", "REGIONAL needs backups and point-in-time recovery"
    days, most = (
        backups.get("transactionLogRetentionDays"),
        _LOG_RETENTION_DAYS[settings.get("edition", "ENTERPRISE")],
    )
    if days is not None and days > most:
        yield (
            "settings.backupConfiguration.transactionLogRetentionDays",
            f"must be 1 to {most} in this edition",
        )
    kept = backups.get("backupRetentionSettings", {}).get("retainedBackups")
    if recovers and days is not None and kept is not None and kept < days:
        yield (
            "settings.backupConfiguration.backupRetentionSettings.retainedBackups",
            f"backup retention should be > transaction log retention, which is {days} days",
        )


def _has_an_address(inputs: Properties) -> Iterator[tuple[str, str]]:
    addresses = inputs.get("settings", {}).get("ipConfiguration", {})
    if addresses.get("ipv4Enabled") is False and not (addresses.keys() & {"privateNetwork", "pscConfigs"}):
        yield "settings.ipConfiguration", "needs at least one of ipv4Enabled, privateNetwork and pscConfigs"


def _flags_are_single(inputs: Properties) -> Iterator[tuple[str, str]]:
    flags = inputs.get("settings", {}).get("databaseFlags", [])
    names = [each["name"] for each in flags] if is_known(flags) else []
    for name in sorted({each for each in names if names.count(each) > 1}):
        yield "settings.databaseFlags", f"has the flag {name} twice"


def _quiet_period_is_short(inputs: Properties) -> Iterator[tuple[str, str]]:
    period = inputs.get("settings", {}).get("denyMaintenancePeriod")
    if not period or not is_known(period):
        return
    path = "settings.denyMaintenancePeriod"
    try:
        first, last = (date(*map(int, period[name].split("-"))) for name in ("startDate", "endDate"))
    except ValueError as error:
        yield path, f"has no such day: {error}"
        return
    if not 0 <= (last - first).days < _LONGEST_QUIET_DAYS:
        yield path, f"must be 1 to {_LONGEST_QUIET_DAYS} days"


def _replica_has_no_backups(inputs: Properties) -> Iterator[tuple[str, str]]:
    is_replica, backups = "masterInstanceName" in inputs, inputs["settings"].get("backupConfiguration", {})
    if is_replica and is_known(backups) and backups.get("enabled"):
        yield "settings.backupConfiguration.enabled", "must be left out of a read replica"
    if not is_replica and inputs.get("instanceType") == "READ_REPLICA_INSTANCE":
        yield "masterInstanceName", "is required for a READ_REPLICA_INSTANCE"


INSTANCE: Final = Limits(
    "gcp:sql/databaseInstance:DatabaseInstance",
    {
        "name": Text(
            r"[a-z]([a-z0-9-]{0,96}[a-z0-9])?",
            "1 to 98 lower-case letters, digits and hyphens, beginning with a letter",
            required=True,
            immutable=True,
        ),
        "project": IMMUTABLE,
        "region": IMMUTABLE,
        "encryptionKeyName": Text(
            r"projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+",
            "a key, as in projects/p/locations/l/keyRings/r/cryptoKeys/k",
            immutable=True,
        ),
        "masterInstanceName": IMMUTABLE,
        **{f"replicaConfiguration.{name}": IMMUTABLE for name in _REPLICATION},
        "instanceType": Choice("CLOUD_SQL_INSTANCE", "READ_REPLICA_INSTANCE", "ON_PREMISES_INSTANCE"),
        "databaseVersion": Text(r"POSTGRES_1[4-8]", "POSTGRES_14 to POSTGRES_18"),
        "deletionProtection": Field(default=True),
        "settings": Field(required=True),
        "settings.collation": IMMUTABLE,
        "settings.edition": Choice("ENTERPRISE", "ENTERPRISE_PLUS"),
        "clone.sourceInstanceName": Field(required=True),
        "clone.pointInTime": Text(
            r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z", "a time in UTC, as in 2026-01-31T08:00:00Z"
        ),
        "settings.activationPolicy": Choice("ALWAYS", "NEVER", "ON_DEMAND", default="ALWAYS"),
        "settings.availabilityType": Choice("ZONAL", "REGIONAL", default="ZONAL"),
        "settings.databaseFlags[].name": Text(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)*", "a flag, as in work_mem"),
        "settings.denyMaintenancePeriod.startDate": _DAY,
        "settings.denyMaintenancePeriod.endDate": _DAY,
        "settings.denyMaintenancePeriod.time": Text(
            r"([01]\d|2[0-3]):[0-5]\d:[0-5]\d", "a time in UTC, as in 00:00:00"
        ),
        "settings.connectorEnforcement": Choice("NOT_REQUIRED", "REQUIRED"),
        "settings.diskAutoresize": Field(default=True),
        "settings.diskAutoresizeLimit": Whole(0, 65_536, default=0),
        "settings.diskSize": Whole(10, 65_536),
        "settings.diskType": Choice("PD_SSD", "PD_HDD", "HYPERDISK_BALANCED"),
        "settings.pricingPlan": Choice("PER_USE", "PACKAGE", default="PER_USE"),
        "settings.backupConfiguration.startTime": Text(
            r"([01]\d|2[0-3]):[0-5]\d", "a time in UTC, as in 02:00"
        ),
        "settings.backupConfiguration.transactionLogRetentionDays": Whole(1, 35),
        "settings.backupConfiguration.backupRetentionSettings.retainedBackups": Whole(1, 365),
        "settings.backupConfiguration.backupRetentionSettings.retentionUnit": Choice(
            "COUNT", "RETENTION_UNIT_UNSPECIFIED", default="COUNT"
        ),
        "settings.dataCacheConfig.dataCacheEnabled": Field(default=False),
        "settings.readPoolAutoScaleConfig.enabled": Field(default=False),
        "settings.insightsConfig.queryStringLength": Whole(1, 1_048_576),
        "settings.insightsConfig.queryPlansPerMinute": Whole(0, 200),
        "settings.ipConfiguration.ipv4Enabled": Field(default=True),
        "settings.ipConfiguration.privateNetwork": KeptOnceSet(),
        "settings.ipConfiguration.sslMode": Choice(
            "ALLOW_UNENCRYPTED_AND_ENCRYPTED", "ENCRYPTED_ONLY", "TRUSTED_CLIENT_CERTIFICATE_REQUIRED"
        ),
        "settings.maintenanceWindow.day": Whole(1, 7),
        "settings.maintenanceWindow.hour": Whole(0, 23),
        "settings.maintenanceWindow.updateTrack": Choice("canary", "stable", "week5"),
    },
    rules=(
        _tier_fits_edition,
        _recovery_has_backups,
        _has_an_address,
        _flags_are_single,
        _quiet_period_is_short,
        _replica_has_no_backups,
    ),
    autonamed=98,
)
DATABASE: Final = Limits(
    "gcp:sql/database:Database",
    {
        "instance": GIVEN,
        "project": IMMUTABLE,
        "name": Text(
            r"[^/\\\x00]{1,63}", "1 to 63 characters without slashes", required=True, immutable=True
        ),
        "charset": Choice("UTF8"),
        "collation": Text(r"\S+", "a collation, as in en_US.UTF8"),
        "deletionPolicy": Choice("DELETE", "ABANDON", "PREVENT"),
    },
    autonamed=63,
)


def _has_the_iam_form(inputs: Properties) -> Iterator[tuple[str, str]]:
    name, kind = inputs.get("name", ""), inputs.get("type", "")
    if (
        is_known([name, kind])
        and kind == "CLOUD_IAM_SERVICE_ACCOUNT"
        and name.endswith(".gserviceaccount.com")
    ):
        yield "name", "must be the service account's email without .gserviceaccount.com"
    if str(kind).startswith("CLOUD_IAM_") and inputs.keys() & {"password", "passwordWo"}:
        yield "password", f"must be left out: a user of type {kind} logs in with its Google identity"


USER: Final = Limits(
    "gcp:sql/user:User",
    {
        "instance": GIVEN,
        "host": IMMUTABLE,
        "project": IMMUTABLE,
        "name": Text(r"[^\x00]{1,63}", "1 to 63 characters", required=True, immutable=True),
        "type": Choice(
            *("BUILT_IN", "CLOUD_IAM_USER", "CLOUD_IAM_SERVICE_ACCOUNT", "CLOUD_IAM_GROUP"), immutable=True
        ),
        "deletionPolicy": Choice("DELETE", "ABANDON", "PREVENT"),
    },
    rules=(_has_the_iam_form,),
    autonamed=63,
)
