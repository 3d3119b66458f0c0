"""Names: who no longer finds what by them."""

from typing import Any

import pytest

from event_store_infra.preview.effects.effect import HARMLESS, Severity
from event_store_infra.preview.effects.project import dns
from event_store_infra.preview.effects.project.dns import POLICY, RECORD, RESPONSE, RESPONSES, TABLES, ZONE
from tests.event_store_infra.preview.effects.changed import made
from tests.event_store_infra.preview.effects.judged import check, check_both, told_of, untried, worst_of

STOPS, LESS_SAFE = Severity.STOPS, Severity.LESS_SAFE
ANSWERS = [each for each in TABLES[RECORD].properties if each.startswith(("routingPolicy", "rrdatas"))]
NETS = [{"networkUrl": "a"}, {"networkUrl": "b"}]
KEYS = "dnssecConfig.defaultKeySpecs"
DATA = "localData.localDatas"
CLUSTERS = [{"gkeClusterName": "a"}, {"gkeClusterName": "b"}]
ONE_WAY: list[tuple[str, str, Any, Any, Severity, str]] = [
    *((kind, "deletionPolicy", "PREVENT", None, LESS_SAFE, "in Google Cloud") for kind in TABLES),
    (ZONE, "cloudLoggingConfig.enableLogging", True, False, LESS_SAFE, "no longer logged"),
    (POLICY, "enableLogging", True, None, LESS_SAFE, "no longer logged"),
    (ZONE, "dnssecConfig.state", "on", "off", STOPS, "checks signatures"),
    (ZONE, "forceDestroy", None, True, LESS_SAFE, "deletes its records"),
    (POLICY, "enableInboundForwarding", True, False, STOPS, "from outside"),
    (POLICY, "dns64Config.scope.allQueries", True, None, STOPS, "by IPv6 only"),
]
_BOTH: list[tuple[str, str, str]] = [
    *(
        (kind, f"{at}.targetNameServers[0].{name}", "other servers answer")
        for kind, at, names in (
            (ZONE, "forwardingConfig", ("domainName", "forwardingPath", "ipv4Address", "ipv6Address")),
            (POLICY, "alternativeNameServerConfig", ("forwardingPath", "ipv4Address")),
        )
        for name in names
    ),
    (ZONE, "peeringConfig.targetNetwork.networkUrl", "other servers answer"),
    *((ZONE, f"{KEYS}[0].{name}", "registrar") for name in ("algorithm", "keyLength", "keyType")),
    (ZONE, "dnssecConfig.nonExistence", "registrar"),
    *((RECORD, name, "lead elsewhere") for name in ANSWERS),
    (RECORD, "type", "lead elsewhere"),
    (RESPONSE, "behavior", "lead elsewhere"),
    *(
        (RESPONSE, f"localData.localDatas[0].{name}", "lead elsewhere")
        for name in ("name", "rrdatas", "type")
    ),
]
BOTH_WAYS: list[tuple[str, str, Any, Any, Severity, Severity, str]] = [
    *((kind, path, "a", "b", STOPS, STOPS, words) for kind, path, words in _BOTH),
    *(
        (kind, path, listed, listed[:1], STOPS, LESS_SAFE, "that goes")
        for kind, path, listed in (
            (ZONE, "privateVisibilityConfig.networks", NETS),
            (ZONE, "privateVisibilityConfig.gkeClusters", CLUSTERS),
            (POLICY, "networks", NETS),
            (RESPONSES, "networks", NETS),
            (RESPONSES, "gkeClusters", CLUSTERS),
        )
    ),
]


@pytest.mark.parametrize("case", ONE_WAY, ids=lambda case: f"{case[0].rpartition(':')[2]}.{case[1]}")
def test_one_direction_is_told(case: tuple[str, str, object, object, Severity, str]) -> None:
    """The change is told by what it does, and its way back is harmless."""
    check(case)


@pytest.mark.parametrize("case", BOTH_WAYS, ids=lambda case: f"{case[0].rpartition(':')[2]}.{case[1]}")
def test_both_directions_are_told(case: tuple[str, str, object, object, Severity, Severity, str]) -> None:
    """Another answer is another one in both directions."""
    check_both(case)


def test_each_line_is_tried() -> None:
    """A line of the tables that no case above changes is a line that could be wrong."""
    assert untried(dns.TABLES, [*ONE_WAY, *BOTH_WAYS]) == []


def test_a_deployment_is_harmless() -> None:
    """A label, or for how long an answer is kept."""
    assert told_of(ZONE, "labels", None, {"a": "b"}) == told_of(RECORD, "ttl", 300, 60) == HARMLESS


def test_a_zone_of_the_network_is_named_as_it_is_made() -> None:
    """It takes over all names below its own; a record only adds one."""
    assert "`run.app.` are looked up there first" in worst_of(made(ZONE, {"dnsName": "run.app."})).what
    assert worst_of(made(RECORD, {"name": "a"})) == HARMLESS
