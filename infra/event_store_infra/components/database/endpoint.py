"""A Private Service Connect endpoint: an address of the stack's own that leads to a service of Google's."""

from collections.abc import Mapping
from typing import Any

import pulumi

from event_store_infra.components.workload.compute import ComputeResource


def endpoint(
    name: str,
    where: Mapping[str, Any],
    *,
    network_id: pulumi.Input[str],
    subnetwork_id: pulumi.Input[str],
    target: pulumi.Input[str],
    opts: pulumi.ResourceOptions,
) -> pulumi.Output[str]:
    """Declare an endpoint and return its private IPv4 address, known once connections pass.

    Args:
        name: The beginning of the names in the program.
        where: `project`, `region`, and the physical `name`.
        network_id: The VPC.
        subnetwork_id: The subnetwork that the address is taken from.
        target: The service attachment that it leads to.
        opts: The options of the component's children.
    """
    address = ComputeResource(
        "Address",
        f"{name}-address",
        {
            **where,
            "addressType": "INTERNAL",
            "purpose": "GCE_ENDPOINT",
            "subnetwork": subnetwork_id,
            "address": None,  # Google's to choose
        },
        opts,
    )
    rule = ComputeResource(
        "ForwardingRule",
        f"{name}-endpoint",
        {
            **where,
            "network": network_id,
            "ipAddress": address.address,
            "loadBalancingScheme": "",  # none: it leads to a service, and balances nothing
            "target": target,
            "allowPscGlobalAccess": False,
        },
        opts,
    )
    return pulumi.Output.all(address.address, rule.id).apply(lambda known: str(known[0]))
