"""The permissions that each call of the provider needs, with their resources and their holders.

The table has what the calls of the real provider need. Its sources are "IAM permissions" of each method in
its API's reference, https://cloud.google.com/iam/docs/permissions-reference, and the links beside rows.
A grant needs reading and writing the policy of its resource. A type that is not in the table is rejected.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from local_gcp.resource.errors import CloudError
from local_gcp.resource.place import Place
from local_gcp.resource.properties import Properties
from local_gcp.rights import also
from local_gcp.rights.also import Ask
from local_gcp.rights.resources import GRANTED_ON

Call = Literal["create", "read", "update", "delete"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedPermissions:
    """The permissions that the calls of one resource type need.

    Attributes:
        create: On the project, in addition to `read`: the real provider reads a resource that it created.
        read: On the resource.
        update: On the resource, in addition to `read`.
        delete: On the resource.
        also: Returns the permissions on other resources for creating and updating.
        on: Returns the resource that all of them are on, if neither the project nor the resource itself; None
            if no permission is needed.
    """

    create: tuple[str, ...]
    read: tuple[str, ...]
    update: tuple[str, ...]
    delete: tuple[str, ...]
    also: Callable[[Properties, Place], Iterator[Ask]] = also.nothing
    on: Callable[[Properties, Place], str | None] | None = None


def _own(kind: str, **others: Any) -> AskedPermissions:
    """Return the four standard permissions of a kind of resource, with some replaced."""
    plain = {
        "create": (f"{kind}.create",),
        "read": (f"{kind}.get",),
        "update": (f"{kind}.update",),
        "delete": (f"{kind}.delete",),
    }
    return AskedPermissions(**{**plain, **others})


def _grant(kind: str, *beside: str) -> AskedPermissions:
    """Return the permissions of a grant, whose policy is read and written as a whole."""
    read = (f"{kind}.getIamPolicy", *beside)
    write = (f"{kind}.setIamPolicy",)
    return AskedPermissions(create=write, read=read, update=write, delete=(*read, *write))


_FEDERATION: Final = "iam.googleapis.com/workloadIdentityPool"
# To configure the provider, which lists the regions, and warns if it may not.
CONFIGURE: Final = ("compute.regions.list",)
# Types whose provider assumes that a resource is gone if it may not look: there any error means deleted.
# https://github.com/pulumi/pulumi-docker-build/blob/main/provider/internal/image.go (Read)
GONE_WITHOUT_RIGHTS: Final = frozenset({"docker-build:index:Image"})
# On the project, by the data source's name.
LOOKED_UP: Final[Mapping[str, tuple[str, ...]]] = {
    "gcp:sql/getDatabaseInstance:getDatabaseInstance": ("cloudsql.instances.get",),
    "gcp:organizations/getProject:getProject": ("resourcemanager.projects.get",),
}
CALLS: Final[Mapping[str, AskedPermissions]] = {
    "gcp:alloydb/cluster:Cluster": _own("alloydb.clusters", also=also.of_alloydb_cluster),
    "gcp:alloydb/instance:Instance": _own("alloydb.instances"),
    "gcp:alloydb/user:User": _own("alloydb.users"),
    "gcp:artifactregistry/repository:Repository": _own("artifactregistry.repositories"),
    "gcp:artifactregistry/repositoryIamMember:RepositoryIamMember": _grant("artifactregistry.repositories"),
    "gcp:bigquery/iamMember:IamMember": _grant("bigquery.tables"),
    "gcp:cloudrunv2/job:Job": _own("run.jobs", also=also.of_job),
    "gcp:cloudrunv2/service:Service": _own("run.services", also=also.of_service),
    "gcp:cloudrunv2/serviceIamMember:ServiceIamMember": _grant("run.services"),
    "gcp:cloudrunv2/workerPool:WorkerPool": _own("run.workerpools", also=also.of_service),
    "gcp:compute/address:Address": _own(
        "compute.addresses",
        create=("compute.addresses.createInternal",),
        update=(),
        delete=("compute.addresses.deleteInternal",),
        also=also.of_address,
    ),
    "gcp:compute/forwardingRule:ForwardingRule": _own(
        "compute.forwardingRules",
        create=("compute.forwardingRules.create", "compute.forwardingRules.pscCreate"),
        delete=("compute.forwardingRules.delete", "compute.forwardingRules.pscDelete"),
        also=also.of_forwarding_rule,
    ),
    "gcp:compute/globalAddress:GlobalAddress": _own(
        "compute.globalAddresses",
        create=("compute.globalAddresses.createInternal",),
        update=(),
        delete=("compute.globalAddresses.deleteInternal",),
        also=also.of_global_address,
    ),
    "gcp:compute/network:Network": _own("compute.networks"),
    "gcp:compute/subnetwork:Subnetwork": _own("compute.subnetworks", also=also.of_subnetwork),
    # The provider asks for none, and the service of the instance reads the policy.
    "gcp:compute/subnetworkIAMMember:SubnetworkIAMMember": _grant("compute.subnetworks"),
    "gcp:iam/workloadIdentityPool:WorkloadIdentityPool": _own(f"{_FEDERATION}s"),
    "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider": _own(f"{_FEDERATION}Providers"),
    "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember": _grant("cloudkms.cryptoKeys"),
    "gcp:logging/metric:Metric": _own("logging.logMetrics"),
    "gcp:monitoring/alertPolicy:AlertPolicy": _own("monitoring.alertPolicies"),
    "gcp:monitoring/dashboard:Dashboard": _own("monitoring.dashboards"),
    "gcp:monitoring/notificationChannel:NotificationChannel": _own("monitoring.notificationChannels"),
    "gcp:projects/iAMCustomRole:IAMCustomRole": _own("iam.roles"),
    "gcp:projects/iAMMember:IAMMember": _grant("resourcemanager.projects", "resourcemanager.projects.get"),
    # An API is enabled, read by a list, and stays enabled: the stacks set `disable_on_destroy` to false.
    "gcp:projects/service:Service": AskedPermissions(
        create=("serviceusage.services.enable",),
        read=("serviceusage.services.get", "serviceusage.services.list"),
        update=("serviceusage.services.enable",),
        delete=(),
    ),
    # It is never read or deleted: https://github.com/hashicorp/terraform-provider-google-beta/blob/main/
    # google-beta/services/resourcemanager/resource_project_service_identity.go
    "gcp:projects/serviceIdentity:ServiceIdentity": AskedPermissions(
        create=("serviceusage.services.enable",), read=(), update=(), delete=()
    ),
    "gcp:pubsub/schema:Schema": _own("pubsub.schemas", update=("pubsub.schemas.commit",)),
    "gcp:pubsub/subscription:Subscription": _own("pubsub.subscriptions", also=also.of_subscription),
    "gcp:pubsub/subscriptionIAMMember:SubscriptionIAMMember": _grant("pubsub.subscriptions"),
    "gcp:pubsub/topic:Topic": _own("pubsub.topics", also=also.of_topic),
    "gcp:pubsub/topicIAMMember:TopicIAMMember": _grant("pubsub.topics"),
    "gcp:serviceaccount/account:Account": _own("iam.serviceAccounts"),
    "gcp:serviceaccount/iAMMember:IAMMember": _grant("iam.serviceAccounts"),
    # https://cloud.google.com/vpc/docs/configure-private-services-access#permissions
    "gcp:servicenetworking/connection:Connection": AskedPermissions(
        create=("servicenetworking.services.addPeering", "compute.networks.updatePeering"),
        read=("servicenetworking.services.get", "resourcemanager.projects.get"),
        update=("servicenetworking.services.addPeering", "compute.networks.updatePeering"),
        delete=("compute.networks.removePeering",),
    ),
    "gcp:sql/database:Database": _own("cloudsql.databases"),
    "gcp:sql/databaseInstance:DatabaseInstance": _own("cloudsql.instances", also=also.of_sql_instance),
    # The provider reads a user from the list of all users.
    "gcp:sql/user:User": _own("cloudsql.users", read=("cloudsql.users.list",)),
    "gcp:storage/bucket:Bucket": _own("storage.buckets"),
    "gcp:storage/bucketIAMMember:BucketIAMMember": _grant("storage.buckets"),
    # Docker pushes and reads it; https://cloud.google.com/artifact-registry/docs/access-control#permissions
    "docker-build:index:Image": AskedPermissions(
        create=(also.PUSH,), read=(also.PULL,), update=(also.PUSH,), delete=(), on=also.images_of
    ),
}


def asked(call: Call, resource_type: str, identity: str, inputs: Properties, place: Place) -> Iterator[Ask]:
    """Yield the permissions that a call needs.

    Args:
        call: The kind of call.
        resource_type: Pulumi's name of the type.
        identity: Google's id of the resource.
        inputs: The resource's inputs, before or after the call.
        place: The project and region of the provider.

    Raises:
        CloudError: The table does not contain the type.
    """
    calls = CALLS.get(resource_type)
    if calls is None:
        raise CloudError(
            f"what calls of {resource_type} ask for is not known: add it to local_gcp/rights/asked.py, "
            "by https://cloud.google.com/iam/docs/permissions-reference"
        )
    there = place.of(inputs)
    project = f"projects/{there.project}"
    # A project may be named by its number too.
    named = identity.replace(f"projects/{there.number}/", f"{project}/", 1)
    resource = named if named.startswith("projects/") else project
    granted_on = GRANTED_ON.get(resource_type)
    if (elsewhere := granted_on or calls.on) is not None:
        if (on := elsewhere(inputs, there)) is None:
            return
        project = resource = on
    roles = (inputs["role"],) if granted_on is not None and call != "read" else ()
    permissions: tuple[tuple[str, str], ...] = {
        "create": (*_on(project, calls.create), *_on(resource, calls.read)),
        "read": _on(resource, calls.read),
        "update": _on(resource, (*calls.read, *calls.update)),
        "delete": _on(resource, calls.delete),
    }[call]
    for permission, on in permissions:
        yield Ask(permission=permission, resource=on, modified_roles=roles)
    if call in {"create", "update"}:
        yield from calls.also(inputs, there)


def _on(resource: str, permissions: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    return tuple((permission, resource) for permission in permissions)
