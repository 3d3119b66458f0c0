"""AlloyDB: clusters, which hold the data, the instances that serve it, backups, and who logs in."""

from collections.abc import Mapping
from typing import Final

from event_store_infra.preview.effects.database.postgres import (
    admitted,
    connectors,
    flags,
    login_made,
    password,
    tls,
)
from event_store_infra.preview.effects.deletion import DELETION, DELETION_POLICY
from event_store_infra.preview.effects.effect import Effects, cuts_off, less_safe, loses, stops
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

CLUSTER: Final = "gcp:alloydb/cluster:Cluster"
NODE: Final = "gcp:alloydb/instance:Instance"
USER: Final = "gcp:alloydb/user:User"
BACKUP: Final = "gcp:alloydb/backup:Backup"
_DOCS: Final = "https://docs.cloud.google.com/alloydb/docs"
# What the provider refuses, and what Google has where nothing is said.
_PROVIDER: Final = "https://registry.terraform.io/providers/hashicorp/google/latest/docs/resources"
_CLUSTERS: Final = f"{_PROVIDER}/alloydb_cluster"
_DELETION: Final = f"{_DOCS}/cluster-delete"
_BACKUPS: Final = f"{_DOCS}/backup/overview"
_KEYS: Final = f"{_DOCS}/cmek"
_CONNECT: Final = f"{_DOCS}/connection-overview"
_PUBLIC: Final = f"{_DOCS}/connect-public-ip"
_ENDPOINTS: Final = f"{_DOCS}/about-private-service-connect"
_REGIONS: Final = f"{_DOCS}/cross-region-replication/about-cross-region-replication"
_LOGINS: Final = f"{_DOCS}/database-users/about"
_TLS: Final = (
    "https://docs.cloud.google.com/dotnet/docs/reference/Google.Cloud.AlloyDb.V1/latest/"
    "Google.Cloud.AlloyDb.V1.SslConfig.Types.SslMode"
)
_RESTORE: Final = (
    "keep the cluster, and restore it into another one by `gcloud alloydb clusters restore`: "
    "see docs/howto/alloydb.md."
)
_BACKED_UP: Final = (
    "make a backup that is not deleted with the cluster, and check it by restoring it into a test cluster."
)
_KEEP: Final = "keep the number until nobody would go back so far any more."
_FEWER: Final = loses("the backups beyond the new retention", _KEEP, _BACKUPS)
# One retention or the other. What Google keeps where neither is set, no page says: it may be less than was
# set before, and more than what is set now.
_RETENTION: Final = either(falls(_FEWER, unset=0), falls(_FEWER, unset=None))
_DELETABLE: Final = less_safe(
    "it is deleted, or lost sight of, once the program no longer declares it", _CLUSTERS
)
_OTHER_KEY: Final = moves(
    less_safe("new backups have another key, and those that are there still need the former one", _KEYS)
)

TABLES: Final[Mapping[str, Effects]] = {
    CLUSTER: Effects(
        gone=loses(
            "the log: every event and snapshot, with all checkpoints", _RESTORE, _DELETION, _BACKED_UP
        ),
        properties={
            "automatedBackupPolicy.enabled": ends(
                loses(
                    "the way back: no backup is made any more, and those that are there grow old",
                    "keep the backups.",
                    _BACKUPS,
                )
            ),
            "automatedBackupPolicy.quantityBasedRetention.count": _RETENTION,
            "automatedBackupPolicy.timeBasedRetention.retentionPeriod": _RETENTION,
            "automatedBackupPolicy.weeklySchedule.daysOfWeeks": thins(
                less_safe("a backup is made on fewer days", _BACKUPS)
            ),
            "automatedBackupPolicy.backupWindow": falls(
                less_safe("a backup that takes longer is given up", _BACKUPS), unset=3_600
            ),
            "automatedBackupPolicy.encryptionConfig.kmsKeyName": _OTHER_KEY,
            **harmless("labels", "location", at="automatedBackupPolicy"),
            **harmless(
                *("hours", "minutes", "nanos", "seconds"),
                at="automatedBackupPolicy.weeklySchedule.startTimes",
            ),
            "continuousBackupConfig.enabled": ends(
                loses(
                    "the logs of the last days, and with them every point in time between two backups",
                    "keep continuous backup.",
                    _BACKUPS,
                ),
                unset=True,
            ),
            "continuousBackupConfig.recoveryWindowDays": falls(
                loses(
                    "the days beyond the new window, to which nobody can go back any more", _KEEP, _BACKUPS
                ),
                unset=14,
            ),
            "continuousBackupConfig.encryptionConfig.kmsKeyName": _OTHER_KEY,
            **DELETION,
            # One value more than others have, and two that mean the same.
            "deletionPolicy": either(
                parts_from(_DELETABLE, "PREVENT"),
                parts_from(_DELETABLE, "PREVENT", "ABANDON"),
                becomes(
                    less_safe("its deletion takes its instances with it", _CLUSTERS),
                    "FORCE",
                ),
            ),
            "clusterType": either(
                parts_from(
                    cuts_off(
                        "the cluster from its primary: it becomes a log of its own, and no update makes it "
                        "follow again",
                        "make another cluster in the other region.",
                        _REGIONS,
                    ),
                    "SECONDARY",
                ),
                becomes(
                    stops("whoever appends to it: it follows another cluster, and only reads", _REGIONS),
                    "SECONDARY",
                ),
            ),
            "subscriptionType": becomes(
                less_safe("a trial ends, and the cluster with it", f"{_DOCS}/free-trial-cluster"), "TRIAL"
            ),
            "skipAwaitMajorVersionUpgrade": begins(
                less_safe(
                    "an update does not wait for Google's upgrade, and migrations find the database away",
                    _CLUSTERS,
                ),
                unset=True,
            ),
            "networkConfig.network": moves(stops("whoever reaches it by its private address", _CONNECT)),
            **harmless("dataplexConfig.enabled"),
            # A later version is what an update is for; an earlier one is an obstacle.
            **harmless("annotations", "databaseVersion", "displayName", "etag", "labels"),
            # When Google restarts it, not whether.
            **harmless("maintenanceUpdatePolicy.maintenanceWindows.day"),
            **harmless(
                *("hours", "minutes", "nanos", "seconds"),
                at="maintenanceUpdatePolicy.maintenanceWindows.startTime",
            ),
            # What exists keeps its address.
            **harmless("networkConfig.allocatedIpRange"),
            # Another value is another cluster, which is judged as the end of this one.
            **harmless("clusterId", "location", "project", "encryptionConfig.kmsKeyName"),
            **harmless("pscEnabled", "serviceOwnedProjectNumber", at="pscConfig"),
            # What it was made from, and with.
            **harmless("password", "passwordWo", "passwordWoVersion", "user", at="initialUser"),
            **harmless("restoreBackupSource.backupName", "restoreBackupdrBackupSource.backup"),
            **harmless("dataSource", "pointInTime", at="restoreBackupdrPitrSource"),
            **harmless("cluster", "pointInTime", at="restoreContinuousBackupSource"),
            # Whom it follows, which `clusterType` says.
            **harmless("secondaryConfig.primaryClusterName"),
        },
    ),
    NODE: Effects(
        gone=cuts_off(
            "everybody from the log: nobody can append or read until another instance serves, at "
            "another address",
            "change its machine in place, or add an instance beside it.",
            f"{_DOCS}/instance-delete",
            "let another instance of the cluster serve.",
        ),
        properties={
            "activationPolicy": becomes(
                stops("everybody who connects to it: it is switched off", f"{_DOCS}/instance-restart"),
                "NEVER",
            ),
            # Of a primary; REGIONAL where nothing is said.
            "availabilityType": parts_from(
                less_safe("no standby in another zone takes over", f"{_DOCS}/high-availability"),
                *(None, "REGIONAL"),
            ),
            "readPoolConfig.nodeCount": becomes(
                less_safe("a pool of one node is in one zone", f"{_DOCS}/high-availability"), 1
            ),
            **DELETION_POLICY,
            "databaseFlags": flags("alloydb", f"{_DOCS}/reference/database-flags"),
            "clientConnectionConfig.requireConnectors": connectors(_CONNECT),
            "clientConnectionConfig.sslConfig.sslMode": tls(_TLS, unset="ENCRYPTED_ONLY"),
            "connectionPoolConfig.enabled": ends(
                stops(
                    "whoever connects to the pooler, on a port of its own",
                    f"{_DOCS}/configure-managed-connection-pooling",
                )
            ),
            "networkConfig.enablePublicIp": either(
                ends(stops("whoever reaches it by its public address", _PUBLIC)),
                begins(less_safe("it gets an address in the public internet", _PUBLIC)),
            ),
            "networkConfig.enableOutboundPublicIp": either(
                ends(stops("its own connections to the public internet", _PUBLIC)),
                begins(less_safe("what runs in it reaches the public internet", _PUBLIC)),
            ),
            "pscInstanceConfig.allowedConsumerProjects": admitted("projects", _ENDPOINTS),
            **same(
                moves(
                    stops("whoever reaches it by the endpoint that Google made in that network", _ENDPOINTS)
                ),
                *("consumerNetwork", "consumerProject"),
                at="pscInstanceConfig.pscAutoConnections",
            ),
            "pscInstanceConfig.pscInterfaceConfigs.networkAttachmentResource": moves(
                stops("its own connections to the outside, as of a foreign server", _ENDPOINTS)
            ),
            # By its value in `blocks`, since one that goes moves all behind it.
            **harmless("networkConfig.authorizedExternalNetworks.cidrRange"),
            # Google's own answers.
            **harmless(
                *("pscDnsName", "serviceAttachmentLink", "pscAutoConnections.consumerNetworkStatus"),
                *("pscAutoConnections.ipAddress", "pscAutoConnections.status"),
                at="pscInstanceConfig",
            ),
            **harmless("flags", "poolerCount", at="connectionPoolConfig"),
            # A machine of another size restarts it once, as Google's own maintenance does.
            **harmless("cpuCount", "machineType", at="machineConfig"),
            **harmless("annotations", "displayName", "gceZone", "labels"),
            # What people look at when it is slow.
            **harmless(
                *("assistiveExperiencesEnabled", "enabled", "maxQueryStringLength", "preserveComments"),
                *("queryPlansPerMinute", "recordApplicationTags", "trackActiveQueries"),
                *("trackClientAddress", "trackWaitEventTypes", "trackWaitEvents"),
                at="observabilityConfig",
            ),
            **harmless(
                *("queryPlansPerMinute", "queryStringLength", "recordApplicationTags", "recordClientAddress"),
                at="queryInsightsConfig",
            ),
            # Another value is another instance, which is judged as the end of this one.
            **harmless("cluster", "instanceId", "instanceType", "networkConfig.allocatedIpRangeOverride"),
        },
        blocks={
            "networkConfig.authorizedExternalNetworks": admitted("networks", _PUBLIC, "cidrRange"),
        },
    ),
    USER: Effects(
        # What it owns in the database stays with the database.
        gone=stops("whoever logs in with it", f"{_DOCS}/manage-iam-authn"),
        made=login_made("userType", "ALLOYDB_BUILT_IN", _LOGINS),
        properties={
            **DELETION_POLICY,
            "databaseRoles": thins(stops("whoever uses a right of the role that it no longer has", _LOGINS)),
            **same(password("it", _LOGINS), "password", "passwordWoVersion"),
            **harmless("passwordWo"),  # it is set again when its version changes
            # Another value is another login, which is judged as the end of this one.
            **harmless("cluster", "userId", "userType"),
        },
    ),
    BACKUP: Effects(
        gone=loses(
            "a backup of the log",
            "take another backup beside it.",
            f"{_DOCS}/backup/manage-backups",
            "let it expire by itself.",
        ),
        properties={
            **DELETION_POLICY,
            **harmless("annotations", "description", "displayName", "labels", "type"),
            # Another value is another backup, which is judged as the end of this one.
            **harmless("backupId", "clusterName", "encryptionConfig.kmsKeyName", "location", "project"),
        },
    ),
}
