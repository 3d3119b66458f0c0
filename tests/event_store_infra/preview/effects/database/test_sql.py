"""What each change of Cloud SQL does: an instance, a database, a login."""

import json

import pytest

from event_store_infra.preview.effects.database.alloydb import USER as ALLOYDB_USER
from event_store_infra.preview.effects.database.sql import DATABASE, INSTANCE, USER
from event_store_infra.preview.effects.effect import HARMLESS, Severity
from event_store_infra.preview.effects.told import of_its_changes
from event_store_infra.preview.judging.guard import judge
from event_store_infra.preview.plan.plan import UNKNOWN, Plan
from event_store_infra.preview.report.summary import render
from tests.event_store_infra.preview.effects.changed import changed, made
from tests.event_store_infra.preview.effects.judged import told_of, worst_of
from tests.event_store_infra.preview.effects.rows import Row, check, check_back, without_a_row

LOSES, CUTS_OFF, STOPS, LESS_SAFE = (
    Severity.LOSES,
    Severity.CUTS_OFF,
    Severity.STOPS,
    Severity.LESS_SAFE,
)
BACKUP = "settings.backupConfiguration"
IP = "settings.ipConfiguration"
PSC = f"{IP}.pscConfigs[0]"
AUTO = f"{PSC}.pscAutoConnections[0]"
POLICY = "settings.passwordValidationPolicy"
OPEN, TLS, CERTIFICATE = (
    "ALLOW_UNENCRYPTED_AND_ENCRYPTED",
    "ENCRYPTED_ONLY",
    "TRUSTED_CLIENT_CERTIFICATE_REQUIRED",
)


def _flags(**values: str) -> list[dict[str, str]]:
    return [{"name": name.replace("__", "."), "value": value} for name, value in values.items()]


INSTANCE_ROWS = [
    Row(f"{BACKUP}.enabled", True, False, LOSES, "no backup is made any more"),
    Row(f"{BACKUP}.enabled", True, None, LOSES, "the way back"),
    Row(f"{BACKUP}.pointInTimeRecoveryEnabled", True, False, LOSES, "every point in time"),
    Row(f"{BACKUP}.pointInTimeRecoveryEnabled", True, None, LOSES, "every point in time"),
    Row(f"{BACKUP}.binaryLogEnabled", True, False, LOSES, "every point in time"),
    Row(f"{BACKUP}.transactionLogRetentionDays", 7, 1, LOSES, "the logs of the days beyond"),
    Row(f"{BACKUP}.transactionLogRetentionDays", None, 6, LOSES, "the logs of the days beyond"),
    Row(f"{BACKUP}.transactionLogRetentionDays", 14, None, LOSES, "the logs of the days beyond"),
    Row(f"{BACKUP}.backupRetentionSettings.retainedBackups", 30, 29, LOSES, "the backups beyond"),
    Row(f"{BACKUP}.backupRetentionSettings.retainedBackups", None, 6, LOSES, "the backups beyond"),
    Row(f"{BACKUP}.backupRetentionSettings.retainedBackups", 8, None, LOSES, "the backups beyond"),
    Row(f"{BACKUP}.backupTier", "ENHANCED", "STANDARD", LESS_SAFE, "no longer enforces"),
    Row(f"{BACKUP}.location", "eu", "europe-west1", LESS_SAFE, "in one region only"),
    Row(f"{BACKUP}.location", None, "europe-west1", LESS_SAFE, "in one region only"),
    Row("settings.retainBackupsOnDelete", True, False, LESS_SAFE, "its backups go with it"),
    Row("settings.finalBackupConfig.enabled", True, None, LESS_SAFE, "no last backup"),
    Row("settings.finalBackupConfig.retentionDays", None, 29, LESS_SAFE, "goes sooner"),
    Row("restoreBackupContext", None, {"backupRunId": 5}, LOSES, "over the live log"),
    Row("pointInTimeRestoreContext", None, {"datasource": "d"}, LOSES, "over the live log"),
    Row("backupdrBackup", None, "backup-1", LOSES, "over the live log"),
    Row("deletionProtection", True, False, LESS_SAFE, "the provider no longer refuses"),
    Row("deletionProtection", None, False, LESS_SAFE, "the provider no longer refuses"),
    Row("deletionPolicy", "PREVENT", None, LESS_SAFE, "a deletion in the program"),
    Row("deletionPolicy", "PREVENT", "ABANDON", LESS_SAFE, "a deletion in the program"),
    Row("deletionPolicy", "ABANDON", "DELETE", LESS_SAFE, "a deletion in the program"),
    Row("settings.deletionProtectionEnabled", True, None, LESS_SAFE, "Google no longer refuses"),
    Row("instanceType", "READ_REPLICA_INSTANCE", "CLOUD_SQL_INSTANCE", CUTS_OFF, "from its primary"),
    Row("instanceType", "CLOUD_SQL_INSTANCE", "READ_REPLICA_INSTANCE", STOPS, "whoever appends"),
    Row("replicationCluster.failoverDrReplicaName", "r", None, LESS_SAFE, "no replica stands by"),
    Row("rootPassword", "a", "b", STOPS, "with the former password"),
    Row("rootPassword", "b", "a", STOPS, "with the former password"),
    Row("rootPassword", None, "a", STOPS, "with the former password"),
    Row("rootPasswordWoVersion", 1, 2, STOPS, "as `postgres`"),
    Row("rootPasswordWoVersion", 2, 1, STOPS, "as `postgres`"),
    Row("blueGreenDeployment", {"deploymentName": "d"}, None, LESS_SAFE, "the copy"),
    Row("blueGreenDeployment", {"deleteOldSourceOnDestroy": True}, None, LOSES, "the instance of before"),
    Row("blueGreenDeployment", None, {"deleteOldSourceOnDestroy": True}, LESS_SAFE, "the instance of before"),
    Row("blueGreenDeployment.activeEnvironment", "SOURCE", "TARGET", LESS_SAFE, "no update goes back"),
    Row("blueGreenDeployment.deleteOldSourceOnDestroy", False, True, LESS_SAFE, "goes with the deployment"),
    Row("settings.activationPolicy", "ALWAYS", "NEVER", STOPS, "it is switched off"),
    Row("settings.activationPolicy", None, "NEVER", STOPS, "it is switched off"),
    Row("settings.availabilityType", "REGIONAL", "ZONAL", LESS_SAFE, "no standby"),
    Row("settings.availabilityType", "REGIONAL", None, LESS_SAFE, "no standby"),
    Row("settings.edition", "ENTERPRISE_PLUS", "ENTERPRISE", LESS_SAFE, "7 days at most"),
    Row("settings.diskAutoresize", None, False, LESS_SAFE, "nobody can append"),
    Row("settings.diskAutoresizeLimit", 500, 100, LESS_SAFE, "nobody can append"),
    Row("settings.diskAutoresizeLimit", None, 100, LESS_SAFE, "nobody can append"),
    Row("settings.diskAutoresizeLimit", 0, 100, LESS_SAFE, "nobody can append"),
    Row("settings.databaseFlags", _flags(cloudsql__iam_authentication="on"), [], STOPS, "every login by IAM"),
    Row("settings.databaseFlags", _flags(cloudsql__logical_decoding="on"), [], STOPS, "logical decoding"),
    Row("settings.databaseFlags", _flags(cloudsql__enable_pgaudit="on"), [], LESS_SAFE, "audited"),
    Row("settings.databaseFlags", [], _flags(autovacuum="off"), LESS_SAFE, "dead rows"),
    Row("settings.databaseFlags", [], _flags(max_connections="5"), LESS_SAFE, "fewer clients"),
    Row("settings.databaseFlags", [], _flags(zero_damaged_pages="on"), LESS_SAFE, "nobody has said"),
    Row("settings.databaseFlags", _flags(zero_damaged_pages="on"), [], LESS_SAFE, "`zero_damaged_pages`"),
    Row("settings.databaseFlags", [], _flags(synchronous_commit="off"), LESS_SAFE, "answered already"),
    Row("settings.databaseFlags", [], _flags(full_page_writes="off"), LESS_SAFE, "corrupt"),
    Row("settings.databaseFlags", [], _flags(default_transaction_read_only="on"), STOPS, "whoever appends"),
    Row("settings.databaseFlags", [], _flags(log_statement="all"), LESS_SAFE, "Cloud Logging"),
    Row("settings.databaseFlags", [], _flags(log_statement="mod"), LESS_SAFE, "Cloud Logging"),
    Row("settings.databaseFlags", [], _flags(session_replication_role="replica"), LESS_SAFE, "triggers"),
    Row("settings.enableGoogleMlIntegration", True, None, STOPS, "Vertex AI"),
    Row("settings.connectorEnforcement", "NOT_REQUIRED", "REQUIRED", STOPS, "connects directly"),
    Row(
        "settings.connectorEnforcement", "REQUIRED", "NOT_REQUIRED", LESS_SAFE, "without Google's connectors"
    ),
    Row("settings.dataApiAccess", None, "ALLOW_DATA_API", LESS_SAFE, "from the public internet"),
    Row("settings.dataApiAccess", "ALLOW_DATA_API", None, STOPS, "by Google's API"),
    Row("settings.connectionPoolConfigs[0].connectionPoolingEnabled", True, False, STOPS, "the pooler"),
    Row(f"{IP}.ipv4Enabled", True, False, STOPS, "by its public address"),
    Row(f"{IP}.ipv4Enabled", None, False, STOPS, "by its public address"),
    Row(f"{IP}.ipv4Enabled", False, True, LESS_SAFE, "in the public internet"),
    Row(f"{IP}.ipv4Enabled", False, None, LESS_SAFE, "in the public internet"),
    Row(f"{IP}.privateNetwork", "a", None, STOPS, "by its private address"),
    Row(f"{IP}.privateNetwork", "a", "b", STOPS, "by its private address"),
    Row(f"{IP}.privateNetwork", "b", "a", STOPS, "by its private address"),
    Row(f"{IP}.sslMode", OPEN, TLS, STOPS, "without TLS"),
    Row(f"{IP}.sslMode", None, TLS, STOPS, "without TLS"),
    Row(f"{IP}.sslMode", TLS, CERTIFICATE, STOPS, "no client certificate"),
    Row(f"{IP}.sslMode", CERTIFICATE, TLS, LESS_SAFE, "asks less"),
    Row(f"{IP}.sslMode", TLS, OPEN, LESS_SAFE, "asks less"),
    Row(f"{IP}.sslMode", TLS, None, LESS_SAFE, "asks less"),
    Row(f"{IP}.serverCaMode", None, "GOOGLE_MANAGED_CAS_CA", STOPS, "trusts the CA of before"),
    Row(f"{IP}.serverCaMode", "GOOGLE_MANAGED_CAS_CA", None, STOPS, "trusts the CA of before"),
    Row(f"{IP}.serverCaPool", "a", None, STOPS, "trusts the CA of before"),
    Row(f"{IP}.customSubjectAlternativeNames", ["a", "b"], ["b"], STOPS, "by a name"),
    Row(
        f"{IP}.serverCertificateRotationMode",
        *("AUTOMATIC_ROTATION_DURING_MAINTENANCE", "NO_AUTOMATIC_ROTATION"),
        *(LESS_SAFE, "its certificate ends"),
    ),
    Row(f"{IP}.enablePrivatePathForGoogleCloudServices", True, False, STOPS, "BigQuery"),
    Row(f"{IP}.authorizedNetworks", [{"value": "10.0.0.0/8"}], [], STOPS, "the networks `10.0.0.0/8`"),
    Row(f"{IP}.authorizedNetworks", [], [{"value": "10.0.0.0/8"}], LESS_SAFE, "networks `10.0.0.0/8` may"),
    Row(f"{PSC}.pscEnabled", True, False, STOPS, "by an endpoint"),
    Row(f"{PSC}.allowedConsumerProjects", ["p-1", "p-2"], ["p-1"], STOPS, "from the projects `p-2`"),
    Row(
        f"{PSC}.allowedConsumerProjects", ["p-1"], ["p-1", "p-2"], LESS_SAFE, "the projects `p-2` may connect"
    ),
    Row(f"{PSC}.networkAttachmentUri", "a", None, STOPS, "connections to the outside"),
    Row(f"{AUTO}.consumerNetwork", "a", None, STOPS, "in that network"),
    Row(f"{AUTO}.consumerServiceProjectId", "a", None, STOPS, "in that network"),
    Row(f"{PSC}.pscAutoDnsEnabled", True, False, STOPS, "by the name"),
    Row(f"{PSC}.pscWriteEndpointDnsEnabled", True, None, STOPS, "by the name"),
    Row(f"{POLICY}.enablePasswordPolicy", True, False, LESS_SAFE, "weaker passwords"),
    Row(f"{POLICY}.disallowUsernameSubstring", True, None, LESS_SAFE, "weaker passwords"),
    Row(f"{POLICY}.minLength", 12, 8, LESS_SAFE, "weaker passwords"),
    Row(f"{POLICY}.passwordChangeInterval", "3600s", None, LESS_SAFE, "weaker passwords"),
    Row(f"{POLICY}.reuseInterval", 5, 1, LESS_SAFE, "weaker passwords"),
    Row(f"{POLICY}.complexity", "COMPLEXITY_DEFAULT", None, LESS_SAFE, "weaker passwords"),
    *(
        Row(f"settings.activeDirectoryConfig.{each}", "a", None, STOPS, "by that directory")
        for each in ("adminCredentialSecretName", "domain", "mode", "organizationalUnit")
    ),
    Row("settings.activeDirectoryConfig.dnsServers", ["a"], None, STOPS, "by that directory"),
    Row("settings.entraidConfig.applicationId", "a", None, STOPS, "by that directory"),
    Row("settings.entraidConfig.tenantId", "a", None, STOPS, "by that directory"),
    Row("settings.sqlServerAuditConfig.bucket", "a", None, LESS_SAFE, "to that bucket"),
    Row("settings.sqlServerAuditConfig.retentionInterval", "7d", "1d", LESS_SAFE, "for a shorter time"),
]
DATABASE_ROWS = [Row("deletionPolicy", "ABANDON", "DELETE", LESS_SAFE, "a deletion in the program")]
USER_ROWS = [
    Row("deletionPolicy", "ABANDON", None, LESS_SAFE, "a deletion in the program"),
    Row("databaseRoles", ["a", "b"], ["a"], STOPS, "a right of the role"),
    Row("databaseRoles", ["a"], None, STOPS, "a right of the role"),
    Row("password", "a", "b", STOPS, "with the former password"),
    Row("password", "b", "a", STOPS, "with the former password"),
    Row("password", None, "a", STOPS, "with the former password"),
    Row("passwordWoVersion", 1, 2, STOPS, "with the former password"),
    Row("passwordWoVersion", 2, 1, STOPS, "with the former password"),
    Row("passwordPolicy.allowedFailedAttempts", 3, 10, LESS_SAFE, "guessed"),
    Row("passwordPolicy.allowedFailedAttempts", 3, None, LESS_SAFE, "guessed"),
    Row("passwordPolicy.enableFailedAttemptsCheck", True, False, LESS_SAFE, "guessed"),
    Row("passwordPolicy.enablePasswordVerification", True, None, LESS_SAFE, "an open session"),
    Row("passwordPolicy.passwordExpirationDuration", None, "3600s", STOPS, "in that time"),
    Row("passwordPolicy.passwordExpirationDuration", "3600s", None, LESS_SAFE, "for longer"),
]
ROWS = {INSTANCE: INSTANCE_ROWS, DATABASE: DATABASE_ROWS, USER: USER_ROWS}
EACH = [pytest.param(kind, row, id=str(row)) for kind, rows in ROWS.items() for row in rows]


@pytest.mark.parametrize(("kind", "row"), EACH)
def test_each_change_says_what_it_does(kind: str, row: Row) -> None:
    """There, with a value that is known later only, and back, which is harmless unless it has a row."""
    check(kind, row)
    check_back(kind, row, ROWS[kind])


@pytest.mark.parametrize("kind", ROWS)
def test_no_line_of_the_table_is_without_a_row(kind: str) -> None:
    """Whatever a table says of a property, a row above says, too."""
    assert without_a_row(kind, ROWS[kind]) == []


def test_a_backup_configuration_that_is_removed_loses_all_that_it_had() -> None:
    """The block as a whole: the backups, the logs and their numbers, each told by its name."""
    whole = {
        "enabled": True,
        "pointInTimeRecoveryEnabled": True,
        "transactionLogRetentionDays": 14,
        "backupRetentionSettings": {"retainedBackups": 30},
        "startTime": "02:00",
    }
    plan = changed(INSTANCE, BACKUP, whole, None)
    (finding,) = judge(plan).refused

    assert [each.change.path.rpartition(".")[2] for each in finding.told] == [
        "retainedBackups",
        "enabled",
        "pointInTimeRecoveryEnabled",
        "transactionLogRetentionDays",
    ]
    assert "refused, 1 change would lose data" in render("prod", plan, judge(plan))


def test_settings_that_are_removed_whole_say_the_worst_of_each() -> None:
    """Even the outermost block: what it held is judged property by property."""
    whole = {
        "tier": "db-custom-1-3840",
        "backupConfiguration": {"enabled": True},
        "deletionProtectionEnabled": True,
    }
    told = of_its_changes(changed(INSTANCE, "settings", whole, None).steps[0])

    assert [each.change.path for each in told] == [f"{BACKUP}.enabled", "settings.deletionProtectionEnabled"]


def test_a_restore_is_told_once_whatever_of_it_changes() -> None:
    """Another backup, another source: the provider restores again, and one finding says so."""
    old = {"backupRunId": 5, "instanceId": "store", "project": "p-1"}
    plan = changed(INSTANCE, "restoreBackupContext", old, {**old, "backupRunId": 6})
    (finding,) = judge(plan).refused

    assert finding.deed == "update restoreBackupContext"
    assert len(finding.told) == 1
    assert told_of(INSTANCE, "restoreBackupContext", old, None) == HARMLESS
    assert told_of(INSTANCE, "restoreBackupContext.backupRunId", 5, UNKNOWN).severity == LOSES


def test_flags_are_compared_by_name() -> None:
    """One more in front moves those behind it, which changes nothing of them; several are told at once."""
    before = _flags(cloudsql__iam_authentication="on", max_connections="400")
    moved = _flags(autovacuum="on") + before
    several = told_of(
        INSTANCE, "settings.databaseFlags", [], _flags(autovacuum="off", synchronous_commit="off")
    )

    assert told_of(INSTANCE, "settings.databaseFlags", before, moved) == HARMLESS
    assert told_of(INSTANCE, "settings.databaseFlags", before, before[:1] + _flags(work_mem="64")) == HARMLESS
    assert "dead rows" in several.what
    assert "answered already" in several.what


def test_networks_are_compared_by_their_values() -> None:
    """Another order or another name lets in and stops nobody."""
    ours, theirs = {"value": "10.0.0.0/8", "name": "ours"}, {"value": "192.0.2.0/24"}
    renamed = {**ours, "name": "office"}

    assert told_of(INSTANCE, f"{IP}.authorizedNetworks", [ours, theirs], [theirs, renamed]) == HARMLESS


def test_what_google_has_already_is_no_change() -> None:
    """A value that the program says for the first time, and that is there already, does nothing."""
    inputs = {"settings": {"tier": "db-custom-1-3840"}}
    stands = {
        "availabilityType": "ZONAL",
        "edition": "ENTERPRISE_PLUS",
        "backupConfiguration": {"transactionLogRetentionDays": 14},
    }
    step = {
        "op": "update",
        "urn": f"urn:pulumi:prod::event-store::{INSTANCE}::words",
        "oldState": {
            "custom": True,
            "inputs": inputs,
            "outputs": {"settings": {**stands, **inputs["settings"]}},
        },
        "newState": {"custom": True, "inputs": {"settings": {**stands, **inputs["settings"]}}},
        "detailedDiff": {f"settings.{each}": {"kind": "add"} for each in stands},
    }
    plan = Plan.parse(json.dumps({"config": {}, "steps": [step], "changeSummary": {"update": 1}}))

    assert of_its_changes(plan.steps[0]) == ()


@pytest.mark.parametrize(
    ("kind", "inputs", "is_told"),
    [
        (USER, {"type": "BUILT_IN", "password": "p"}, True),
        (USER, {"password": "p"}, True),
        (USER, {"type": "CLOUD_IAM_SERVICE_ACCOUNT"}, False),
        (ALLOYDB_USER, {"userType": "ALLOYDB_BUILT_IN"}, True),
        (ALLOYDB_USER, {"userType": "ALLOYDB_IAM_USER"}, False),
    ],
)
def test_a_login_by_password_is_told_as_it_is_made(
    kind: str, inputs: dict[str, object], is_told: bool
) -> None:
    """Whoever logs in by IAM is granted and taken it there; a password is good until somebody changes it."""
    told = worst_of(made(kind, dict(inputs)))

    assert told.severity == (LESS_SAFE if is_told else Severity.HARMLESS)
    assert ("whoever has its password" in told.what) == is_told
