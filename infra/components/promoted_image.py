"""An image that another environment has built and tried."""

import re
from dataclasses import dataclass

import pulumi
from pulumi_gcp import artifactregistry, projects

from infra.components.children import child_options
from infra.settings.stack import IMAGE


@dataclass(frozen=True, slots=True, kw_only=True)
class PromotedImageArgs:
    """What `PromotedImage` is made from.

    Attributes:
        project: The id of the project that runs it.
        image: By digest, in the form of `IMAGE` of the settings.
    """

    project: str
    image: str


class PromotedImage(pulumi.ComponentResource):
    """Owns the right to pull one image by digest out of another project's repository.

    Cloud Run pulls by its own service agent, which may read the repositories of its own project only. It
    deliberately owns neither image nor repository: the environment that built it does. What runs the image
    depends on this component.

    Attributes:
        image: The image by digest.
        digest: `sha256:…`.
    """

    image: pulumi.Output[str]
    digest: pulumi.Output[str]

    def __init__(
        self, name: str, args: PromotedImageArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("event-store:infra:PromotedImage", name, None, opts)
        child = child_options(self, opts)
        source = re.fullmatch(IMAGE, args.image)
        if source is None:
            raise ValueError(f"{args.image} is no image by digest")
        if source["project"] != args.project:
            agent = projects.ServiceIdentity(
                f"{name}-agent", project=args.project, service="run.googleapis.com", opts=child
            )
            artifactregistry.RepositoryIamMember(
                f"{name}-reader",
                project=source["project"],
                location=source["location"],
                repository=source["repository"],
                role="roles/artifactregistry.reader",
                member=agent.member,
                opts=child,
            )
        self.image = pulumi.Output.from_input(args.image)
        self.digest = pulumi.Output.from_input(source["digest"])
        self.register_outputs({"image": self.image, "digest": self.digest})
