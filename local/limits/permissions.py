"""The permissions of IAM that a custom role may hold here, by Google's names, which are case-sensitive.

Google refuses a role with a name that it does not know. The list has those in use; look a new one up at
https://cloud.google.com/iam/docs/permissions-reference before you add it.
"""

from typing import Final

_BY_KIND: Final = {
    "alloydb.clusters": ("get",),
    "alloydb.instances": ("get",),
    "alloydb.users": ("get",),
    "artifactregistry.repositories": ("get", "getIamPolicy"),
    "bigquery.tables": ("getIamPolicy",),
    "cloudkms.cryptoKeys": ("getIamPolicy",),
    "cloudsql.databases": ("get",),
    "cloudsql.instances": ("get",),
    "cloudsql.users": ("list",),
    "compute.addresses": ("get",),
    "compute.forwardingRules": ("get",),
    "compute.globalAddresses": ("get",),
    "compute.networks": ("get",),
    "compute.subnetworks": ("get",),
    "iam.serviceAccounts": ("get", "getIamPolicy"),
    "logging.logMetrics": ("get",),
    "monitoring.alertPolicies": ("get",),
    "monitoring.dashboards": ("get",),
    "monitoring.notificationChannels": ("get",),
    "pubsub.schemas": ("get",),
    "pubsub.subscriptions": ("get", "getIamPolicy"),
    "pubsub.topics": ("get", "getIamPolicy"),
    "resourcemanager.projects": ("get", "getIamPolicy"),
    "run.jobs": ("get",),
    "run.services": ("get", "getIamPolicy"),
    "run.workerpools": ("get",),
    "servicenetworking.services": ("get",),
    "serviceusage.services": ("get", "list"),
    "storage.buckets": ("getIamPolicy",),
}
PERMISSIONS: Final = frozenset(f"{kind}.{verb}" for kind, verbs in _BY_KIND.items() for verb in verbs)
