"""The limits of AlloyDB for PostgreSQL: https://cloud.google.com/alloydb/docs/reference/rest."""

from collections.abc import Iterator
from typing import Final

from local_gcp.resource.field import GIVEN, IMMUTABLE, Choice, Field, Text, Whole
from local_gcp.resource.properties import Properties, is_known
from local_gcp.resource.table import Limits

_NAME: Final = Text(
    r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?",
    "1 to 63 lower-case letters, digits and hyphens, beginning with a letter, not ending with a hyphen",
    required=True,
    immutable=True,
)
_CLUSTER: Final = Text(
    r"projects/[^/]+/locations/[^/]+/clusters/[^/]+",
    "a cluster, as in projects/p/locations/l/clusters/c",
    required=True,
    immutable=True,
)
_DAYS: Final = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")
_WINDOWS: Final = "maintenanceUpdatePolicy.maintenanceWindows[]"
_BACKUPS: Final = "automatedBackupPolicy"
_POLICIES: Final = ("DELETE", "ABANDON", "PREVENT")
_SOURCES: Final = (
    *("restoreBackupSource", "restoreContinuousBackupSource"),
    *("restoreBackupdrBackupSource", "restoreBackupdrPitrSource"),
)


def _retention_is_one(inputs: Properties) -> Iterator[tuple[str, str]]:
    policy = inputs.get(_BACKUPS, {})
    if is_known(policy) and {"quantityBasedRetention", "timeBasedRetention"} <= policy.keys():
        yield f"{_BACKUPS}.timeBasedRetention", "conflicts with quantityBasedRetention"


CLUSTER: Final = Limits(
    "gcp:alloydb/cluster:Cluster",
    {
        "clusterId": _NAME,
        "location": GIVEN,
        "project": IMMUTABLE,
        "clusterType": Choice("PRIMARY", "SECONDARY", default="PRIMARY"),
        "subscriptionType": Choice("TRIAL", "STANDARD"),
        "databaseVersion": Text(r"POSTGRES_1[4-7]", "POSTGRES_14 to POSTGRES_17"),
        "skipAwaitMajorVersionUpgrade": Field(default=True),
        **dict.fromkeys(_SOURCES, IMMUTABLE),
        "encryptionConfig.kmsKeyName": Text(
            r"projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+",
            "a key, as in projects/p/locations/l/keyRings/r/cryptoKeys/k",
            immutable=True,
        ),
        f"{_BACKUPS}.weeklySchedule.daysOfWeeks": Field(required=True),
        f"{_BACKUPS}.weeklySchedule.startTimes[].hours": Whole(0, 23),
        f"{_BACKUPS}.weeklySchedule.startTimes[].minutes": Whole(0, 0),
        f"{_BACKUPS}.quantityBasedRetention.count": Whole(1, 1_000),
        "continuousBackupConfig.enabled": Field(default=True),
        "continuousBackupConfig.recoveryWindowDays": Whole(1, 35),
        f"{_WINDOWS}.day": Choice(*_DAYS),
        f"{_WINDOWS}.startTime.hours": Whole(0, 23),
        f"{_WINDOWS}.startTime.minutes": Whole(0, 0),
        "deletionProtection": Field(default=True),
        "deletionPolicy": Choice("DEFAULT", "FORCE", *_POLICIES),
    },
    exclusive=(_SOURCES,),
    rules=(_retention_is_one,),
    name="clusterId",
)


def _pool_has_nodes(inputs: Properties) -> Iterator[tuple[str, str]]:
    kind = inputs.get("instanceType")
    if kind == "READ_POOL" and "readPoolConfig" not in inputs:
        yield "readPoolConfig", "is required for a READ_POOL"
    if kind == "READ_POOL" and "availabilityType" in inputs:
        yield "availabilityType", "follows from the number of nodes of a READ_POOL: leave it out"
    if kind != "READ_POOL" and "readPoolConfig" in inputs:
        yield "readPoolConfig", "is for a READ_POOL only"


INSTANCE: Final = Limits(
    "gcp:alloydb/instance:Instance",
    {
        "cluster": _CLUSTER,
        "instanceId": _NAME,
        "instanceType": Choice("PRIMARY", "READ_POOL", "SECONDARY", required=True, immutable=True),
        "availabilityType": Choice("AVAILABILITY_TYPE_UNSPECIFIED", "ZONAL", "REGIONAL"),
        "activationPolicy": Choice("ACTIVATION_POLICY_UNSPECIFIED", "ALWAYS", "NEVER"),
        "machineConfig.cpuCount": Text("1|2|4|8|16|32|64|96|128", "1, 2, 4, 8, 16, 32, 64, 96 or 128"),
        "readPoolConfig.nodeCount": Whole(1, 20),
        "networkConfig.allocatedIpRangeOverride": IMMUTABLE,
        "queryInsightsConfig.queryStringLength": Whole(256, 4_500),
        "queryInsightsConfig.queryPlansPerMinute": Whole(0, 20),
        "clientConnectionConfig.sslConfig.sslMode": Choice(
            "ENCRYPTED_ONLY", "ALLOW_UNENCRYPTED_AND_ENCRYPTED"
        ),
        "deletionPolicy": Choice(*_POLICIES),
    },
    rules=(_pool_has_nodes,),
    name="instanceId",
)


def _identity_has_no_password(inputs: Properties) -> Iterator[tuple[str, str]]:
    name, kind = inputs.get("userId", ""), str(inputs.get("userType"))
    if not kind.startswith("ALLOYDB_IAM_"):
        return
    if is_known(name) and name.endswith(".gserviceaccount.com"):
        yield "userId", "must be the service account's email without .gserviceaccount.com"
    if inputs.keys() & {"password", "passwordWo"}:
        yield "password", f"must be left out: a user of type {kind} logs in with its Google identity"


USER: Final = Limits(
    "gcp:alloydb/user:User",
    {
        "cluster": _CLUSTER,
        "userId": Text(r"[^\x00]{1,63}", "1 to 63 characters", required=True, immutable=True),
        "userType": Choice(
            *("ALLOYDB_BUILT_IN", "ALLOYDB_IAM_USER", "ALLOYDB_IAM_GROUP"), required=True, immutable=True
        ),
        "deletionPolicy": Choice(*_POLICIES),
    },
    rules=(_identity_has_no_password,),
    name="userId",
)
