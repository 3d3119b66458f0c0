"""The Google Cloud APIs that the other components call."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi_gcp import projects

APIS: Final = (
    "artifactregistry",
    "cloudresourcemanager",
    "compute",
    "iam",
    "logging",
    "monitoring",
    "pubsub",
    "run",
    "servicenetworking",
    "sqladmin",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectServicesArgs:
    """The arguments of `ProjectServices`.

    Attributes:
        project: The id of the project.
        apis: Names without `.googleapis.com`.
    """

    project: str
    apis: Sequence[str] = APIS


class ProjectServices(pulumi.ComponentResource):
    """Owns the enabled APIs of the project; whatever calls one of them depends on this component.

    It deliberately never disables an API, not even when the stack is destroyed: others may use it.
    It does not enable `serviceusage`, by which all others are enabled and which every new project has.
    """

    def __init__(
        self, name: str, args: ProjectServicesArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("event-store:infra:ProjectServices", name, None, opts)
        for api in args.apis:
            projects.Service(
                f"{name}-{api}",
                project=args.project,
                service=f"{api}.googleapis.com",
                disable_on_destroy=False,
                opts=pulumi.ResourceOptions(parent=self),
            )
        self.register_outputs({})
