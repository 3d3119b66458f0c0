"""The service's image and its repository."""

import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import pulumi
import pulumi_docker_build as docker_build
from pulumi_gcp import artifactregistry

from event_store_infra.components.children import child_options
from event_store_infra.components.registry.image_build import ImageBuild
from event_store_infra.components.registry.pull_grant import grant_pull

# The beginning of the tag of each image that another environment runs or ran. The workflow Deploy sets it.
PROMOTED: Final = "promoted-"


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryArgs:
    """The arguments of `Registry`.

    Attributes:
        project: The id of the project.
        region: The location of the repository.
        prefix: The name of the repository.
        build: What Docker builds the image from.
        repository: One that is there, as in `europe-west1-docker.pkg.dev/P/R`; empty for an own one.
        labels: Labels of the repository.
        image_readers: Who may read the own repository, beside those of the project itself.
        is_delivered: Whether CI deploys, so that the owner of another repository lets it be read.
    """

    project: str
    region: str
    prefix: str
    build: ImageBuild
    repository: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    image_readers: Sequence[str] = ()
    is_delivered: bool = False


class Registry(pulumi.ComponentResource):
    """Owns the Artifact Registry repository, unless there is one, and the image that is pushed there.

    It deliberately holds no registry credentials: the build uses Docker's own login
    (`gcloud auth configure-docker`). Cloud Run needs no grant to pull from its own project.

    Attributes:
        image: The image by digest, `…/event-store@sha256:…`.
        digest: `sha256:…`.
    """

    image: pulumi.Output[str]
    digest: pulumi.Output[str]

    def __init__(self, name: str, args: RegistryArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("event-store:infra:Registry", name, None, opts)
        child = child_options(self, opts)
        if args.repository:
            grant_pull(name, args.project, args.repository, child, is_delivered=args.is_delivered)
        repository = args.repository or _own_repository(name, args, child)
        url = pulumi.Output.concat(repository, "/event-store")
        image = docker_build.Image(
            f"{name}-image",
            context=docker_build.BuildContextArgs(location=args.build.context),
            dockerfile=docker_build.DockerfileArgs(
                location=args.build.dockerfile or posixpath.join(args.build.context, "Dockerfile")
            ),
            platforms=[docker_build.Platform.LINUX_AMD64],
            tags=[pulumi.Output.concat(url, ":latest")],
            push=True,
            # A preview then needs no Docker; the Dockerfile's syntax is checked all the same.
            build_on_preview=False,
            opts=child,
        )
        self.digest = image.digest
        # By digest and without the tag, so that what runs is exactly what was built.
        self.image = pulumi.Output.concat(url, "@", image.digest)
        self.register_outputs({"image": self.image, "digest": self.digest})


def _own_repository(name: str, args: RegistryArgs, opts: pulumi.ResourceOptions) -> pulumi.Output[str]:
    repository = artifactregistry.Repository(
        f"{name}-repository",
        project=args.project,
        location=args.region,
        repository_id=args.prefix,
        format="DOCKER",
        mode="STANDARD_REPOSITORY",
        cleanup_policy_dry_run=False,
        # Keep wins over delete, so an environment finds what it runs and each image to go back to:
        # https://cloud.google.com/artifact-registry/docs/repositories/cleanup-policy-overview
        cleanup_policies=[
            artifactregistry.RepositoryCleanupPolicyArgs(
                id="delete-old",
                action="DELETE",
                condition=artifactregistry.RepositoryCleanupPolicyConditionArgs(
                    tag_state="UNTAGGED", older_than="2592000s"
                ),
            ),
            artifactregistry.RepositoryCleanupPolicyArgs(
                id="keep-promoted",
                action="KEEP",
                condition=artifactregistry.RepositoryCleanupPolicyConditionArgs(
                    tag_state="TAGGED", tag_prefixes=[PROMOTED]
                ),
            ),
            artifactregistry.RepositoryCleanupPolicyArgs(
                id="keep-recent",
                action="KEEP",
                most_recent_versions=artifactregistry.RepositoryCleanupPolicyMostRecentVersionsArgs(
                    keep_count=20
                ),
            ),
        ],
        labels=args.labels,
        opts=opts,
    )
    for reader in args.image_readers:
        artifactregistry.RepositoryIamMember(
            f"{name}-reader-{reader}",
            project=args.project,
            location=args.region,
            repository=repository.repository_id,
            role="roles/artifactregistry.reader",
            member=reader,
            opts=opts,
        )
    return pulumi.Output.concat(args.region, "-docker.pkg.dev/", args.project, "/", repository.repository_id)
