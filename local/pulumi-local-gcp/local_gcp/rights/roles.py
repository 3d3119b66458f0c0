"""Google's roles in use, each with those of its permissions that a call here needs.

The one table of roles and permissions, by Google's names, which are case-sensitive. Source, as of 2026-08-22:
https://cloud.google.com/iam/docs/roles-permissions, a page per service. Look a new one up there.
"""

from collections.abc import Mapping
from functools import cache
from typing import Final

from local_gcp.resource.errors import CloudError

# By the role without `roles/`, and then the kind of resource: the permitted verbs.
_TABLE: Final[Mapping[str, Mapping[str, str]]] = {
    "alloydb.admin": {
        "alloydb.clusters": "create delete generateClientCertificate get update",
        "alloydb.instances": "connect create delete get update",
        "alloydb.users": "create delete get login update",
        "resourcemanager.projects": "get",
    },
    "alloydb.databaseUser": {
        "alloydb.clusters": "get",
        "alloydb.instances": "get",
        "alloydb.users": "login",
        "resourcemanager.projects": "get",
    },
    "artifactregistry.admin": {
        "artifactregistry.repositories": (
            "create delete downloadArtifacts get getIamPolicy setIamPolicy update uploadArtifacts"
        ),
        "resourcemanager.projects": "get",
    },
    "artifactregistry.reader": {
        "artifactregistry.repositories": "downloadArtifacts get",
        "resourcemanager.projects": "get",
    },
    "artifactregistry.writer": {
        "artifactregistry.repositories": "downloadArtifacts get uploadArtifacts",
        "resourcemanager.projects": "get",
    },
    "bigquery.admin": {
        "bigquery.tables": "get getIamPolicy setIamPolicy updateData",
        "resourcemanager.projects": "get",
    },
    "bigquery.dataEditor": {
        "bigquery.tables": "get getIamPolicy updateData",
        "resourcemanager.projects": "get",
    },
    "bigquery.metadataViewer": {
        "bigquery.tables": "get getIamPolicy",
        "resourcemanager.projects": "get",
    },
    "cloudkms.admin": {
        "cloudkms.cryptoKeys": "getIamPolicy setIamPolicy",
        "resourcemanager.projects": "get",
    },
    "cloudkms.cryptoKeyDecrypter": {
        "cloudkms.cryptoKeyVersions": "useToDecrypt",
        "resourcemanager.projects": "get",
    },
    "cloudkms.cryptoKeyEncrypterDecrypter": {
        "cloudkms.cryptoKeyVersions": "useToDecrypt useToEncrypt",
        "resourcemanager.projects": "get",
    },
    "cloudsql.admin": {
        "cloudsql.databases": "create delete get update",
        "cloudsql.instances": "connect create delete get login update",
        "cloudsql.users": "create delete get list update",
        "resourcemanager.projects": "get",
        "serviceusage.services": "get list",
    },
    "cloudsql.client": {
        "cloudsql.instances": "connect get",
    },
    "cloudsql.instanceUser": {
        "cloudsql.instances": "get login",
    },
    "compute.networkAdmin": {
        "compute.addresses": "create createInternal delete deleteInternal get use",
        "compute.forwardingRules": "create delete get pscCreate pscDelete update",
        "compute.globalAddresses": "create createInternal delete deleteInternal get",
        "compute.networks": "create delete get removePeering update updatePeering updatePolicy use",
        "compute.regions": "list",
        "compute.subnetworks": "create delete get getIamPolicy setIamPolicy update use",
        "resourcemanager.projects": "get",
        "servicenetworking.services": "addPeering get",
        "serviceusage.services": "get list",
    },
    "compute.networkUser": {
        "compute.addresses": "createInternal deleteInternal get",
        "compute.networks": "get use",
        "compute.regions": "list",
        "compute.subnetworks": "get use",
        "resourcemanager.projects": "get",
        "servicenetworking.services": "get",
        "serviceusage.services": "get list",
    },
    "iam.roleAdmin": {
        "iam.roles": "create delete get update",
        "resourcemanager.projects": "get getIamPolicy",
    },
    "iam.serviceAccountAdmin": {
        "iam.serviceAccounts": "create delete get getIamPolicy setIamPolicy update",
        "resourcemanager.projects": "get",
    },
    "iam.serviceAccountTokenCreator": {
        "iam.serviceAccounts": "get getAccessToken getOpenIdToken",
        "resourcemanager.projects": "get",
    },
    "iam.serviceAccountUser": {
        "iam.serviceAccounts": "actAs get",
        "resourcemanager.projects": "get",
    },
    "iam.workloadIdentityPoolAdmin": {
        "iam.googleapis.com/workloadIdentityPoolProviders": "create delete get update",
        "iam.googleapis.com/workloadIdentityPools": "create delete get update",
        "resourcemanager.projects": "get",
    },
    "iam.workloadIdentityUser": {
        "iam.serviceAccounts": "get getAccessToken getOpenIdToken",
    },
    "logging.configWriter": {
        "logging.logMetrics": "create delete get update",
        "resourcemanager.projects": "get",
    },
    "monitoring.editor": {
        "monitoring.alertPolicies": "create delete get update",
        "monitoring.dashboards": "create delete get update",
        "monitoring.notificationChannels": "create delete get update",
        "monitoring.timeSeries": "create list",
        "resourcemanager.projects": "get",
        "serviceusage.services": "enable get",
    },
    "pubsub.admin": {
        "pubsub.schemas": (
            "attach commit create delete get getIamPolicy list listRevisions rollback setIamPolicy validate"
        ),
        "pubsub.snapshots": "create delete get getIamPolicy list seek setIamPolicy update",
        "pubsub.subscriptions": "consume create delete get getIamPolicy list setIamPolicy update",
        "pubsub.topics": (
            "attachSubscription create delete detachSubscription get getIamPolicy list publish "
            "setIamPolicy update"
        ),
        "resourcemanager.projects": "get",
        "serviceusage.services": "get list",
    },
    "pubsub.editor": {
        "pubsub.schemas": "attach commit create delete get list listRevisions rollback validate",
        "pubsub.snapshots": "create delete get list seek update",
        "pubsub.subscriptions": "consume create delete get list update",
        "pubsub.topics": "attachSubscription create delete detachSubscription get list publish update",
        "resourcemanager.projects": "get",
        "serviceusage.services": "get list",
    },
    "pubsub.publisher": {
        "pubsub.topics": "publish",
    },
    "pubsub.subscriber": {
        "pubsub.snapshots": "seek",
        "pubsub.subscriptions": "consume",
        "pubsub.topics": "attachSubscription",
    },
    "pubsub.viewer": {
        "pubsub.schemas": "get list listRevisions validate",
        "pubsub.snapshots": "get list",
        "pubsub.subscriptions": "get list",
        "pubsub.topics": "get list",
        "resourcemanager.projects": "get",
        "serviceusage.services": "get list",
    },
    "resourcemanager.projectIamAdmin": {
        "resourcemanager.projects": "get getIamPolicy setIamPolicy",
    },
    "run.admin": {
        "resourcemanager.projects": "get",
        "run.jobs": "create delete get run update",
        "run.routes": "invoke",
        "run.services": "create delete get getIamPolicy setIamPolicy update",
        "run.workerpools": "create delete get update",
    },
    "run.invoker": {
        "run.jobs": "run",
        "run.routes": "invoke",
    },
    "serviceusage.serviceUsageAdmin": {
        "serviceusage.services": "enable get list use",
    },
    "serviceusage.serviceUsageConsumer": {
        "serviceusage.services": "get list use",
    },
    "storage.admin": {
        "resourcemanager.projects": "get",
        "storage.buckets": "create delete get getIamPolicy setIamPolicy update",
        "storage.objects": "create delete get list",
    },
    "storage.legacyBucketReader": {
        "storage.buckets": "get",
        "storage.objects": "list",
    },
    "storage.objectCreator": {
        "resourcemanager.projects": "get",
        "storage.objects": "create",
    },
    "storage.objectUser": {
        "resourcemanager.projects": "get",
        "storage.objects": "create delete get list",
    },
    "storage.objectViewer": {
        "resourcemanager.projects": "get",
        "storage.objects": "get list",
    },
    "run.serviceAgent": {
        "artifactregistry.repositories": "downloadArtifacts get uploadArtifacts",
        "compute.addresses": "create createInternal delete deleteInternal get",
        "compute.networks": "get",
        "compute.subnetworks": "get use",
        "iam.serviceAccounts": "actAs getAccessToken getOpenIdToken",
        "resourcemanager.projects": "get getIamPolicy",
        "run.routes": "invoke",
        "serviceusage.services": "get use",
        "storage.buckets": "get",
        "storage.objects": "create delete get list",
    },
    "pubsub.serviceAgent": {
        "iam.serviceAccounts": "get getAccessToken getOpenIdToken",
        "resourcemanager.projects": "get",
        "serviceusage.services": "use",
    },
}
ROLES: Final[Mapping[str, frozenset[str]]] = {
    f"roles/{role}": frozenset(f"{kind}.{verb}" for kind, verbs in kinds.items() for verb in verbs.split())
    for role, kinds in _TABLE.items()
}
PERMISSIONS: Final = frozenset[str]().union(*ROLES.values())
# The role that Google grants to an API's agent in each project with the API enabled, by the API's short name.
# https://cloud.google.com/iam/docs/service-agents
SERVICE_AGENTS: Final = {"pubsub": "roles/pubsub.serviceAgent", "run": "roles/run.serviceAgent"}


def permissions_of(role: str) -> frozenset[str]:
    """Return the permissions of a predefined role.

    Raises:
        CloudError: The table does not contain the role.
    """
    if role not in ROLES:
        raise CloudError(unknown_role(role))
    return ROLES[role]


def unknown_role(role: str) -> str:
    """Return the message that a role is unknown, and where to add it."""
    return (
        f"{role} is not a role that the local Google Cloud knows: if Google has it "
        "(https://cloud.google.com/iam/docs/roles-permissions), add it to local_gcp/rights/roles.py"
    )


@cache
def roles_with(permission: str) -> tuple[str, ...]:
    """Return the grantable roles with a permission, those with the fewest permissions first."""
    agents = SERVICE_AGENTS.values()
    found = [role for role, permits in ROLES.items() if permission in permits and role not in agents]
    return tuple(sorted(found, key=lambda role: (len(ROLES[role]), role)))
