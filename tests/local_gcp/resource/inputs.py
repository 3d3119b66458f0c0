"""Inputs of resources that are right, and what a test makes of them."""

from copy import deepcopy
from typing import Any

from local_gcp.resource import Limits

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


def with_value(inputs: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    changed = deepcopy(inputs)
    holder: Any = changed
    *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    for part in parents:
        holder = holder[part] if isinstance(part, int) else holder.setdefault(part, {})
    holder[last] = value
    return changed


def must_refuse(
    limits: Limits, inputs: dict[str, Any], path: str, value: Any, place: str, reason: str
) -> None:
    """Assert that one wrong property is refused by its path, with what is allowed, and nothing else is."""
    _, failures = limits.check(with_value(inputs, path, value))

    assert [failure.path for failure in failures] == [place]
    assert reason in failures[0].reason
