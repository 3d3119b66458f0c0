"""Cloud SQL: instances, the databases in them, and who logs in."""

from collections.abc import Mapping
from typing import Any, Final

from event_store_infra.preview.effects.database.postgres import login_made, password
from event_store_infra.preview.effects.database.sql_settings import BLOCKS, SETTINGS
from event_store_infra.preview.effects.deletion import DELETION, DELETION_POLICY
from event_store_infra.preview.effects.effect import (
    HARMLESS,
    Effect,
    Effects,
    cuts_off,
    less_safe,
    loses,
    stops,
)
from event_store_infra.preview.effects.rules import (
    arrives,
    becomes,
    begins,
    either,
    ends,
    falls,
    harmless,
    parts_from,
    rises,
    same,
    thins,
)
from event_store_infra.preview.plan.plan import UNKNOWN as LATER
from event_store_infra.preview.plan.plan import Step

INSTANCE: Final = "gcp:sql/databaseInstance:DatabaseInstance"
DATABASE: Final = "gcp:sql/database:Database"
USER: Final = "gcp:sql/user:User"
RESTORE: Final = "make another instance beside this one, restored from it: see docs/howto/restore.md."
# A final backup, a retained one or an export: https://docs.cloud.google.com/sql/docs/postgres/delete-instance
BACKUP: Final = (
    "make a backup that is not deleted with the instance, and check it by restoring it into a test instance."
)
_DOCS: Final = "https://docs.cloud.google.com/sql/docs/postgres"
_DELETION: Final = f"{_DOCS}/delete-instance"
_REPLICAS: Final = f"{_DOCS}/replication/manage-replicas"
_USERS: Final = f"{_DOCS}/create-manage-users"
# The provider restores whenever the block is new or another one:
# https://registry.terraform.io/providers/hashicorp/google/latest/docs/resources/sql_database_instance
_OVERWRITTEN: Final = loses(
    "every event since the backup: it is restored over the live log",
    *(RESTORE, f"{_DOCS}/backup-recovery/restoring"),
)
_FOLLOWS: Final = ("READ_REPLICA_INSTANCE", "READ_POOL_INSTANCE")
_BLUE_GREEN: Final = "https://docs.cloud.google.com/sql/docs/mysql/about-blue-green-deployments"
_PASSWORDS: Final = f"{_DOCS}/built-in-authentication"
_GUESSED: Final = less_safe("its password may be guessed at more often", _PASSWORDS)


def _deployment_ends(old: Any, new: Any) -> Effect:
    """Tell what goes with a blue-green deployment: the copy, or the original if it is to go, too."""
    if new and new != LATER:
        return HARMLESS
    if isinstance(old, Mapping) and old.get("deleteOldSourceOnDestroy"):
        return loses(
            "the instance of before, which is the way back",
            "set `deleteOldSourceOnDestroy` to false in an update before.",
            _BLUE_GREEN,
        )
    return less_safe("the copy that was to take over is deleted", _BLUE_GREEN)


_PROMOTED: Final = cuts_off(
    "the replica from its primary: it becomes a log of its own, and no update makes it follow again",
    "make another instance, restored from the primary: see docs/howto/restore.md.",
    _REPLICAS,
)


def _end(step: Step) -> Effect:
    """Tell a replica that the program promotes, which the provider does in place, or by another instance."""
    followed, follows = (each.get("masterInstanceName") for each in (step.old, step.new))
    if followed and step.new and not follows:
        return _PROMOTED
    return loses("the log: every event and snapshot, with all checkpoints", RESTORE, _DELETION, BACKUP)


_INSTANCE: Final = Effects(
    gone=_end,
    properties={
        **SETTINGS,
        **DELETION,
        "instanceType": either(
            parts_from(_PROMOTED, *_FOLLOWS),
            becomes(
                stops("whoever appends at its address: it becomes a replica, which only reads", _REPLICAS),
                *_FOLLOWS,
            ),
        ),
        "replicationCluster.failoverDrReplicaName": ends(
            less_safe(
                "no replica stands by for the loss of the region", f"{_DOCS}/use-advanced-disaster-recovery"
            )
        ),
        **same(password("`postgres`", _USERS), "rootPassword", "rootPasswordWoVersion"),
        "blueGreenDeployment.activeEnvironment": becomes(
            less_safe("no update goes back to the instance of before", _BLUE_GREEN), "TARGET"
        ),
        "blueGreenDeployment.deleteOldSourceOnDestroy": begins(
            less_safe("the instance of before, which is the way back, goes with the deployment", _BLUE_GREEN)
        ),
        "backupdrBackup": arrives(_OVERWRITTEN),
        # Each of them as a whole, in `blocks`.
        **harmless("backupRunId", "instanceId", "project", at="restoreBackupContext"),
        **harmless(
            *("allocatedIpRange", "datasource", "pointInTime", "preferredZone", "region", "targetInstance"),
            at="pointInTimeRestoreContext",
        ),
        # It is set again when its version changes.
        **harmless("rootPasswordWo"),
        # A later version is what an update is for; an earlier one is an obstacle.
        **harmless("databaseVersion", "maintenanceVersion", "includeReplicasForMajorVersionUpgrade"),
        # Another value is another instance, which is judged as the end of this one.
        **harmless("encryptionConfidentialMode", "encryptionKeyName", "name", "project", "region"),
        # So is another primary, unless the two change places, which `instanceType` says.
        **harmless("masterInstanceName", "replicaNames", "nodeCount"),
        **harmless(
            *("caCertificate", "cascadableReplica", "clientCertificate", "clientKey", "connectRetryInterval"),
            *("dumpFilePath", "failoverTarget", "masterHeartbeatPeriod", "password", "sslCipher"),
            *("username", "verifyServerCertificate"),
            at="replicaConfiguration",
        ),
        # What it was made from says nothing any more once it is made.
        **harmless(
            *("allocatedIpRange", "databaseNames", "pointInTime", "preferredZone"),
            *("sourceInstanceDeletionTime", "sourceInstanceName", "sourceProject"),
            at="clone",
        ),
        **harmless(
            *("deploymentName", "targetDatabaseVersion"),
            # Google's own answers.
            *("oldSourceInstanceConnectionName", "oldSourceInstanceName", "targetInstanceConnectionName"),
            *("targetInstanceIpAddresses.ipAddress", "targetInstanceIpAddresses.timeToRetire"),
            *("targetInstanceIpAddresses.type", "targetInstanceName"),
            at="blueGreenDeployment",
        ),
        **harmless("drReplica", "psaWriteEndpoint", at="replicationCluster"),
        **harmless("enforceNewSqlNetworkArchitecture", "switchTransactionLogsToCloudStorageEnabled"),
        **harmless("finalBackupDescription"),
    },
    blocks={
        **BLOCKS,
        "restoreBackupContext": arrives(_OVERWRITTEN),
        "pointInTimeRestoreContext": arrives(_OVERWRITTEN),
        "blueGreenDeployment": _deployment_ends,
    },
)
_DATABASE: Final = Effects(
    gone=loses("the log: every event and snapshot, with all checkpoints", RESTORE, _DELETION, BACKUP),
    properties={
        **DELETION_POLICY,
        # Another value is another database, which is judged as the end of this one.
        **harmless("instance", "name", "project"),
        # PostgreSQL keeps those that a database was made with, and Google refuses others.
        **harmless("charset", "collation"),
    },
)
_USER: Final = Effects(
    # What it owns in the database stays with the database.
    gone=stops("whoever logs in with it", f"{_DOCS}/add-manage-iam-users"),
    made=login_made("type", "BUILT_IN", _PASSWORDS),
    properties={
        **DELETION_POLICY,
        "databaseRoles": thins(stops("whoever uses a right of the role that it no longer has", _USERS)),
        **same(password("it", _USERS), "password", "passwordWoVersion"),
        **harmless("passwordWo"),  # it is set again when its version changes
        "passwordPolicy.allowedFailedAttempts": rises(_GUESSED, unset=None),
        "passwordPolicy.enableFailedAttemptsCheck": ends(_GUESSED),
        "passwordPolicy.enablePasswordVerification": ends(
            less_safe("whoever has an open session of it may change its password", _PASSWORDS)
        ),
        "passwordPolicy.passwordExpirationDuration": either(
            falls(stops("whoever does not change its password in that time", _PASSWORDS), unset=None),
            rises(less_safe("its password stays good for longer", _PASSWORDS), unset=None),
        ),
        **harmless("locked", "passwordExpirationTime", at="passwordPolicy.statuses"),  # Google's answers
        # Another value is another login, which is judged as the end of this one.
        **harmless("host", "instance", "name", "project", "type"),
    },
)
TABLES: Final[Mapping[str, Effects]] = {INSTANCE: _INSTANCE, DATABASE: _DATABASE, USER: _USER}
