"""What Google would refuse is refused before anything is made."""

from typing import Any

import pytest

from local_gcp.cloudrun import run_rules as run
from local_gcp.monitoring import monitoring_rules as monitoring
from local_gcp.postgres import alloydb_rules as alloydb
from local_gcp.postgres import sql_rules as sql
from local_gcp.pubsub_api import pubsub_rules as pubsub
from local_gcp.recorded import federation, iam, network, registry
from local_gcp.resource import Limits
from tests.local_gcp.resource import limits as limits_of_all
from tests.local_gcp.resource.inputs import (
    CLUSTER,
    CUSTOM_ROLE,
    EXPORT,
    GRANT,
    GRANT_ON_KEY,
    IMAGES,
    INSTANCE,
    JOB,
    MEMBER,
    METRIC,
    POLICY,
    POOL,
    POOL_OF_WORKERS,
    PROVIDER,
    PULL,
    READER,
    SERVICE,
    SUBJECT,
    TOPIC,
    must_refuse,
)


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
        (pubsub.TOPIC, TOPIC, "retention", "600s", "retention", "not a property"),
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
        (monitoring.DASHBOARD, {}, "dashboardJson", "{", "dashboardJson", "not JSON"),
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
    ],
)  # fmt: skip
def test_a_wrong_property_is_refused_with_its_path_and_range(
    limits: Limits, inputs: dict[str, Any], path: str, value: Any, place: str, reason: str
) -> None:
    """A failure names the property and what is allowed, and there is no other."""
    must_refuse(limits, inputs, path, value, place, reason)


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


def test_every_limit_is_the_one_that_was_reviewed() -> None:
    """A limit that is loosened, moved or left out is seen in the list of all, which holds each edge."""
    assert limits_of_all.render() == limits_of_all.FILE.read_text("utf-8"), (
        "if the change is meant: make inventory, and review the diff"
    )
