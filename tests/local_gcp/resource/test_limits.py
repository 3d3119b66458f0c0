"""What Google would refuse is refused before anything is made."""

from copy import deepcopy
from typing import Any

import pytest

from local_gcp.cloudrun import run_rules as run
from local_gcp.monitoring import monitoring_rules as monitoring
from local_gcp.postgres import alloydb_rules as alloydb
from local_gcp.postgres import sql_rules as sql
from local_gcp.pubsub_api import pubsub_rules as pubsub
from local_gcp.recorded import federation, iam, network, registry
from local_gcp.resource import Limits
from local_gcp.resource.properties import UNKNOWN
from tests.local_gcp.resource import limits as limits_of_all

TOPIC = {"name": "words"}
READER = "roles/pubsub.viewer"
GRANT = {"project": "p", "role": READER}
GRANT_ON_KEY = {"cryptoKeyId": "europe/r/k", "role": READER, "member": "user:a@b.c"}
POOL = {"workloadIdentityPoolId": "github"}
SUBJECT = {"google.subject": "assertion.sub"}
PROVIDER = {
    **POOL,
    "workloadIdentityPoolProviderId": "repository",
    "attributeMapping": SUBJECT,
    "attributeCondition": "assertion.repository == 'a/b'",
    "oidc": {"issuerUri": "https://token.actions.githubusercontent.com"},
}
IMAGES = {"repositoryId": "images", "format": "DOCKER"}
CUSTOM_ROLE = {"roleId": "looks", "title": "Looks", "permissions": ["run.jobs.get"]}
PULL = {"name": "projection", "topic": "projects/p-1/topics/words"}
EXPORT = PULL | {"ackDeadlineSeconds": 300, "cloudStorageConfig": {"bucket": "archive"}}
MEMBER = {"role": READER, "member": "user:a@b.c"}
INSTANCE = {
    "name": "store-1",
    "databaseVersion": "POSTGRES_18",
    "region": "europe-west1",
    "settings": {"tier": "db-custom-1-3840", "edition": "ENTERPRISE"},
}
CLUSTER = {"clusterId": "store-1", "location": "europe-west1"}
PRIMARY = {
    "cluster": "projects/p-1/locations/europe-west1/clusters/store-1",
    "instanceId": "primary",
    "instanceType": "PRIMARY",
}
LOGIN = {"cluster": PRIMARY["cluster"], "userId": "a@p.iam", "userType": "ALLOYDB_IAM_USER"}
QUIET = {"startDate": "2026-11-20", "endDate": "2027-2-17", "time": "00:00:00"}
LATEST = {"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", "percent": 100}
SERVICE = {
    "name": "store",
    "location": "europe-west1",
    "template": {"containers": [{"image": "i", "startupProbe": {"grpc": {"port": 8080}}}]},
    "traffics": [LATEST],
}
POOL_OF_WORKERS = {
    "name": "relay",
    "location": "europe-west1",
    "template": {"containers": [{"image": "i"}]},
}
JOB = {
    "name": "migrate",
    "location": "europe-west1",
    "template": {"template": {"containers": [{"image": "i"}]}},
}

FILTER = 'resource.type = "pubsub_topic" AND metric.type = "pubsub.googleapis.com/topic/send_request_count"'
CONDITION = {
    "displayName": "Publishing fails",
    "conditionThreshold": {"filter": FILTER, "comparison": "COMPARISON_GT", "duration": "300s"},
}
POLICY = {"displayName": "Publishing fails", "combiner": "OR", "conditions": [CONDITION]}
METRIC = {
    "name": "store/lag",
    "filter": "jsonPayload.lag >= 0",
    "metricDescriptor": {"metricKind": "DELTA", "valueType": "INT64"},
}


def _with(inputs: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    changed = deepcopy(inputs)
    holder: Any = changed
    *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    for part in parents:
        holder = holder[part] if isinstance(part, int) else holder.setdefault(part, {})
    holder[last] = value
    return changed


@pytest.mark.parametrize(
    ("limits", "inputs", "path", "value", "place", "reason"),
    [
        (federation.POOL, POOL, "workloadIdentityPoolId", "gcp-x", "workloadIdentityPoolId", "gcp-"),
        (federation.POOL, POOL, "displayName", "x" * 33, "displayName", "32"),
        (federation.PROVIDER, PROVIDER, "attributeCondition", "true", "attributeCondition", "claims"),
        (federation.PROVIDER, PROVIDER, "attributeMapping", {}, "attributeMapping", "google.subject"),
        (federation.PROVIDER, PROVIDER, "attributeCondition", "assertion.a =", "attributeCondition", "col"),
        (federation.PROVIDER, PROVIDER, "attributeCondition", "assertion.a == b", "attributeCondition", "b"),
        (
            *(federation.PROVIDER, PROVIDER, "attributeMapping", SUBJECT | {"a": "''"}),
            *("attributeMapping.a", "must be google.subject"),
        ),
        (
            *(federation.PROVIDER, PROVIDER, "attributeMapping", {"google.subject": "attribute.a"}),
            *("attributeMapping.google.subject", "names attribute, but has assertion only"),
        ),
        (
            *(federation.PROVIDER, PROVIDER, "attributeMapping", {"google.subject": f"'{'s' * 2048}'"}),
            *("attributeMapping.google.subject", "2048"),
        ),
        (
            *(federation.PROVIDER, PROVIDER, "attributeMapping"),
            SUBJECT | {f"attribute.a{number}": "'a'" for number in range(51)},
            *("attributeMapping", "at most 50"),
        ),
        (federation.PROVIDER, PROVIDER, "oidc.issuerUri", "http://a", "oidc.issuerUri", "https"),
        (federation.PROVIDER, PROVIDER, "saml", {"idpMetadataXml": "x"}, "saml", "conflicts with oidc"),
        (
            *(iam.CUSTOM_ROLE, CUSTOM_ROLE, "permissions", ["run.jobs.get", "run.workerPools.get"]),
            *("permissions[1]", "run.workerPools.get is not valid"),
        ),
        (iam.CUSTOM_ROLE, CUSTOM_ROLE, "roleId", "a-role", "roleId", "underscores"),
        (iam.CUSTOM_ROLE, CUSTOM_ROLE, "stage", "NEW", "stage", "one of ALPHA"),
        (iam.CUSTOM_ROLE, CUSTOM_ROLE, "title", "x" * 101, "title", "100"),
        (iam.KEY_IAM_MEMBER, GRANT_ON_KEY, "role", "owner", "role", "a role"),
        (iam.BUCKET_IAM_MEMBER, {"role": READER}, "bucket", "b", "member", "required"),
        (pubsub.TOPIC, TOPIC, "name", "goog-words", "name", "not with goog"),
        (pubsub.TOPIC, TOPIC, "messageRetentionDuration", "9s", "messageRetentionDuration", "600s"),
        (pubsub.TOPIC, TOPIC, "retention", "600s", "retention", "no property"),
        (pubsub.TOPIC, {}, "labels", {}, "name", "required"),
        (pubsub.SUBSCRIPTION, PULL, "ackDeadlineSeconds", 5, "ackDeadlineSeconds", "10 to 600"),
        (pubsub.SUBSCRIPTION, PULL, "ackDeadlineSecond", 5, "ackDeadlineSecond", "ackDeadlineSeconds?"),
        (pubsub.SUBSCRIPTION, PULL, "filter", "x" * 257, "filter", "256"),
        (pubsub.SUBSCRIPTION, PULL, "expirationPolicy.ttl", "60s", "expirationPolicy.ttl", "86400s"),
        (
            *(pubsub.SUBSCRIPTION, PULL, "deadLetterPolicy.maxDeliveryAttempts", 4),
            *("deadLetterPolicy.maxDeliveryAttempts", "5 to 100"),
        ),
        (
            *(pubsub.SUBSCRIPTION, PULL, "retryPolicy", {"minimumBackoff": "9s", "maximumBackoff": "2s"}),
            *("retryPolicy.minimumBackoff", "not be longer"),
        ),
        (
            *(pubsub.SUBSCRIPTION, PULL | {"bigqueryConfig": {"table": "p.d.t"}}),
            *("pushConfig.pushEndpoint", "https://a", "bigqueryConfig", "conflicts with pushConfig"),
        ),
        (pubsub.TOPIC, TOPIC, "kmsKeyName", "key", "kmsKeyName", "projects/P/locations/L"),
        (
            *(pubsub.TOPIC, TOPIC, "messageStoragePolicy", {"enforceInTransit": True}),
            *("messageStoragePolicy.allowedPersistenceRegions", "required"),
        ),
        (
            *(pubsub.TOPIC, TOPIC, "messageStoragePolicy.allowedPersistenceRegions", []),
            *("messageStoragePolicy.allowedPersistenceRegions", "at least one"),
        ),
        (
            *(pubsub.TOPIC, TOPIC, "schemaSettings", {"schema": "event"}),
            *("schemaSettings.schema", "projects/P/schemas/S"),
        ),
        (
            *(pubsub.TOPIC, TOPIC, "schemaSettings", {"schema": "projects/p/schemas/s", "encoding": "XML"}),
            *("schemaSettings.encoding", "JSON"),
        ),
        (pubsub.TOPIC, TOPIC, "labels", {"Team": "a"}, "labels", "small letters"),
        (pubsub.TOPIC, TOPIC, "labels", {"team": "A"}, "labels", "small letters"),
        (pubsub.TOPIC, TOPIC, "labels", {f"l{n}": "a" for n in range(65)}, "labels", "at most 64"),
        (pubsub.SCHEMA, {"name": "event"}, "type", "XML", "type", "AVRO"),
        (pubsub.SCHEMA, {"name": "event"}, "definition", "x" * 300_001, "definition", "300,000"),
        (
            *(pubsub.SUBSCRIPTION, PULL | {"pushConfig": {"pushEndpoint": "https://a"}}),
            *("enableExactlyOnceDelivery", True, "enableExactlyOnceDelivery", "not with pushConfig"),
        ),
        (
            *(pubsub.SUBSCRIPTION, EXPORT),
            *("enableExactlyOnceDelivery", True, "enableExactlyOnceDelivery", "not with cloudStorageConfig"),
        ),
        (
            *(pubsub.SUBSCRIPTION, PULL, "pushConfig", {"pushEndpoint": "ftp://a"}),
            *("pushConfig.pushEndpoint", "http or https"),
        ),
        (
            *(pubsub.SUBSCRIPTION, PULL | {"pushConfig": {"pushEndpoint": "https://a"}}),
            *("pushConfig.oidcToken", {"serviceAccountEmail": "push"}),
            *("pushConfig.oidcToken.serviceAccountEmail", "email"),
        ),
        (
            *(pubsub.SUBSCRIPTION, PULL, "bigqueryConfig", {"table": "rows"}),
            *("bigqueryConfig.table", "project.dataset.table"),
        ),
        (
            *(pubsub.SUBSCRIPTION, PULL, "bigqueryConfig"),
            {"table": "p.d.t", "useTopicSchema": True, "useTableSchema": True},
            *("bigqueryConfig.useTableSchema", "conflicts with useTopicSchema"),
        ),
        (
            *(pubsub.SUBSCRIPTION, PULL, "bigqueryConfig", {"table": "p.d.t", "dropUnknownFields": True}),
            *("bigqueryConfig.dropUnknownFields", "needs useTopicSchema or useTableSchema"),
        ),
        (
            *(pubsub.SUBSCRIPTION, PULL, "cloudStorageConfig", {"bucket": "gs://abc"}),
            *("cloudStorageConfig.bucket", "a bucket's name"),
        ),
        (
            *(pubsub.SUBSCRIPTION, EXPORT, "cloudStorageConfig.filenameSuffix", "a/"),
            *("cloudStorageConfig.filenameSuffix", "not end in /"),
        ),
        (
            *(pubsub.SUBSCRIPTION, EXPORT, "cloudStorageConfig.maxDuration", "59s"),
            *("cloudStorageConfig.maxDuration", "60s to 600s"),
        ),
        (
            *(pubsub.SUBSCRIPTION, EXPORT, "cloudStorageConfig.maxDuration", "301s"),
            *("cloudStorageConfig.maxDuration", "not be longer than ackDeadlineSeconds (300s)"),
        ),
        (
            *(pubsub.SUBSCRIPTION, EXPORT, "cloudStorageConfig.maxBytes", 999),
            *("cloudStorageConfig.maxBytes", "1000 to 10737418240"),
        ),
        (
            *(pubsub.SUBSCRIPTION, EXPORT, "cloudStorageConfig.maxMessages", 999),
            *("cloudStorageConfig.maxMessages", "1000 to"),
        ),
        (
            *(pubsub.SUBSCRIPTION_IAM_MEMBER, {"subscription": "s", "role": READER}, "member", "me"),
            *("member", "kind:name"),
        ),
        (iam.KEY_IAM_MEMBER, MEMBER, "cryptoKeyId", "key", "cryptoKeyId", "a key"),
        (iam.BUCKET_IAM_MEMBER, MEMBER, "role", "writer", "bucket", "required"),
        (iam.TABLE_IAM_MEMBER, MEMBER | {"tableId": "t"}, "role", READER, "datasetId", "required"),
        (iam.ACCOUNT, {}, "accountId", "ab", "accountId", "6 to 30"),
        (iam.PROJECT_IAM_MEMBER, GRANT, "member", "somebody", "member", "kind:name"),
        (network.NETWORK, {"name": "net"}, "mtu", 9000, "mtu", "1300 to 8896"),
        (
            *(sql.INSTANCE, INSTANCE, "instanceType", "READ_REPLICA_INSTANCE"),
            *("masterInstanceName", "is required for a READ_REPLICA_INSTANCE"),
        ),
        (
            *(sql.INSTANCE, _with(INSTANCE, "settings.backupConfiguration", {"enabled": True})),
            *("masterInstanceName", "store"),
            *("settings.backupConfiguration.enabled", "must be left out of a read replica"),
        ),
        (network.ADDRESS, {"name": "a"}, "addressType", "PRIVATE", "addressType", "INTERNAL"),
        (network.ADDRESS, {"name": "a"}, "purpose", "PSC", "purpose", "GCE_ENDPOINT"),
        (network.ADDRESS, {"name": "a", "subnetwork": "s"}, "network", "n", "subnetwork", "network"),
        (
            *(network.FORWARDING_RULE, {"name": "r"}, "loadBalancingScheme", "NONE"),
            *("loadBalancingScheme", "INTERNAL_MANAGED"),
        ),
        (
            *(network.FORWARDING_RULE, {"name": "r"}, "target", "projects/p/regions/r/serviceAttachments/s"),
            *("loadBalancingScheme", "must be empty for a service attachment"),
        ),
        (
            *(network.SUBNETWORK, {"name": "net", "network": "n"}, "ipCidrRange", "10.0.0.1/24"),
            *("ipCidrRange", "IPv4 range"),
        ),
        (
            *(monitoring.ALERT_POLICY, POLICY, "conditions.0.conditionThreshold.comparison", "COMPARISON_GE"),
            *("conditions[0].conditionThreshold.comparison", "COMPARISON_GT"),
        ),
        (
            *(monitoring.ALERT_POLICY, POLICY, "conditions.0.conditionThreshold.filter", "severity = ERROR"),
            *("conditions[0].conditionThreshold.filter", "names resource.type"),
        ),
        (
            *(monitoring.ALERT_POLICY, POLICY, "conditions.0.conditionThreshold.duration", "90s"),
            *("conditions[0].conditionThreshold.duration", "multiple of 60s"),
        ),
        (
            *(monitoring.ALERT_POLICY, POLICY, "alertStrategy.notificationRateLimit", {"period": "300s"}),
            *("alertStrategy.notificationRateLimit", "for conditions on logs"),
        ),
        (monitoring.DASHBOARD, {}, "dashboardJson", "{", "dashboardJson", "no JSON"),
        (monitoring.DASHBOARD, {}, "dashboardJson", '{"displayName": []}', "dashboardJson", "empty"),
        (monitoring.METRIC, METRIC, "name", "a b", "name", "letters"),
        (monitoring.NOTIFICATION_CHANNEL, {}, "displayName", "a", "type", "required"),
        (registry.REPOSITORY, {"repositoryId": "images"}, "format", "ZIP", "format", "DOCKER"),
        (
            *(registry.REPOSITORY, IMAGES, "cleanupPolicies"),
            [{"id": "a", "action": "KEEP", "condition": {}, "mostRecentVersions": {"keepCount": 2}}],
            *("cleanupPolicies[0]", "not both"),
        ),
        (
            *(registry.REPOSITORY, IMAGES, "cleanupPolicies"),
            [{"id": "a", "action": "DELETE", "mostRecentVersions": {"keepCount": 2}}],
            *("cleanupPolicies[0]", "must have a condition"),
        ),
        (
            *(registry.REPOSITORY, IMAGES, "cleanupPolicies"),
            [{"id": str(number), "action": "DELETE", "condition": {}} for number in range(11)],
            *("cleanupPolicies", "at most 10"),
        ),
        (sql.INSTANCE, INSTANCE, "settings.tier", "db-perf-optimized-N-2", "settings.tier", "Invalid Tier"),
        (sql.INSTANCE, INSTANCE, "settings.tier", "db-custom-3-11520", "settings.tier", "does not exist"),
        (sql.INSTANCE, INSTANCE, "settings.tier", "db-custom-2-3600", "settings.tier", "does not exist"),
        (sql.INSTANCE, INSTANCE, "settings.tier", "db-n1-standard-3", "settings.tier", "does not exist"),
        (
            *(sql.INSTANCE, _with(INSTANCE, "settings.edition", "ENTERPRISE_PLUS"), "settings.tier"),
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
        (
            *(run.SERVICE, SERVICE, "template.containers.0.startupProbe.failureThreshold", 300),
            *("template.containers[0].startupProbe", "at most 240"),
        ),
        (
            *(run.SERVICE, SERVICE, "template.containers.0.envs", [{"name": "PORT", "value": "1"}]),
            *("template.containers[0].envs", "PORT"),
        ),
        (
            *(run.SERVICE, SERVICE, "template.containers.0.resources.limits", {"cpu": "4", "memory": "1Gi"}),
            *("template.containers[0].resources.limits", "2Gi"),
        ),
        (run.SERVICE, SERVICE, "traffics", [LATEST | {"percent": 90}], "traffics", "100"),
        (run.SERVICE, SERVICE, "traffics.0.type", "LATEST", "traffics[0].type", "one of TRAFFIC"),
        (run.SERVICE, SERVICE, "traffics.0.percent", 101, "traffics[0].percent", "0 to 100"),
        (run.SERVICE, SERVICE, "traffics.0.tag", "Canary", "traffics[0].tag", "lower-case letters"),
        (
            *(run.SERVICE, SERVICE, "traffics", [LATEST | {"type": run.REVISION}]),
            *("traffics[0].revision", f"belongs to {run.REVISION}"),
        ),
        (
            *(run.SERVICE, SERVICE, "traffics", [LATEST | {"tag": "a", "percent": 50}] * 2),
            *("traffics", "has the tag a twice"),
        ),
        (
            *(run.WORKER_POOL, POOL_OF_WORKERS, "scaling", {"manualInstanceCount": -1}),
            *("scaling.manualInstanceCount", "0 to 1000"),
        ),
        (
            *(run.WORKER_POOL, POOL_OF_WORKERS, "scaling", {"scalingMode": "NONE"}),
            *("scaling.scalingMode", "one of AUTOMATIC"),
        ),
        (
            *(run.WORKER_POOL, POOL_OF_WORKERS, "instanceSplits", [{"percent": 90}]),
            *("instanceSplits", "100"),
        ),
        (
            *(run.WORKER_POOL, POOL_OF_WORKERS, "template.containers.0.envs", [{"name": "K_SERVICE"}]),
            *("template.containers[0].envs", "K_SERVICE"),
        ),
        (
            *(run.WORKER_POOL, POOL_OF_WORKERS, "template.timeout", "60s"),
            *("template.timeout", "no property"),
        ),
        (run.JOB, JOB, "template.template.maxRetries", 11, "template.template.maxRetries", "0 to 10"),
        (run.JOB, JOB, "runExecutionToken", "x" * 60, "runExecutionToken", "62 characters"),
    ],
)  # fmt: skip
def test_a_wrong_property_is_refused_with_its_path_and_range(
    limits: Limits, inputs: dict[str, Any], path: str, value: Any, place: str, reason: str
) -> None:
    """A failure names the property and what is allowed, and there is no other."""
    _, failures = limits.check(_with(inputs, path, value))

    assert [failure.path for failure in failures] == [place]
    assert reason in failures[0].reason


@pytest.mark.parametrize(
    ("limits", "inputs"),
    [
        (pubsub.SUBSCRIPTION, PULL),
        (sql.INSTANCE, INSTANCE),
        (alloydb.CLUSTER, CLUSTER),
        (run.SERVICE, SERVICE),
        (run.WORKER_POOL, POOL_OF_WORKERS),
        (run.JOB, JOB),
    ],
)
def test_defaults_are_filled_in_once(limits: Limits, inputs: dict[str, Any]) -> None:
    """Checked inputs are right, hold the provider's defaults, and stay as they are when checked again."""
    checked, failures = limits.check(inputs)

    assert not failures
    assert checked != inputs
    assert limits.check(checked) == (checked, [])


@pytest.mark.parametrize(
    ("limits", "fixed", "free"),
    [
        (
            pubsub.SUBSCRIPTION,
            {"name", "project", "tags", "topic", "filter", "enableMessageOrdering"},
            {"enableExactlyOnceDelivery", "pushConfig.pushEndpoint", "bigqueryConfig.table", "labels.team"},
        ),
        (
            pubsub.TOPIC,
            {"name", "project", "tags"},
            {"kmsKeyName", "messageStoragePolicy.allowedPersistenceRegions[]", "schemaSettings.schema"},
        ),
        (pubsub.SCHEMA, {"name", "project"}, {"definition"}),
        (
            network.ADDRESS,
            {"name", "project", "region", "address", "addressType", "subnetwork"},
            {"labels.a"},
        ),
        (network.FORWARDING_RULE, {"name", "region", "network", "ipAddress"}, {"target", "labels.a"}),
        (iam.BUCKET_IAM_MEMBER, {"bucket", "role", "member", "condition.title"}, set()),
        (iam.KEY_IAM_MEMBER, {"cryptoKeyId", "role", "member", "condition.title"}, set()),
        (iam.TABLE_IAM_MEMBER, {"datasetId", "tableId", "project", "role", "member"}, set()),
    ],
)
def test_what_google_cannot_change_needs_a_new_resource(
    limits: Limits, fixed: set[str], free: set[str]
) -> None:
    """A change of one field replaces the resource, a change of another does not, as in the real provider."""
    assert {path for path in fixed | free if limits.replaces(path, "a", "b")} == fixed


def test_unknown_values_are_left_for_the_update() -> None:
    """In a preview nothing is refused for what it cannot know."""
    unknown = _with(SERVICE, "template.containers.0.image", UNKNOWN) | {"name": UNKNOWN}

    assert run.SERVICE.check(unknown)[1] == []
    assert run.SERVICE.check(SERVICE | {"template": UNKNOWN})[1] == []


@pytest.mark.parametrize("end", ["2026-11-20", "2027-2-17", "2026-12-24"])
def test_a_quiet_period_may_pass_the_end_of_the_year(end: str) -> None:
    """1 to 90 days, both ends counted, are taken."""
    assert (
        sql.INSTANCE.check(_with(INSTANCE, "settings.denyMaintenancePeriod", QUIET | {"endDate": end}))[1]
        == []
    )


def test_every_limit_is_the_one_that_was_reviewed() -> None:
    """A limit that is loosened, moved or left out is seen in the list of all, which holds each edge."""
    assert limits_of_all.render() == limits_of_all.FILE.read_text("utf-8"), (
        "if the change is meant: make inventory, and review the diff"
    )
