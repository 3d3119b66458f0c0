"""Google's full names of resources with policies, and their parents."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from local_gcp.cloudrun import run_rules
from local_gcp.pubsub_api import pubsub_rules
from local_gcp.recorded import iam, network, registry
from local_gcp.resource.place import Place
from local_gcp.resource.properties import Properties

_PROJECT_PARTS: Final = 2  # projects/P


def lineage(resource: str) -> Iterator[str]:
    """Yield a resource and its parents, up to the project: each one's grants apply to the resource."""
    whole, is_object, _ = resource.partition("/objects/")
    if is_object:
        yield resource  # an object's name has slashes
    parts = whole.split("/")
    # `global` and `locations/L` have no id or no policy of their own; a name without a resource does no harm.
    for end in range(len(parts), _PROJECT_PARTS - 1, -1):
        yield "/".join(parts[:end])


def project_of(resource: str) -> str:
    """Return the project id of a resource; `_` for a bucket, whose name does not contain it."""
    return resource.split("/")[1]


def account(email: str) -> str:
    """Return the full name of a service account, by its email or any other name of it."""
    email = email.rpartition("/")[2]
    domain = email.partition("@")[2]
    project = domain.partition(".")[0] if domain.endswith(".iam.gserviceaccount.com") else "-"
    return f"projects/{project}/serviceAccounts/{email}"


def bucket(name: str) -> str:
    """Return the full name of a bucket of Cloud Storage."""
    return f"projects/_/buckets/{name}"


def table(path: str) -> str:
    """Return the full name of a BigQuery table, from `project.dataset.table`."""
    project, dataset, name = path.replace(":", ".").split(".")
    return f"projects/{project}/datasets/{dataset}/tables/{name}"


def repository(image: str) -> str | None:
    """Return the full name of the repository of an image; None if it is not Artifact Registry's."""
    host, _, path = image.partition("/")
    if not host.endswith("-docker.pkg.dev"):
        return None
    project, name = path.split("/")[:2]
    return f"projects/{project}/locations/{host.removesuffix('-docker.pkg.dev')}/repositories/{name}"


def in_project(name: str, collection: str, place: Place) -> str:
    """Return the full name of a resource, from its short or full name."""
    return name if name.startswith("projects/") else f"projects/{place.project}/{collection}/{name}"


def _short(path: str) -> str:
    return path.rpartition("/")[2]


# By type of grant (one role to one member): the resource that it is on. `Place` is the resource's own.
GRANTED_ON: Final[Mapping[str, Callable[[Properties, Place], str]]] = {
    iam.PROJECT_IAM_MEMBER.type: lambda _, place: f"projects/{place.project}",
    iam.ACCOUNT_IAM_MEMBER.type: lambda inputs, _: account(inputs["serviceAccountId"]),
    iam.BUCKET_IAM_MEMBER.type: lambda inputs, _: bucket(inputs["bucket"].removeprefix("b/")),
    iam.KEY_IAM_MEMBER.type: lambda inputs, _: str(inputs["cryptoKeyId"]),
    iam.TABLE_IAM_MEMBER.type: lambda inputs, place: (
        f"projects/{place.project}/datasets/{inputs['datasetId']}/tables/{inputs['tableId']}"
    ),
    pubsub_rules.TOPIC_IAM_MEMBER.type: lambda inputs, place: in_project(inputs["topic"], "topics", place),
    pubsub_rules.SUBSCRIPTION_IAM_MEMBER.type: lambda inputs, place: in_project(
        inputs["subscription"], "subscriptions", place
    ),
    registry.REPOSITORY_IAM_MEMBER.type: lambda inputs, place: in_project(
        inputs["repository"], f"locations/{place.region}/repositories", place
    ),
    run_rules.SERVICE_IAM_MEMBER.type: lambda inputs, place: in_project(
        inputs["name"], f"locations/{place.region}/services", place
    ),
    network.SUBNETWORK_IAM_MEMBER.type: lambda inputs, place: in_project(
        _short(inputs["subnetwork"]), f"regions/{place.region}/subnetworks", place
    ),
}
