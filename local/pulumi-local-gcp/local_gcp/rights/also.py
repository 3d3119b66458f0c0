"""The permissions on other resources that a call needs, of the caller and of Google's service agents."""

from collections.abc import Iterator
from dataclasses import dataclass

from local_gcp.resource.place import Place
from local_gcp.resource.properties import Properties
from local_gcp.rights.resources import account, bucket, in_project, repository, table

PULL = "artifactregistry.repositories.downloadArtifacts"
PUSH = "artifactregistry.repositories.uploadArtifacts"
_ACT = "iam.serviceAccounts.actAs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A permission that a call needs.

    Attributes:
        permission: As in `pubsub.topics.get`.
        resource: The resource that the permission is on.
        modified_roles: The roles that the call grants or revokes.
        agent: The API whose service agent needs the permission, as in `run`; empty for the caller.
    """

    permission: str
    resource: str
    modified_roles: tuple[str, ...] = ()
    agent: str = ""


def nothing(_inputs: Properties, _place: Place) -> Iterator[Ask]:
    """Yield no further permission."""
    return iter(())


def of_service(inputs: Properties, place: Place) -> Iterator[Ask]:
    """Yield the permissions for a service or worker pool of Cloud Run."""
    return _of_containers(inputs["template"], place)


def of_job(inputs: Properties, place: Place) -> Iterator[Ask]:
    """Yield the permissions for a job, including that of its execution if the update starts one."""
    yield from _of_containers(inputs["template"]["template"], place)
    if inputs.get("runExecutionToken") or inputs.get("startExecutionToken"):
        yield Ask(permission="run.jobs.run", resource=f"projects/{place.project}")


def _of_containers(template: Properties, place: Place) -> Iterator[Ask]:
    """Yield the permissions to act as the account and to read the images, the latter for Cloud Run too.

    https://cloud.google.com/run/docs/reference/iam/roles#additional-configuration
    https://cloud.google.com/artifact-registry/docs/integrate-cloud-run
    https://cloud.google.com/run/docs/configuring/vpc-direct-vpc#iam-permissions
    """
    email = template.get("serviceAccount", f"{place.number}-compute@developer.gserviceaccount.com")
    yield Ask(permission=_ACT, resource=account(email))
    for container in template["containers"]:
        if (images := repository(container["image"])) is not None:
            yield Ask(permission=PULL, resource=images)
            yield Ask(permission=PULL, resource=images, agent="run")
    for interface in (template.get("vpcAccess") or {}).get("networkInterfaces", []):
        if subnetwork := interface.get("subnetwork"):
            subnetworks = f"regions/{place.region}/subnetworks"
            name = in_project(subnetwork, subnetworks, place)
            yield Ask(permission="compute.subnetworks.use", resource=name, agent="run")


def of_subscription(inputs: Properties, place: Place) -> Iterator[Ask]:
    """Yield the permissions to attach the subscription to its topic, and to act as the push account.

    https://cloud.google.com/pubsub/docs/access-control#required_permissions
    https://cloud.google.com/pubsub/docs/authenticate-push-subscriptions#configure_for_push_authentication
    """
    topic = in_project(inputs["topic"], "topics", place)
    yield Ask(permission="pubsub.topics.attachSubscription", resource=topic)
    token = (inputs.get("pushConfig") or {}).get("oidcToken") or {}
    if email := token.get("serviceAccountEmail"):
        yield Ask(permission=_ACT, resource=account(email))
    yield from _exports(inputs)


def _exports(inputs: Properties) -> Iterator[Ask]:
    """Yield the permissions to write exports: of Pub/Sub's agent, or to act as the export's own account.

    https://cloud.google.com/pubsub/docs/create-bigquery-subscription#assign_bigquery_service_account
    https://cloud.google.com/pubsub/docs/create-cloudstorage-subscription#assign_roles_to_service_agents
    """
    rows, objects = inputs.get("bigqueryConfig") or {}, inputs.get("cloudStorageConfig") or {}
    if email := rows.get("serviceAccountEmail") or objects.get("serviceAccountEmail"):
        yield Ask(permission=_ACT, resource=account(email))
        return
    if rows:
        for verb in ("get", "updateData"):
            yield Ask(permission=f"bigquery.tables.{verb}", resource=table(rows["table"]), agent="pubsub")
    if objects:
        for permission in ("storage.buckets.get", "storage.objects.create"):
            yield Ask(permission=permission, resource=bucket(objects["bucket"]), agent="pubsub")


def of_topic(inputs: Properties, place: Place) -> Iterator[Ask]:
    """Yield the permissions to attach the topic's schema, and of Pub/Sub's agent to use the key."""
    if schema := (inputs.get("schemaSettings") or {}).get("schema"):
        yield Ask(permission="pubsub.schemas.attach", resource=in_project(schema, "schemas", place))
    yield from _encrypts(inputs.get("kmsKeyName"), "pubsub")


def of_sql_instance(inputs: Properties, _place: Place) -> Iterator[Ask]:
    """Yield the permissions of Cloud SQL's agent to use the key.

    https://cloud.google.com/sql/docs/postgres/configure-cmek#grantkey
    """
    return _encrypts(inputs.get("encryptionKeyName"), "sqladmin")


def of_alloydb_cluster(inputs: Properties, _place: Place) -> Iterator[Ask]:
    """Yield the permissions of AlloyDB's agent to use the key.

    https://cloud.google.com/alloydb/docs/cmek#grant
    """
    return _encrypts((inputs.get("encryptionConfig") or {}).get("kmsKeyName"), "alloydb")


def _encrypts(key: str | None, agent: str) -> Iterator[Ask]:
    if key:
        for verb in ("useToEncrypt", "useToDecrypt"):
            yield Ask(permission=f"cloudkms.cryptoKeyVersions.{verb}", resource=key, agent=agent)


def of_subnetwork(inputs: Properties, place: Place) -> Iterator[Ask]:
    """Yield the permission to change the subnetwork's network."""
    yield Ask(permission="compute.networks.updatePolicy", resource=_network(inputs, place))


def of_global_address(inputs: Properties, place: Place) -> Iterator[Ask]:
    """Yield the permission to use the range's network."""
    if inputs.get("network"):
        yield Ask(permission="compute.networks.use", resource=_network(inputs, place))


def of_address(inputs: Properties, place: Place) -> Iterator[Ask]:
    """Yield the permission to use an internal address's subnetwork."""
    if subnetwork := inputs.get("subnetwork"):
        name = in_project(subnetwork, f"regions/{place.region}/subnetworks", place)
        yield Ask(permission="compute.subnetworks.use", resource=name)


def of_forwarding_rule(inputs: Properties, place: Place) -> Iterator[Ask]:
    """Yield the permissions to use the endpoint's network and address."""
    yield Ask(permission="compute.networks.use", resource=_network(inputs, place))
    yield Ask(permission="compute.addresses.use", resource=f"projects/{place.project}")


def images_of(inputs: Properties, _place: Place) -> str | None:
    """Return the repository that an image is pushed to; None if it is not Artifact Registry's."""
    tags = inputs.get("tags", []) if inputs.get("push") else []
    return repository(tags[0]) if tags else None


def _network(inputs: Properties, place: Place) -> str:
    return in_project(inputs["network"], "global/networks", place)
