"""The right of Cloud Run to pull images out of another project's repository."""

import pulumi
from pulumi_gcp import artifactregistry, projects


def grant_pull(name: str, project: str, repository: str, opts: pulumi.ResourceOptions) -> None:
    """Declare the grant, unless the repository is in the project itself, where none is needed.

    Args:
        name: What the names in the program begin with.
        project: The id of the project that runs the image, by its Cloud Run service agent.
        repository: As in `europe-west1-docker.pkg.dev/P/R`.
        opts: Options of the grant.
    """
    host, source, repository_id = repository.split("/")
    if source == project:
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
