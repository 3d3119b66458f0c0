"""An image that another environment has built and tested."""

from dataclasses import dataclass

import pulumi

from event_store_infra.components.children import child_options
from event_store_infra.components.registry.pull_grant import grant_pull


@dataclass(frozen=True, slots=True, kw_only=True)
class PromotedImageArgs:
    """The arguments of `PromotedImage`.

    Attributes:
        project: The id of the project that runs it.
        image: By digest, as in `europe-west1-docker.pkg.dev/P/R/event-store@sha256:…`.
        is_delivered: Whether CI deploys, so that the repository's owner lets the image be read.
    """

    project: str
    image: str
    is_delivered: bool = False


class PromotedImage(pulumi.ComponentResource):
    """Owns the right of Cloud Run to one image by digest in another project's repository.

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
        repository = "/".join(args.image.split("/")[:3])
        grant_pull(name, args.project, repository, child_options(self, opts), is_delivered=args.is_delivered)
        self.image = pulumi.Output.from_input(args.image)
        self.digest = pulumi.Output.from_input(args.image.partition("@")[2])
        self.register_outputs({"image": self.image, "digest": self.digest})
