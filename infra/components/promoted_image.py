"""An image that another environment has built and tried."""

from dataclasses import dataclass

import pulumi

from infra.components.children import child_options
from infra.components.pull_grant import grant_pull


@dataclass(frozen=True, slots=True, kw_only=True)
class PromotedImageArgs:
    """What `PromotedImage` is made from.

    Attributes:
        project: The id of the project that runs it.
        image: By digest, as in `europe-west1-docker.pkg.dev/P/R/event-store@sha256:…`.
        deployer: The email of CI's deployer; empty for none.
    """

    project: str
    image: str
    deployer: str = ""


class PromotedImage(pulumi.ComponentResource):
    """Owns the rights to one image by digest in another project's repository.

    Cloud Run pulls by its own service agent, and refuses a deployment by an account that may not read the
    image; both may read the repositories of their own project only. It deliberately owns neither image nor
    repository: the environment that built it does. What runs the image depends on this component.

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
        grant_pull(name, args.project, repository, args.deployer, child_options(self, opts))
        self.image = pulumi.Output.from_input(args.image)
        self.digest = pulumi.Output.from_input(args.image.partition("@")[2])
        self.register_outputs({"image": self.image, "digest": self.digest})
