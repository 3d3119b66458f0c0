"""The private network."""

from collections.abc import Iterator
from typing import Final

from local_gcp.recorded.iam import MEMBER
from local_gcp.resource.field import GIVEN, IMMUTABLE, Choice, Field, GrowingRange, Text, Whole
from local_gcp.resource.properties import Properties
from local_gcp.resource.table import Limits

NAME: Final = Text(
    r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?",
    "1 to 63 lower-case letters, digits and hyphens, beginning with a letter, not ending with a hyphen",
    required=True,
    immutable=True,
)


NETWORK: Final = Limits(
    "gcp:compute/network:Network",
    {
        "name": NAME,
        "project": IMMUTABLE,
        "description": IMMUTABLE,
        "autoCreateSubnetworks": Field(immutable=True, default=True),
        "routingMode": Choice("REGIONAL", "GLOBAL"),
        "mtu": Whole(1300, 8896),
        "internalIpv6Range": IMMUTABLE,
        "networkProfile": IMMUTABLE,
        "params": IMMUTABLE,
        "deleteBgpAlwaysCompareMed": Field(default=False),
        "deleteDefaultRoutesOnCreate": Field(default=False),
        "networkFirewallPolicyEnforcementOrder": Choice(
            "BEFORE_CLASSIC_FIREWALL", "AFTER_CLASSIC_FIREWALL", default="AFTER_CLASSIC_FIREWALL"
        ),
    },
    autonamed=63,
)
SUBNETWORK: Final = Limits(
    "gcp:compute/subnetwork:Subnetwork",
    {
        "name": NAME,
        "project": IMMUTABLE,
        "region": IMMUTABLE,
        "network": GIVEN,
        "description": IMMUTABLE,
        "purpose": Choice(
            "PRIVATE",
            "REGIONAL_MANAGED_PROXY",
            "GLOBAL_MANAGED_PROXY",
            "PRIVATE_SERVICE_CONNECT",
        ),
        "stackType": Choice("IPV4_ONLY", "IPV4_IPV6", "IPV6_ONLY"),
        "ipCidrRange": GrowingRange(),
        "externalIpv6Prefix": IMMUTABLE,
        "internalIpv6Prefix": IMMUTABLE,
        "params": IMMUTABLE,
        "reservedInternalRange": IMMUTABLE,
        "resolveSubnetMask": IMMUTABLE,
        "logConfig.aggregationInterval": Field(default="INTERVAL_5_SEC"),
        "logConfig.filterExpr": Field(default="true"),
        "logConfig.flowSampling": Field(default=0.5),
        "logConfig.metadata": Field(default="INCLUDE_ALL_METADATA"),
    },
    autonamed=63,
)
GLOBAL_ADDRESS: Final = Limits(
    "gcp:compute/globalAddress:GlobalAddress",
    {
        "name": NAME,
        "project": IMMUTABLE,
        "network": IMMUTABLE,
        "address": IMMUTABLE,
        "description": IMMUTABLE,
        "addressType": Choice("EXTERNAL", "INTERNAL", immutable=True, default="EXTERNAL"),
        "purpose": Choice("VPC_PEERING", "PRIVATE_SERVICE_CONNECT", immutable=True),
        "ipVersion": Choice("IPV4", "IPV6", immutable=True),
        "prefixLength": Whole(8, 30, immutable=True),
    },
    autonamed=63,
)
ADDRESS: Final = Limits(
    "gcp:compute/address:Address",
    {
        "name": NAME,
        "project": IMMUTABLE,
        "region": IMMUTABLE,
        "address": IMMUTABLE,
        "addressType": Choice("EXTERNAL", "INTERNAL", immutable=True, default="EXTERNAL"),
        "purpose": Choice(
            *("GCE_ENDPOINT", "SHARED_LOADBALANCER_VIP", "VPC_PEERING", "IPSEC_INTERCONNECT"),
            "PRIVATE_SERVICE_CONNECT",
            immutable=True,
        ),
        "subnetwork": IMMUTABLE,
        "network": IMMUTABLE,
        "description": IMMUTABLE,
        "ipCollection": IMMUTABLE,
        "ipVersion": IMMUTABLE,
        "ipv6EndpointType": IMMUTABLE,
        "networkTier": IMMUTABLE,
        "prefixLength": IMMUTABLE,
    },
    exclusive=(("network", "subnetwork"),),
    autonamed=63,
)


def _is_bare_endpoint(inputs: Properties) -> Iterator[tuple[str, str]]:
    if "/serviceAttachments/" in str(inputs.get("target")) and inputs.get("loadBalancingScheme"):
        yield "loadBalancingScheme", "must be empty for a service attachment"


FORWARDING_RULE: Final = Limits(
    "gcp:compute/forwardingRule:ForwardingRule",
    {
        "name": NAME,
        "project": IMMUTABLE,
        "region": IMMUTABLE,
        "network": IMMUTABLE,
        "subnetwork": IMMUTABLE,
        "ipAddress": IMMUTABLE,
        "loadBalancingScheme": Choice(
            *("", "EXTERNAL", "EXTERNAL_MANAGED", "INTERNAL", "INTERNAL_MANAGED"),
            immutable=True,
            default="EXTERNAL",
        ),
        "target": Field(),
        "allPorts": IMMUTABLE,
        "backendService": IMMUTABLE,
        "description": IMMUTABLE,
        "ipCollection": IMMUTABLE,
        "ipProtocol": IMMUTABLE,
        "ipVersion": IMMUTABLE,
        "isMirroringCollector": IMMUTABLE,
        "networkTier": IMMUTABLE,
        "noAutomateDnsZone": IMMUTABLE,
        "portRange": IMMUTABLE,
        "ports": IMMUTABLE,
        "recreateClosedPsc": Field(default=False),
        "serviceDirectoryRegistrations": IMMUTABLE,
        "serviceLabel": IMMUTABLE,
        "sourceIpRanges": IMMUTABLE,
    },
    rules=(_is_bare_endpoint,),
    autonamed=63,
)
CONNECTION: Final = Limits(
    "gcp:servicenetworking/connection:Connection",
    {
        "network": GIVEN,
        "service": GIVEN,
        "deletionPolicy": Choice("DELETE", "ABANDON", "PREVENT", "REMOVE_PEERING"),
    },
    name="network",
)
SUBNETWORK_IAM_MEMBER: Final = Limits(
    "gcp:compute/subnetworkIAMMember:SubnetworkIAMMember",
    {"subnetwork": GIVEN, "region": IMMUTABLE, **MEMBER},
    name="subnetwork",
)
