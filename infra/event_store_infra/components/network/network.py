"""The private network between Cloud Run and Cloud SQL."""

from dataclasses import dataclass

import pulumi
from pulumi_gcp import servicenetworking

from event_store_infra.components.children import child_options
from event_store_infra.components.workload.compute import ComputeResource


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkArgs:
    """The arguments of `Network`.

    Attributes:
        project: The id of the project.
        region: The region of the subnetwork.
        prefix: The name of network and subnetwork, and the beginning of the address range's.
        cidr: The IPv4 range that Cloud Run's instances get their addresses from, /26 or larger.
        services_prefix_length: The size of the range for Google's managed services, in bits, 16 to 24; None
            for no peering with their network, where endpoints lead to all of them.
    """

    project: str
    region: str
    prefix: str
    cidr: str
    services_prefix_length: int | None


class Network(pulumi.ComponentResource):
    """Owns the VPC, one subnetwork, and the peering that a database's private address comes from.

    It deliberately has no NAT, no firewall rule and no route of its own: Cloud Run's Direct VPC egress sends
    only private ranges here and reaches Google's APIs without it, and nothing listens inside.

    Attributes:
        network_id: `projects/P/global/networks/N`.
        subnetwork_id: `projects/P/regions/R/subnetworks/S`.
    """

    network_id: pulumi.Output[str]
    subnetwork_id: pulumi.Output[str]

    def __init__(self, name: str, args: NetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("event-store:infra:Network", name, None, opts)
        child = child_options(self, opts)
        network = ComputeResource(
            "Network",
            f"{name}-vpc",
            {
                "project": args.project,
                "name": args.prefix,
                "autoCreateSubnetworks": False,
                "routingMode": "REGIONAL",
                "mtu": 1460,
                "networkFirewallPolicyEnforcementOrder": "AFTER_CLASSIC_FIREWALL",
            },
            child,
        )
        subnetwork = ComputeResource(
            "Subnetwork",
            f"{name}-subnetwork",
            {
                "project": args.project,
                "region": args.region,
                "name": args.prefix,
                "network": network.id,
                "ipCidrRange": args.cidr,
                "purpose": "PRIVATE",
                "stackType": "IPV4_ONLY",
                "privateIpGoogleAccess": True,
            },
            child,
        )
        if args.services_prefix_length is not None:
            _peering(name, args, args.services_prefix_length, network, child)
        self.network_id = network.id
        self.subnetwork_id = subnetwork.id
        self.register_outputs({"network_id": self.network_id, "subnetwork_id": self.subnetwork_id})


def _peering(
    name: str,
    args: NetworkArgs,
    prefix_length: int,
    network: ComputeResource,
    child: pulumi.ResourceOptions,
) -> None:
    services = ComputeResource(
        "GlobalAddress",
        f"{name}-services",
        {
            "project": args.project,
            "name": f"{args.prefix}-services",
            "network": network.id,
            "purpose": "VPC_PEERING",
            "addressType": "INTERNAL",
            "ipVersion": "IPV4",
            "prefixLength": prefix_length,
        },
        child,
    )
    servicenetworking.Connection(
        f"{name}-peering",
        network=network.id,
        service="servicenetworking.googleapis.com",
        reserved_peering_ranges=[services.name],
        # Google refuses to delete a connection for days after its last Cloud SQL instance is gone; this
        # removes the peering itself then, so that the network can go.
        deletion_policy="REMOVE_PEERING",
        # A connection left behind by an earlier network of this name is taken over.
        update_on_creation_fail=True,
        opts=child,
    )
