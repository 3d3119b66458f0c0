"""What Cloud SQL or AlloyDB would refuse is refused before anything is made."""

from typing import Any

import pytest

from local_gcp.postgres import alloydb_rules as alloydb
from local_gcp.postgres import sql_rules as sql
from local_gcp.resource import Limits
from tests.local_gcp.resource.inputs import (
    CLUSTER,
    INSTANCE,
    LOGIN,
    PRIMARY,
    QUIET,
    must_refuse,
    with_value,
)


@pytest.mark.parametrize(
    ("limits", "inputs", "path", "value", "place", "reason"),
    [
        (
            *(sql.INSTANCE, INSTANCE, "instanceType", "READ_REPLICA_INSTANCE"),
            *("masterInstanceName", "is required for a READ_REPLICA_INSTANCE"),
        ),
        (
            *(sql.INSTANCE, with_value(INSTANCE, "settings.backupConfiguration", {"enabled": True})),
            *("masterInstanceName", "store"),
            *("settings.backupConfiguration.enabled", "must be left out of a read replica"),
        ),
        (sql.INSTANCE, INSTANCE, "settings.tier", "db-perf-optimized-N-2", "settings.tier", "Invalid Tier"),
        (sql.INSTANCE, INSTANCE, "settings.tier", "db-custom-3-11520", "settings.tier", "does not exist"),
        (sql.INSTANCE, INSTANCE, "settings.tier", "db-custom-2-3600", "settings.tier", "does not exist"),
        (sql.INSTANCE, INSTANCE, "settings.tier", "db-n1-standard-3", "settings.tier", "does not exist"),
        (
            *(sql.INSTANCE, with_value(INSTANCE, "settings.edition", "ENTERPRISE_PLUS"), "settings.tier"),
            *("db-perf-optimized-N-3", "settings.tier", "does not exist"),
        ),
        (
            *(sql.INSTANCE, INSTANCE, "settings.backupConfiguration"),
            {
                "enabled": True,
                "pointInTimeRecoveryEnabled": True,
                "transactionLogRetentionDays": 7,
                "backupRetentionSettings": {"retainedBackups": 6},
            },
            *("settings.backupConfiguration.backupRetentionSettings.retainedBackups", "which is 7 days"),
        ),
        (sql.INSTANCE, INSTANCE, "settings.diskSize", 5, "settings.diskSize", "10 to"),
        (sql.INSTANCE, INSTANCE, "clone", {}, "clone.sourceInstanceName", "required"),
        (
            *(sql.INSTANCE, INSTANCE, "clone", {"sourceInstanceName": "a", "pointInTime": "yesterday"}),
            *("clone.pointInTime", "a time in UTC"),
        ),
        (
            *(sql.INSTANCE, INSTANCE, "settings.availabilityType", "REGIONAL"),
            *("settings.availabilityType", "needs backups"),
        ),
        (sql.INSTANCE, INSTANCE, "encryptionKeyName", "k", "encryptionKeyName", "a key, as in"),
        (
            *(sql.INSTANCE, INSTANCE, "settings.databaseFlags", [{"name": "Work-Mem", "value": "1"}]),
            *("settings.databaseFlags[0].name", "a flag, as in"),
        ),
        (
            *(sql.INSTANCE, INSTANCE, "settings.databaseFlags", [{"name": "work_mem", "value": "1"}] * 2),
            *("settings.databaseFlags", "work_mem twice"),
        ),
        (
            *(sql.INSTANCE, INSTANCE, "settings.denyMaintenancePeriod", QUIET | {"time": "midnight"}),
            *("settings.denyMaintenancePeriod.time", "00:00:00"),
        ),
        (
            *(sql.INSTANCE, INSTANCE, "settings.denyMaintenancePeriod", QUIET | {"endDate": "soon"}),
            *("settings.denyMaintenancePeriod.endDate", "a day"),
        ),
        (
            *(sql.INSTANCE, INSTANCE, "settings.denyMaintenancePeriod", QUIET | {"endDate": "2027-2-30"}),
            *("settings.denyMaintenancePeriod", "no such day"),
        ),
        (
            *(sql.INSTANCE, INSTANCE, "settings.denyMaintenancePeriod", QUIET | {"endDate": "2027-2-18"}),
            *("settings.denyMaintenancePeriod", "1 to 90 days"),
        ),
        (
            *(sql.INSTANCE, INSTANCE, "settings.denyMaintenancePeriod", QUIET | {"endDate": "2026-12-01"}),
            *("settings.denyMaintenancePeriod.endDate", "without leading zeros"),
        ),
        (
            *(sql.INSTANCE, INSTANCE, "settings.denyMaintenancePeriod", QUIET | {"startDate": "11-20"}),
            *("settings.denyMaintenancePeriod.startDate", "a day of a year"),
        ),
        (alloydb.CLUSTER, CLUSTER, "clusterId", "Store", "clusterId", "1 to 63"),
        (alloydb.CLUSTER, CLUSTER, "databaseVersion", "POSTGRES_13", "databaseVersion", "POSTGRES_14 to"),
        (alloydb.CLUSTER, CLUSTER, "subscriptionType", "FREE", "subscriptionType", "TRIAL, STANDARD"),
        (alloydb.CLUSTER, CLUSTER, "deletionPolicy", "NEVER", "deletionPolicy", "PREVENT"),
        (
            *(alloydb.CLUSTER, CLUSTER, "encryptionConfig.kmsKeyName", "k"),
            *("encryptionConfig.kmsKeyName", "a key, as in"),
        ),
        (
            *(alloydb.CLUSTER, CLUSTER, "continuousBackupConfig.recoveryWindowDays", 36),
            *("continuousBackupConfig.recoveryWindowDays", "1 to 35"),
        ),
        (
            *(alloydb.CLUSTER, CLUSTER, "automatedBackupPolicy.weeklySchedule"),
            {"daysOfWeeks": ["MONDAY"], "startTimes": [{"hours": 24}]},
            *("automatedBackupPolicy.weeklySchedule.startTimes[0].hours", "0 to 23"),
        ),
        (
            *(alloydb.CLUSTER, CLUSTER, "automatedBackupPolicy.quantityBasedRetention.count", 0),
            *("automatedBackupPolicy.quantityBasedRetention.count", "1 to"),
        ),
        (
            *(alloydb.CLUSTER, CLUSTER, "automatedBackupPolicy"),
            {
                "quantityBasedRetention": {"count": 1},
                "timeBasedRetention": {"retentionPeriod": "86400s"},
            },
            *("automatedBackupPolicy.timeBasedRetention", "conflicts"),
        ),
        (
            *(alloydb.CLUSTER, CLUSTER, "maintenanceUpdatePolicy.maintenanceWindows"),
            [{"day": "SUNDAY", "startTime": {"hours": 3, "minutes": 30}}],
            *("maintenanceUpdatePolicy.maintenanceWindows[0].startTime.minutes", "0 to 0"),
        ),
        (
            *(alloydb.CLUSTER, CLUSTER | {"restoreBackupSource": {"backupName": "b"}}),
            "restoreContinuousBackupSource",
            {"cluster": "c", "pointInTime": "2026-11-24T10:00:00Z"},
            *("restoreContinuousBackupSource", "conflicts with restoreBackupSource"),
        ),
        (alloydb.INSTANCE, PRIMARY, "cluster", "store-1", "cluster", "projects/p/locations"),
        (alloydb.INSTANCE, PRIMARY, "instanceType", "POOL", "instanceType", "READ_POOL"),
        (alloydb.INSTANCE, PRIMARY, "machineConfig.cpuCount", 3, "machineConfig.cpuCount", "2, 4, 8"),
        (alloydb.INSTANCE, PRIMARY, "readPoolConfig", {"nodeCount": 1}, "readPoolConfig", "READ_POOL only"),
        (alloydb.INSTANCE, PRIMARY, "instanceType", "READ_POOL", "readPoolConfig", "is required"),
        (
            *(alloydb.INSTANCE, PRIMARY, "queryInsightsConfig.queryStringLength", 100),
            *("queryInsightsConfig.queryStringLength", "256 to 4500"),
        ),
        (
            *(alloydb.INSTANCE, PRIMARY, "clientConnectionConfig.sslConfig.sslMode", "NONE"),
            *("clientConnectionConfig.sslConfig.sslMode", "ENCRYPTED_ONLY"),
        ),
        (alloydb.USER, LOGIN, "userId", "a@p.iam.gserviceaccount.com", "userId", "without"),
        (alloydb.USER, LOGIN, "password", "x", "password", "must be left out"),
        (
            *(sql.USER, {"instance": "i", "type": "CLOUD_IAM_SERVICE_ACCOUNT"}, "name"),
            *("a@p.iam.gserviceaccount.com", "name", "without"),
        ),
    ],
)  # fmt: skip
def test_a_wrong_property_is_refused_with_its_path_and_range(
    limits: Limits, inputs: dict[str, Any], path: str, value: Any, place: str, reason: str
) -> None:
    """A failure names the property and what is allowed, and there is no other."""
    must_refuse(limits, inputs, path, value, place, reason)


@pytest.mark.parametrize("end", ["2026-11-20", "2027-2-17", "2026-12-24"])
def test_a_quiet_period_may_pass_the_end_of_the_year(end: str) -> None:
    """1 to 90 days, both ends counted, are taken."""
    quiet = with_value(INSTANCE, "settings.denyMaintenancePeriod", QUIET | {"endDate": end})

    assert sql.INSTANCE.check(quiet)[1] == []
