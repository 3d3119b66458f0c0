"""The rights to deploy and to read each managed resource type.

The custom role of the previewer is made of the permissions to read; a test sees that every type of every
stack is here, and that the deployer has the role.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Managed:
    """A resource type.

    Attributes:
        made_with: The deployer's role that makes it; empty if it is not made on the project.
        read_with: The permissions that a refresh reads it with.
    """

    made_with: str
    read_with: tuple[str, ...]


MANAGED: Final = {
    "alloydb/cluster:Cluster": Managed("roles/alloydb.admin", ("alloydb.clusters.get",)),
    "alloydb/instance:Instance": Managed("roles/alloydb.admin", ("alloydb.instances.get",)),
    "alloydb/user:User": Managed("roles/alloydb.admin", ("alloydb.users.get",)),
    "artifactregistry/repository:Repository": Managed(
        "roles/artifactregistry.admin", ("artifactregistry.repositories.get",)
    ),
    "artifactregistry/repositoryIamMember:RepositoryIamMember": Managed(
        "roles/artifactregistry.admin", ("artifactregistry.repositories.getIamPolicy",)
    ),
    "cloudrunv2/job:Job": Managed("roles/run.admin", ("run.jobs.get",)),
    "cloudrunv2/service:Service": Managed("roles/run.admin", ("run.services.get",)),
    "cloudrunv2/serviceIamMember:ServiceIamMember": Managed(
        "roles/run.admin", ("run.services.getIamPolicy",)
    ),
    "cloudrunv2/workerPool:WorkerPool": Managed("roles/run.admin", ("run.workerpools.get",)),
    "compute/address:Address": Managed("roles/compute.networkAdmin", ("compute.addresses.get",)),
    "compute/forwardingRule:ForwardingRule": Managed(
        "roles/compute.networkAdmin", ("compute.forwardingRules.get",)
    ),
    "compute/globalAddress:GlobalAddress": Managed(
        "roles/compute.networkAdmin", ("compute.globalAddresses.get",)
    ),
    "compute/network:Network": Managed("roles/compute.networkAdmin", ("compute.networks.get",)),
    "compute/subnetwork:Subnetwork": Managed("roles/compute.networkAdmin", ("compute.subnetworks.get",)),
    "logging/metric:Metric": Managed("roles/logging.configWriter", ("logging.logMetrics.get",)),
    "monitoring/alertPolicy:AlertPolicy": Managed(
        "roles/monitoring.editor", ("monitoring.alertPolicies.get",)
    ),
    "monitoring/dashboard:Dashboard": Managed("roles/monitoring.editor", ("monitoring.dashboards.get",)),
    "monitoring/notificationChannel:NotificationChannel": Managed(
        "roles/monitoring.editor", ("monitoring.notificationChannels.get",)
    ),
    "projects/iAMMember:IAMMember": Managed(
        "roles/resourcemanager.projectIamAdmin",
        ("resourcemanager.projects.get", "resourcemanager.projects.getIamPolicy"),
    ),
    "projects/service:Service": Managed(
        "roles/serviceusage.serviceUsageAdmin", ("serviceusage.services.get", "serviceusage.services.list")
    ),
    # Nothing is read of it.
    "projects/serviceIdentity:ServiceIdentity": Managed("roles/serviceusage.serviceUsageAdmin", ()),
    # A table, a bucket and a key are the team's own: whoever owns them lets the deployer grant on them.
    "bigquery/iamMember:IamMember": Managed("", ("bigquery.tables.getIamPolicy",)),
    "storage/bucketIAMMember:BucketIAMMember": Managed("", ("storage.buckets.getIamPolicy",)),
    "kms/cryptoKeyIAMMember:CryptoKeyIAMMember": Managed("", ("cloudkms.cryptoKeys.getIamPolicy",)),
    "pubsub/schema:Schema": Managed("roles/pubsub.admin", ("pubsub.schemas.get",)),
    "pubsub/subscription:Subscription": Managed("roles/pubsub.admin", ("pubsub.subscriptions.get",)),
    "pubsub/subscriptionIAMMember:SubscriptionIAMMember": Managed(
        "roles/pubsub.admin", ("pubsub.subscriptions.getIamPolicy",)
    ),
    "pubsub/topic:Topic": Managed("roles/pubsub.admin", ("pubsub.topics.get",)),
    "pubsub/topicIAMMember:TopicIAMMember": Managed("roles/pubsub.admin", ("pubsub.topics.getIamPolicy",)),
    "serviceaccount/account:Account": Managed("roles/iam.serviceAccountAdmin", ("iam.serviceAccounts.get",)),
    "serviceaccount/iAMMember:IAMMember": Managed(
        "roles/iam.serviceAccountAdmin", ("iam.serviceAccounts.getIamPolicy",)
    ),
    "servicenetworking/connection:Connection": Managed(
        "roles/compute.networkAdmin", ("servicenetworking.services.get",)
    ),
    "sql/database:Database": Managed("roles/cloudsql.admin", ("cloudsql.databases.get",)),
    "sql/databaseInstance:DatabaseInstance": Managed("roles/cloudsql.admin", ("cloudsql.instances.get",)),
    "sql/user:User": Managed("roles/cloudsql.admin", ("cloudsql.users.list",)),
}


# What is read beside the resources of the package gcp.
READ_TOO: Final = (
    # The provider lists the regions when it is configured, and warns where it may not.
    "compute.regions.list",
    # Docker reads the image; the package docker-build takes any error for an image that is gone.
    "artifactregistry.repositories.downloadArtifacts",
    # How much a topic or a subscription holds that a preview would lose: counts and ages, no message.
    "monitoring.timeSeries.list",
)


def reading_permissions() -> tuple[str, ...]:
    """Return the permissions of the previewer's custom role."""
    reading = {each for managed in MANAGED.values() for each in managed.read_with}
    return tuple(sorted({*reading, *READ_TOO}))
