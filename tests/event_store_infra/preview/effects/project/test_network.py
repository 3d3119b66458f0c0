"""The network: what a change of each property does to whoever connects by it."""

import pytest

from event_store_infra.preview.effects.effect import HARMLESS, Severity
from event_store_infra.preview.effects.project import network
from event_store_infra.preview.plan.plan import UNKNOWN as LATER
from tests.event_store_infra.preview.effects.changed import made
from tests.event_store_infra.preview.effects.judged import check, told_of, untried, worst_of

STOPS, LESS_SAFE = Severity.STOPS, Severity.LESS_SAFE
NETWORK = "gcp:compute/network:Network"
GLOBAL_ADDRESS = "gcp:compute/globalAddress:GlobalAddress"
ADDRESS = "gcp:compute/address:Address"
CONNECTION = "gcp:servicenetworking/connection:Connection"
SUBNETWORK = "gcp:compute/subnetwork:Subnetwork"
RULE = "gcp:compute/forwardingRule:ForwardingRule"
FIREWALL = "gcp:compute/firewall:Firewall"
ALL = (NETWORK, GLOBAL_ADDRESS, ADDRESS, CONNECTION, SUBNETWORK, RULE, FIREWALL)
LOGGED = {"aggregationInterval": "INTERVAL_5_SEC", "filterExpr": "true"}

ONE_WAY: list[tuple[str, str, object, object, Severity, str]] = [
    *((kind, "deletionPolicy", "PREVENT", None, LESS_SAFE, "deletes it in Google Cloud") for kind in ALL),
    (CONNECTION, "deletionPolicy", "ABANDON", "REMOVE_PEERING", LESS_SAFE, "deletes it"),
    (CONNECTION, "reservedPeeringRanges", ["a", "b"], ["b"], LESS_SAFE, "no further instance"),
    (NETWORK, "enableUlaInternalIpv6", True, False, STOPS, "internal IPv6"),
    (NETWORK, "mtu", None, 1300, LESS_SAFE, "larger packets"),
    (NETWORK, "routingMode", "GLOBAL", "REGIONAL", STOPS, "another region"),
    (SUBNETWORK, "allowSubnetCidrRoutesOverlap", None, True, LESS_SAFE, "take traffic"),
    (SUBNETWORK, "logConfig", LOGGED, None, LESS_SAFE, "fewer connections are logged"),
    (SUBNETWORK, "logConfig.flowSampling", 1, 0.1, LESS_SAFE, "fewer connections are logged"),
    (SUBNETWORK, "logConfig.filterExpr", "true", "false", LESS_SAFE, "fewer connections are logged"),
    (SUBNETWORK, "privateIpGoogleAccess", True, False, STOPS, "Google's APIs"),
    (SUBNETWORK, "privateIpv6GoogleAccess", "ENABLE", None, STOPS, "by IPv6"),
    (SUBNETWORK, "role", "ACTIVE", "BACKUP", STOPS, "load balancers"),
    *(
        (SUBNETWORK, f"secondaryIpRanges[0].{name}", "a", None, STOPS, "a secondary range")
        for name in ("ipCidrRange", "ipCollection", "ipVersion", "rangeName", "reservedInternalRange")
    ),
    (SUBNETWORK, "stackType", "IPV4_IPV6", "IPV4_ONLY", STOPS, "reached by IPv6"),
    (RULE, "allowGlobalAccess", True, False, STOPS, "from another region"),
    (RULE, "allowPscGlobalAccess", True, None, STOPS, "from another region"),
    (RULE, "target", "a", None, STOPS, "leads elsewhere"),
    (FIREWALL, "disabled", None, True, LESS_SAFE, "what it forbade is allowed"),
    (FIREWALL, "enableLogging", True, False, LESS_SAFE, "logged"),
    (FIREWALL, "logConfig.metadata", "a", None, LESS_SAFE, "logged"),
]
BOTH_WAYS: list[tuple[str, str, object, object, Severity]] = [
    *(
        (NETWORK, path, "a", "b", LESS_SAFE)
        for path in (
            *("bgpAlwaysCompareMed", "bgpBestPathSelectionMode", "bgpInterRegionCost"),
            "deleteBgpAlwaysCompareMed",
        )
    ),
    (NETWORK, "networkFirewallPolicyEnforcementOrder", "BEFORE_CLASSIC_FIREWALL", None, LESS_SAFE),
    (RULE, "target", "a", "b", STOPS),
    *(
        (FIREWALL, path, ["a"], ["a", "b"], LESS_SAFE)
        for path in (
            *("sourceRanges", "destinationRanges", "sourceTags", "targetTags", "allows[0].ports"),
            *("denies[0].ports", "sourceServiceAccounts", "targetServiceAccounts"),
        )
    ),
    (FIREWALL, "direction", "INGRESS", "EGRESS", LESS_SAFE),
    (FIREWALL, "priority", 1000, 1, LESS_SAFE),
    (FIREWALL, "allows[0].protocol", "tcp", "all", LESS_SAFE),
    (FIREWALL, "denies[0].protocol", "tcp", "all", LESS_SAFE),
]


def test_each_line_is_tried() -> None:
    """A line of the tables that no case above changes is a line that could be wrong."""
    assert untried(network.TABLES, [*ONE_WAY, *BOTH_WAYS]) == []


@pytest.mark.parametrize("case", ONE_WAY, ids=lambda case: f"{case[0].rpartition(':')[2]}.{case[1]}")
def test_one_direction_is_told(case: tuple[str, str, object, object, Severity, str]) -> None:
    """The change is told by what it does, and its way back is harmless."""
    check(case)


@pytest.mark.parametrize(("kind", "path", "old", "new", "severity"), BOTH_WAYS)
def test_both_directions_are_told(kind: str, path: str, old: object, new: object, severity: Severity) -> None:
    """Whether more or fewer may connect depends on what else there is."""
    assert told_of(kind, path, old, new).severity == severity
    assert told_of(kind, path, new, old).severity == severity


@pytest.mark.parametrize(
    ("kind", "path", "old", "new"),
    [
        (SUBNETWORK, "ipCidrRange", "10.0.0.0/26", "10.0.0.0/24"),
        (ADDRESS, "labels", {"a": "b"}, None),
        (NETWORK, "routingMode", None, "REGIONAL"),
        (CONNECTION, "updateOnCreationFail", True, None),
    ],
)
def test_what_nobody_notices_is_harmless(kind: str, path: str, old: object, new: object) -> None:
    """A range grows in place: a smaller one would be another subnetwork."""
    assert told_of(kind, path, old, new) == told_of(kind, path, new, old) == HARMLESS


@pytest.mark.parametrize("path", ["target", "allowPscGlobalAccess"])
def test_what_only_the_update_can_tell_is_told(path: str) -> None:
    """Nobody can say that it is harmless."""
    assert told_of(RULE, path, "a", LATER).severity == STOPS


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({"denies": [{"protocol": "all"}], "direction": "EGRESS"}, "cannot connect any more"),
        ({"allows": [{"protocol": "all"}]}, "may connect from now on"),
        ({"denies": [{"protocol": "all"}], "disabled": True}, ""),
    ],
)
def test_a_rule_that_is_made_is_told(inputs: dict[str, object], words: str) -> None:
    """It decides who connects as soon as it is there, unless it is disabled."""
    told = worst_of(made(FIREWALL, inputs))

    assert told.severity == (LESS_SAFE if words else Severity.HARMLESS)
    assert words in told.what
