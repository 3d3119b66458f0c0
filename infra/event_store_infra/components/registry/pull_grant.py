"""The grant that lets Cloud Run pull an image from another project's repository."""

import pulumi
from pulumi_gcp import artifactregistry, projects


def grant_pull(
    name: str, project: str, repository: str, opts: pulumi.ResourceOptions, *, is_delivered: bool
) -> None:
    """Declare the grant, unless the repository is in the project itself, where none is needed.

    Google asks the right both of Cloud Run's service agent and of whoever deploys what runs the image:
    https://cloud.google.com/artifact-registry/docs/integrate-cloud-run

    Args:
        name: What the names in the program begin with.
        project: The id of the project that runs the image, by its Cloud Run service agent.
        repository: As in `europe-west1-docker.pkg.dev/P/R`.
        opts: Options of the grants.
        is_delivered: Whether CI deploys, which may not grant there: the repository's owner does, by its
            `event-store:image_readers`, to Cloud Run and to the deployer.
    """
    host, source, repository_id = repository.split("/")
    if source == project or is_delivered:
        return
    agent = projects.ServiceIdentity(
        f"{name}-agent", project=project, service="run.googleapis.com", opts=opts
    )
    artifactregistry.RepositoryIamMember(
        f"{name}-reader",
        project=source,
        location=host.removesuffix("-docker.pkg.dev"),
        repository=repository_id,
        role="roles/artifactregistry.reader",
        member=agent.member,
        opts=opts,
    )
