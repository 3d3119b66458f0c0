"""The network: what the database is reached by, and what runs in it."""

from collections.abc import Mapping
from typing import Any, Final

from event_store_infra.preview.effects.deletion import DELETION_POLICY
from event_store_infra.preview.effects.effect import (
    HARMLESS,
    Effect,
    Effects,
    Rule,
    cuts_off,
    less_safe,
    set_back,
    stops,
)
from event_store_infra.preview.effects.rules import (
    begins,
    changes,
    drops,
    ends,
    falls,
    harmless,
    moves,
    parts_from,
    same,
    thins,
)
from event_store_infra.preview.plan.plan import Step

_PEERING: Final = "https://docs.cloud.google.com/sql/docs/postgres/configure-private-services-access"
_VPC: Final = "https://docs.cloud.google.com/vpc/docs/vpc"
_SUBNETS: Final = "https://docs.cloud.google.com/vpc/docs/subnets"
_MTU: Final = "https://docs.cloud.google.com/vpc/docs/mtu"
_ROUTING: Final = (
    "https://docs.cloud.google.com/network-connectivity/docs/router/concepts/best-path-selection"
)
_PSC: Final = "https://docs.cloud.google.com/vpc/docs/private-service-connect"
_FIREWALLS: Final = "https://docs.cloud.google.com/firewall/docs/firewalls"
_FLOW_LOGS: Final = "https://docs.cloud.google.com/vpc/docs/flow-logs"
_GOOGLE: Final = "https://docs.cloud.google.com/vpc/docs/private-google-access"
_WAY: Final = cuts_off(
    "the database from its private address, and every connection of service and migrations with it",
    "a database cannot change its network in place: make another network and instance beside these.",
    _PEERING,
    "delete the database, or connect it to another network.",
)
_ENDPOINT: Final = stops(
    "every connection to the database: its address in the network goes", _PSC, "keep the endpoint."
)
_BEST_PATH: Final = changes(less_safe("traffic of other networks may take other routes", _ROUTING))
_LOGS: Final = less_safe("fewer connections are logged", _FLOW_LOGS)

# Another value is another resource, which is judged as the end of this one.
_NAMED: Final = harmless("description", "name", "network", "project")
_PLACED: Final = harmless("address", "addressType", "ipVersion", "prefixLength", "purpose")

_NETWORK: Final[Mapping[str, Rule]] = {
    **DELETION_POLICY,
    **{name: rule for name, rule in _NAMED.items() if name != "network"},
    # As well.
    **harmless("autoCreateSubnetworks", "internalIpv6Range", "networkProfile", "params.resourceManagerTags"),
    **harmless("deleteDefaultRoutesOnCreate"),  # asked once
    **same(_BEST_PATH, "bgpAlwaysCompareMed", "bgpBestPathSelectionMode", "bgpInterRegionCost"),
    **same(_BEST_PATH, "deleteBgpAlwaysCompareMed"),
    "enableUlaInternalIpv6": ends(stops("whatever is reached by an internal IPv6 address", _VPC)),
    "mtu": falls(
        less_safe("larger packets are dropped until every machine knows the new limit", _MTU), unset=1460
    ),
    "networkFirewallPolicyEnforcementOrder": changes(
        less_safe("another of two rules that contradict each other decides who may connect", _FIREWALLS)
    ),
    "routingMode": parts_from(
        stops("whoever comes over a router in another region: its routes are no longer known there", _VPC),
        "GLOBAL",
    ),
}
_GLOBAL_ADDRESS: Final[Mapping[str, Rule]] = {
    **DELETION_POLICY,
    **_NAMED,
    **_PLACED,
    **harmless("labels"),
}
_ADDRESS: Final[Mapping[str, Rule]] = {
    **_GLOBAL_ADDRESS,
    **harmless("ipCollection", "ipv6EndpointType", "networkTier", "region", "subnetwork"),
}
_CONNECTION: Final[Mapping[str, Rule]] = {
    **DELETION_POLICY,
    **harmless("network", "service"),  # another value is another resource
    **harmless("updateOnCreationFail"),  # asked once
    # What has an address already keeps it.
    "reservedPeeringRanges": thins(
        less_safe("no further instance or replica gets an address from a range that goes", _PEERING)
    ),
}


def _filter(_old: Any, new: Any) -> Effect:
    """`true`, the default, logs everything; another filter may log less than the one before."""
    return HARMLESS if new in (None, "true") else _LOGS


_SUBNETWORK: Final[Mapping[str, Rule]] = {
    **DELETION_POLICY,
    **_NAMED,
    # Another value is another resource, too; a range may only grow in place.
    **harmless("externalIpv6Prefix", "internalIpv6Prefix", "ipCidrRange", "ipCollection", "ipv6AccessType"),
    **harmless(
        "params.resourceManagerTags", "purpose", "region", "reservedInternalRange", "resolveSubnetMask"
    ),
    "allowSubnetCidrRoutesOverlap": begins(
        less_safe("routes from elsewhere may take traffic that was meant for this range", _SUBNETS)
    ),
    **harmless("aggregationInterval", "metadata", "metadataFields", at="logConfig"),
    "logConfig.filterExpr": _filter,
    "logConfig.flowSampling": falls(_LOGS, unset=0.5),
    "privateIpGoogleAccess": ends(
        stops(
            "whatever has no public address there from Google's APIs, unless an endpoint leads to them",
            _GOOGLE,
        )
    ),
    "privateIpv6GoogleAccess": moves(stops("whatever calls Google's APIs by IPv6 there", _GOOGLE)),
    "role": parts_from(stops("load balancers, whose proxies have their addresses there", _SUBNETS), "ACTIVE"),
    **same(
        moves(stops("whatever has an address of a secondary range that goes", _SUBNETS)),
        *("ipCidrRange", "ipCollection", "ipVersion", "rangeName", "reservedInternalRange"),
        at="secondaryIpRanges",
    ),
    **harmless("sendSecondaryIpRangeIfEmpty"),  # the ranges themselves are judged
    "stackType": parts_from(stops("whatever is reached by IPv6 there", _SUBNETS), "IPV4_IPV6"),
}
_FORWARDING_RULE: Final[Mapping[str, Rule]] = {
    **DELETION_POLICY,
    **_NAMED,
    **harmless("labels"),
    # Another value is another resource, too.
    **harmless("allPorts", "backendService", "ipAddress", "ipCollection", "ipProtocol", "ipVersion"),
    **harmless(
        "isMirroringCollector", "loadBalancingScheme", "networkTier", "noAutomateDnsZone", "portRange"
    ),
    **harmless("ports", "region", "serviceLabel", "sourceIpRanges", "subnetwork"),
    **harmless("namespace", "service", at="serviceDirectoryRegistrations"),
    **harmless("recreateClosedPsc"),  # its making anew is judged as its end
    **same(
        ends(stops("whoever connects to it from another region", _PSC)),
        "allowGlobalAccess",
        "allowPscGlobalAccess",
    ),
    "target": moves(stops("every connection by it: it leads elsewhere, or nowhere", _PSC)),
}


_ANOTHER_REACH: Final = less_safe(
    "what it allows or forbids is no longer the same: who may connect changes", _FIREWALLS
)
_REACH: Final = changes(_ANOTHER_REACH)
_NOT_APPLIED: Final = less_safe("what it forbade is allowed, or what it allowed is stopped", _FIREWALLS)
_FIREWALL: Final[Mapping[str, Rule]] = {
    **DELETION_POLICY,
    **_NAMED,
    **harmless("params.resourceManagerTags"),  # another value is another resource
    # Whether more or fewer may connect depends on whether the rule allows or forbids.
    **same(_REACH, "allows.ports", "allows.protocol", "denies.ports", "denies.protocol"),
    **same(_REACH, "destinationRanges", "direction", "priority", "sourceRanges", "sourceServiceAccounts"),
    **same(_REACH, "sourceTags", "targetServiceAccounts", "targetTags"),
    "disabled": begins(_NOT_APPLIED),
    "enableLogging": ends(_LOGS),
    "logConfig.metadata": drops(_LOGS),
}


def _applied(step: Step) -> Effect:
    """Tell of a rule as it is made: it decides between whom it names, and everybody where it names nobody."""
    if step.op != "create" or step.new.get("disabled"):
        return HARMLESS
    if step.new.get("denies"):
        return less_safe("what it forbids cannot connect any more, as service and database", _FIREWALLS)
    return less_safe("what it allows may connect from now on", _FIREWALLS)


def _subnetwork(step: Step) -> Effect:
    """Tell how to stay in it: by a range that grows, or by what else makes it another one as it was."""
    is_other_range = any(each.path.startswith("ipCidrRange") and each.replaces for each in step.changes)
    stay = "a subnetwork only ever grows: take a range that holds the one before" if is_other_range else ""
    return cuts_off(
        "every instance of Cloud Run from its address: Google deletes no subnetwork that has one in use, "
        "nor for two hours after, so that the update stops half-way",
        f"{stay or set_back(step).removesuffix('.') or 'keep the subnetwork and its network'}, or join "
        "another one by `event-store:network.vpc` and `subnetwork`.",
        "https://docs.cloud.google.com/run/docs/configuring/vpc-direct-vpc",
        "move what runs in it to another one, and delete it two hours later.",
    )


TABLES: Final[Mapping[str, Effects]] = {
    "gcp:compute/network:Network": Effects(gone=_WAY, properties=_NETWORK),
    "gcp:compute/globalAddress:GlobalAddress": Effects(gone=_WAY, properties=_GLOBAL_ADDRESS),
    "gcp:servicenetworking/connection:Connection": Effects(gone=_WAY, properties=_CONNECTION),
    "gcp:compute/subnetwork:Subnetwork": Effects(
        gone=_subnetwork,
        properties=_SUBNETWORK,
        blocks={"logConfig": drops(_LOGS)},
    ),
    "gcp:compute/address:Address": Effects(gone=_ENDPOINT, properties=_ADDRESS),
    "gcp:compute/forwardingRule:ForwardingRule": Effects(gone=_ENDPOINT, properties=_FORWARDING_RULE),
    "gcp:compute/firewall:Firewall": Effects(gone=_NOT_APPLIED, properties=_FIREWALL, made=_applied),
}
