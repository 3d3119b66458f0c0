"""The rights to an image in another project's repository: Cloud Run pulls it, whoever deploys it reads it."""

import pulumi
from pulumi_gcp import artifactregistry, projects


def grant_pull(name: str, project: str, repository: str, deployer: str, opts: pulumi.ResourceOptions) -> None:
    """Declare the grants, unless the repository is in the project itself, where none is needed.

    Google asks both of Cloud Run's service agent and of whoever creates or updates what runs the image:
    https://cloud.google.com/artifact-registry/docs/integrate-cloud-run

    Args:
        name: What the names in the program begin with.
        project: The id of the project that runs the image, by its Cloud Run service agent.
        repository: As in `europe-west1-docker.pkg.dev/P/R`.
        deployer: The email of CI's deployer; empty where only persons deploy, who have the right already.
        opts: Options of the grants.
    """
    host, source, repository_id = repository.split("/")
    if source == project:
        return
    agent = projects.ServiceIdentity(
        f"{name}-agent", project=project, service="run.googleapis.com", opts=opts
    )
    members = {f"{name}-reader": agent.member}
    if deployer:
        members[f"{name}-deployer"] = pulumi.Output.from_input(f"serviceAccount:{deployer}")
    for grant, member in members.items():
        artifactregistry.RepositoryIamMember(
            grant,
            project=source,
            location=host.removesuffix("-docker.pkg.dev"),
            repository=repository_id,
            role="roles/artifactregistry.reader",
            member=member,
            opts=opts,
        )
