"""What each setting of an instance of Cloud SQL does, as it changes."""

from collections.abc import Mapping
from typing import Any, Final

from event_store_infra.preview.effects.database.postgres import admitted, connectors, flags, tls
from event_store_infra.preview.effects.effect import HARMLESS, Effect, Rule, less_safe, loses, stops
from event_store_infra.preview.effects.rules import (
    becomes,
    begins,
    either,
    ends,
    falls,
    harmless,
    moves,
    parts_from,
    same,
    thins,
)
from event_store_infra.preview.plan.plan import UNKNOWN as LATER

_DOCS: Final = "https://docs.cloud.google.com/sql/docs/postgres"
_BACKUPS: Final = f"{_DOCS}/backup-recovery/backups"
_OPTIONS: Final = f"{_DOCS}/backup-recovery/backup-options"
_PITR: Final = f"{_DOCS}/backup-recovery/pitr"
_SETTINGS: Final = f"{_DOCS}/instance-settings"
_FLAGS: Final = f"{_DOCS}/flags"
_ADDRESSES: Final = f"{_DOCS}/configure-ip"
_PRIVATE: Final = f"{_DOCS}/configure-private-ip"
_ENDPOINTS: Final = f"{_DOCS}/configure-private-service-connect"
_TLS: Final = f"{_DOCS}/configure-ssl-instance"
_PASSWORDS: Final = f"{_DOCS}/built-in-authentication"
_POOLING: Final = f"{_DOCS}/managed-connection-pooling"
_SQL_SERVER: Final = "https://docs.cloud.google.com/sql/docs/sqlserver"
_KEEP: Final = "keep the number until nobody would go back so far any more."

_BACKUP: Final = "settings.backupConfiguration"
_IP: Final = "settings.ipConfiguration"
_PSC: Final = f"{_IP}.pscConfigs"
_NO_BACKUPS: Final = loses(
    "the way back: no backup is made any more, and those that are there grow old",
    "keep the backups.",
    _BACKUPS,
)
_NO_LOGS: Final = loses(
    "the logs of the last days, and with them every point in time between two backups",
    "keep point-in-time recovery.",
    _PITR,
)
_BY_ADDRESS: Final = "whoever reaches it by its {} address"
_BY_DNS: Final = stops("whoever finds it by the name that Google made in the network's DNS", _ENDPOINTS)
_BY_DIRECTORY: Final = moves(
    stops("whoever logs in by that directory", f"{_SQL_SERVER}/ad"),
)
_WEAKER_PASSWORDS: Final = less_safe("weaker passwords are accepted", _PASSWORDS)
_LESS_ROOM: Final = less_safe(
    "its disk grows no further: once that is full, nobody can append",
    f"{_SETTINGS}#automatic-storage-increase-2ndgen",
)


def _less_room(old: Any, new: Any) -> Effect:
    """Compare two limits of the disk, of which 0 is none."""
    return falls(_LESS_ROOM, unset=None)(old or None, new or None)


def _nearer_backups(old: Any, new: Any) -> Effect:
    """Tell whether backups leave several regions, as `eu` and the default, for one, as `europe-west1`."""
    if new == LATER or (_is_region(new) and not _is_region(old)):
        return less_safe("new backups are in one region only, and go with it", _BACKUPS)
    return HARMLESS


def _is_region(place: Any) -> bool:
    return isinstance(place, str) and "-" in place


_BACKUP_RULES: Final[Mapping[str, Rule]] = {
    f"{_BACKUP}.enabled": ends(_NO_BACKUPS),
    # 7, or 15 of the edition ENTERPRISE_PLUS.
    f"{_BACKUP}.backupRetentionSettings.retainedBackups": falls(
        loses("the backups beyond the new number", _KEEP, _BACKUPS), unset=7
    ),
    f"{_BACKUP}.pointInTimeRecoveryEnabled": ends(_NO_LOGS),
    f"{_BACKUP}.binaryLogEnabled": ends(_NO_LOGS),  # the same of MySQL
    # 7, or 14 of the edition ENTERPRISE_PLUS.
    f"{_BACKUP}.transactionLogRetentionDays": falls(
        loses(
            "the logs of the days beyond the new number, to which nobody can go back any more", _KEEP, _PITR
        ),
        unset=7,
    ),
    f"{_BACKUP}.backupTier": parts_from(
        less_safe("Backup and DR no longer enforces that its backups are kept", _OPTIONS),
        *("ENHANCED", "ADVANCED"),
    ),
    f"{_BACKUP}.location": _nearer_backups,
    # COUNT is the only unit.
    **harmless("startTime", "backupRetentionSettings.retentionUnit", at=_BACKUP),
    "settings.retainBackupsOnDelete": ends(
        less_safe("its backups go with it", f"{_BACKUPS}#retained-backups")
    ),
    "settings.finalBackupConfig.enabled": ends(
        less_safe("its deletion takes no last backup any more", f"{_BACKUPS}#final-backup")
    ),
    "settings.finalBackupConfig.retentionDays": falls(
        less_safe("the backup that its deletion takes goes sooner", f"{_BACKUPS}#final-backup"),
        unset=30,
    ),
}
_REACH: Final[Mapping[str, Rule]] = {
    # Google gives a public address unless it is told not to.
    f"{_IP}.ipv4Enabled": either(
        ends(stops(_BY_ADDRESS.format("public"), _ADDRESSES), unset=True),
        begins(less_safe("it gets an address in the public internet", _ADDRESSES), unset=True),
    ),
    f"{_IP}.privateNetwork": moves(stops(_BY_ADDRESS.format("private"), _PRIVATE)),
    f"{_IP}.sslMode": tls(_TLS, unset="ALLOW_UNENCRYPTED_AND_ENCRYPTED"),
    f"{_IP}.serverCaMode": moves(
        stops("whoever trusts the CA of before only", f"{_DOCS}/manage-ssl-instance"),
        unset="GOOGLE_MANAGED_INTERNAL_CA",
    ),
    f"{_IP}.serverCaPool": moves(
        stops("whoever trusts the CA of before only", f"{_DOCS}/manage-ssl-instance")
    ),
    f"{_IP}.customSubjectAlternativeNames": thins(
        stops("whoever connects by a name that its certificate no longer has", f"{_DOCS}/manage-ssl-instance")
    ),
    f"{_IP}.serverCertificateRotationMode": parts_from(
        less_safe("its certificate ends unless somebody rotates it", f"{_DOCS}/manage-ssl-instance"),
        "AUTOMATIC_ROTATION_DURING_MAINTENANCE",
    ),
    f"{_IP}.enablePrivatePathForGoogleCloudServices": ends(
        stops("BigQuery, which no longer reaches it by its private address", _PRIVATE)
    ),
    # By their values in `BLOCKS`, since one that goes moves all behind it.
    **harmless("expirationTime", "name", "value", at=f"{_IP}.authorizedNetworks"),
    # What exists keeps its address.
    **harmless("allocatedIpRange", at=_IP),
    f"{_PSC}.pscEnabled": ends(stops("whoever reaches it by an endpoint", _ENDPOINTS)),
    f"{_PSC}.allowedConsumerProjects": admitted("projects", _ENDPOINTS),
    f"{_PSC}.networkAttachmentUri": moves(
        stops("its own connections to the outside, as of a foreign server or a migration", _ENDPOINTS)
    ),
    **same(
        moves(stops("whoever reaches it by the endpoint that Google made in that network", _ENDPOINTS)),
        *("consumerNetwork", "consumerServiceProjectId"),
        at=f"{_PSC}.pscAutoConnections",
    ),
    **same(ends(_BY_DNS), "pscAutoDnsEnabled", "pscWriteEndpointDnsEnabled", at=_PSC),
    **harmless("pscAutoConnectionPolicyEnabled", at=_PSC),  # the connections are listed one by one
    # Google's own answers.
    **harmless(
        *("consumerNetworkStatus", "instanceAutoDnsStatus", "ipAddress", "serviceConnectionPolicy"),
        *("serviceConnectionPolicyCreationResult", "status", "writeEndpointAutoDnsStatus"),
        at=f"{_PSC}.pscAutoConnections",
    ),
    "settings.connectorEnforcement": connectors(f"{_DOCS}/connect-connectors"),
    "settings.dataApiAccess": either(
        becomes(
            less_safe(
                "whoever may do so by IAM runs SQL from the public internet", f"{_DOCS}/executesql-instance"
            ),
            "ALLOW_DATA_API",
        ),
        parts_from(
            stops("whoever runs SQL by Google's API", f"{_DOCS}/executesql-instance"), "ALLOW_DATA_API"
        ),
    ),
    "settings.connectionPoolConfigs.connectionPoolingEnabled": ends(
        stops("whoever connects to the pooler, on a port of its own", _POOLING)
    ),
    **harmless("flags.name", "flags.value", at="settings.connectionPoolConfigs"),
}
_RUNS: Final[Mapping[str, Rule]] = {
    "settings.activationPolicy": becomes(
        stops("everybody who connects to it: it is switched off", f"{_DOCS}/start-stop-restart-instance"),
        "NEVER",
    ),
    "settings.availabilityType": parts_from(
        less_safe("no standby in another zone takes over", f"{_DOCS}/high-availability"), "REGIONAL"
    ),
    "settings.edition": parts_from(
        less_safe(
            "it keeps logs of 7 days at most, and a maintenance interrupts it for longer",
            f"{_DOCS}/editions-intro",
        ),
        "ENTERPRISE_PLUS",
    ),
    "settings.deletionProtectionEnabled": ends(
        less_safe("Google no longer refuses to delete it", f"{_DOCS}/deletion-protection")
    ),
    "settings.diskAutoresize": ends(_LESS_ROOM, unset=True),
    "settings.diskAutoresizeLimit": _less_room,
    # By name in `BLOCKS`, since one that goes moves all behind it.
    **harmless("name", "value", at="settings.databaseFlags"),
    "settings.enableGoogleMlIntegration": ends(
        stops("whoever asks Vertex AI by SQL", f"{_DOCS}/integrate-cloud-sql-with-vertex-ai")
    ),
    # A machine of another size restarts it once, as Google's own maintenance does.
    **harmless("tier", "pricingPlan", "userLabels", "version", "effectiveAvailabilityType", at="settings"),
    **harmless("advancedMachineFeatures.threadsPerCore", "dataCacheConfig.dataCacheEnabled", at="settings"),
    **harmless("dataDiskProvisionedIops", "dataDiskProvisionedThroughput", at="settings"),
    **harmless("followGaeApplication", "secondaryZone", "zone", at="settings.locationPreference"),
    # When Google restarts it, not whether.
    **harmless("day", "hour", "updateTrack", at="settings.maintenanceWindow"),
    **harmless("endDate", "startDate", "time", at="settings.denyMaintenancePeriod"),
    # What people look at when it is slow.
    **harmless(
        *("enhancedQueryInsightsEnabled", "queryInsightsEnabled", "queryPlansPerMinute", "queryStringLength"),
        *("recordApplicationTags", "recordClientAddress"),
        at="settings.insightsConfig",
    ),
    **harmless("enableDataplexIntegration", at="settings"),
    # A smaller disk, another kind of it or another collation is another instance, which is judged as the
    # end of this one.
    **harmless("diskSize", "diskType", "collation", at="settings"),
    # Of a read replica or a read pool, which hold nothing of their own.
    **harmless("replicationLagMaxSeconds", at="settings"),
    **harmless(
        *("disableScaleIn", "enabled", "maxNodeCount", "minNodeCount", "scaleInCooldownSeconds"),
        *("scaleOutCooldownSeconds", "targetMetrics.metric", "targetMetrics.targetValue"),
        at="settings.readPoolAutoScaleConfig",
    ),
}
_PASSWORD_RULES: Final[Mapping[str, Rule]] = {
    **same(
        ends(_WEAKER_PASSWORDS),
        *("enablePasswordPolicy", "disallowUsernameSubstring"),
        at="settings.passwordValidationPolicy",
    ),
    **same(
        falls(_WEAKER_PASSWORDS),
        *("minLength", "passwordChangeInterval", "reuseInterval"),
        at="settings.passwordValidationPolicy",
    ),
    "settings.passwordValidationPolicy.complexity": parts_from(_WEAKER_PASSWORDS, "COMPLEXITY_DEFAULT"),
}
# Of SQL Server and MySQL, in which no log of ours is.
_OTHERS: Final[Mapping[str, Rule]] = {
    **same(
        _BY_DIRECTORY,
        *("adminCredentialSecretName", "dnsServers", "domain", "mode", "organizationalUnit"),
        at="settings.activeDirectoryConfig",
    ),
    **same(_BY_DIRECTORY, "applicationId", "tenantId", at="settings.entraidConfig"),
    "settings.sqlServerAuditConfig.bucket": moves(
        less_safe("audits no longer go to that bucket", f"{_SQL_SERVER}/db-audit")
    ),
    "settings.sqlServerAuditConfig.retentionInterval": falls(
        less_safe("audits stay on its disk for a shorter time", f"{_SQL_SERVER}/db-audit")
    ),
    **harmless("sqlServerAuditConfig.uploadInterval", "timeZone", "autoUpgradeEnabled", at="settings"),
    **harmless(
        *("cpuUtilizationThresholdPercent", "enabled", "historyListLengthThresholdCount"),
        *("memoryUsageThresholdPercent", "probeThreshold", "probingIntervalSeconds"),
        *("runningThreadsThreshold", "secondsBehindSourceThreshold", "semaphoreWaitThresholdCount"),
        *("transactionDurationThreshold", "transactionKillExcludedUserHosts"),
        *("transactionKillThresholdSeconds", "transactionKillType", "transactionLockWaitThresholdCount"),
        at="settings.performanceCaptureConfig",
    ),
}
SETTINGS: Final[Mapping[str, Rule]] = {
    **_BACKUP_RULES,
    **_REACH,
    **_RUNS,
    **_PASSWORD_RULES,
    **_OTHERS,
}
BLOCKS: Final[Mapping[str, Rule]] = {
    f"{_IP}.authorizedNetworks": admitted("networks", f"{_DOCS}/authorize-networks", "value"),
    "settings.databaseFlags": flags("cloudsql", _FLAGS),
}
