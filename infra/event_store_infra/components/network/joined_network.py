"""An existing network, the project's own or a Shared VPC."""

from dataclasses import dataclass

import pulumi
from pulumi_gcp import projects

from event_store_infra.components.children import child_options
from event_store_infra.components.workload.compute import ComputeResource


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinedNetworkArgs:
    """The arguments of `JoinedNetwork`.

    Attributes:
        project: The id of the project that the service runs in.
        vpc: `projects/P/global/networks/N`. Its private service access is set up.
        subnetwork: `projects/P/regions/R/subnetworks/S`.
        is_delivered: Whether CI deploys, which may not grant there: the subnetwork's owner does.
    """

    project: str
    vpc: str
    subnetwork: str
    is_delivered: bool = False


class JoinedNetwork(pulumi.ComponentResource):
    """Owns the right of Cloud Run to give its instances addresses in a subnetwork of another project.

    It deliberately changes nothing of the network. In a network of the own project there is nothing to own.

    Attributes:
        network_id: `projects/P/global/networks/N`.
        subnetwork_id: `projects/P/regions/R/subnetworks/S`.
    """

    network_id: pulumi.Output[str]
    subnetwork_id: pulumi.Output[str]

    def __init__(
        self, name: str, args: JoinedNetworkArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("event-store:infra:JoinedNetwork", name, None, opts)
        child = child_options(self, opts)
        _, host, _, region, _, subnetwork = args.subnetwork.split("/")
        if host != args.project and not args.is_delivered:
            agent = projects.ServiceIdentity(
                f"{name}-agent", project=args.project, service="run.googleapis.com", opts=child
            )
            ComputeResource(
                "SubnetworkIAMMember",
                f"{name}-user",
                {
                    "project": host,
                    "region": region,
                    "subnetwork": subnetwork,
                    "role": "roles/compute.networkUser",
                    "member": agent.member,
                },
                child,
            )
        self.network_id = pulumi.Output.from_input(args.vpc)
        self.subnetwork_id = pulumi.Output.from_input(args.subnetwork)
        self.register_outputs({"network_id": self.network_id, "subnetwork_id": self.subnetwork_id})
