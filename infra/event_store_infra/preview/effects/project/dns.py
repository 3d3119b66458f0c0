"""Cloud DNS: by which names a service is found, and which names of Google are."""

from collections.abc import Mapping
from itertools import chain
from typing import Final

from event_store_infra.preview.effects.deletion import DELETION_POLICY
from event_store_infra.preview.effects.effect import HARMLESS, Effect, Effects, Rule, less_safe, stops
from event_store_infra.preview.effects.rules import (
    begins,
    changes,
    either,
    ends,
    harmless,
    parts_from,
    same,
    thins,
    widens,
)
from event_store_infra.preview.markdown import code
from event_store_infra.preview.plan.plan import Step

ZONE: Final = "gcp:dns/managedZone:ManagedZone"
RECORD: Final = "gcp:dns/recordSet:RecordSet"
POLICY: Final = "gcp:dns/policy:Policy"
RESPONSES: Final = "gcp:dns/responsePolicy:ResponsePolicy"
RESPONSE: Final = "gcp:dns/responsePolicyRule:ResponsePolicyRule"
_DOCS: Final = "https://docs.cloud.google.com/dns/docs"
_ZONES: Final = f"{_DOCS}/zones"
_ORDER: Final = f"{_DOCS}/vpc-name-res-order"
_RECORDS: Final = f"{_DOCS}/records"
_SERVERS: Final = f"{_DOCS}/server-policies-overview"
# A zone and its records are made again from the program, but nobody finds anything by them until then.
_GONE: Final = stops("whoever looks up its names", _ZONES)
_ANSWERS: Final = changes(stops("whoever looks up its names: they lead elsewhere, or nowhere", _RECORDS))
_ASKED: Final = changes(stops("whoever looks up names that other servers answer, or none", _SERVERS))
_LOGS: Final = ends(less_safe("who looks up which name is no longer logged", f"{_DOCS}/monitoring"))
_SIGNED: Final = changes(
    stops("whoever checks signatures, until the domain's registrar has the new keys", f"{_DOCS}/dnssec")
)
_BALANCERS: Final = tuple(
    f"internalLoadBalancers.{each}"
    for each in ("ipAddress", "ipProtocol", "loadBalancerType", "networkUrl", "port", "project", "region")
)
_TARGETS: Final = ("externalEndpoints", *_BALANCERS)


def _looked_up_first(step: Step) -> Effect:
    """Tell of a zone of the network as it is made: it comes before all others."""
    if step.op != "create":
        return HARMLESS
    name = next((str(step.new[each]) for each in ("dnsName", "policyName") if step.new.get(each)), "?")
    return less_safe(
        f"the names of {code(name)} are looked up there first: one that it lacks is "
        "not found any more, as of a service of Google",
        _ORDER,
    )


def _networks(name: str) -> Mapping[str, Rule]:
    """Return the rule of where the names are found, as a list."""
    rule = either(
        thins(stops("whoever looks up its names in a network that goes", _ORDER)),
        widens(less_safe("its names are looked up in more networks first", _ORDER)),
    )
    return {name: rule}


_NAMED: Final = {
    **DELETION_POLICY,
    **harmless("description", "project"),  # another project is another resource
}
_POLICIES: Final = {
    "wrrs": ("rrdatas", "weight", *(f"healthCheckedTargets.{each}" for each in _TARGETS)),
    "geos": ("rrdatas", "location", *(f"healthCheckedTargets.{each}" for each in _TARGETS)),
    "primaryBackup.backupGeos": (
        *("rrdatas", "location"),
        *(f"healthCheckedTargets.{each}" for each in _TARGETS),
    ),
    "primaryBackup.primary": _TARGETS,
}
TABLES: Final[Mapping[str, Effects]] = {
    ZONE: Effects(
        gone=_GONE,
        made=_looked_up_first,
        properties={
            **_NAMED,
            # Another value of these is another zone, which is judged as the end of this one.
            **harmless("dnsName", "labels", "name", "reverseLookup", "visibility"),
            **harmless("serviceDirectoryConfig.namespace.namespaceUrl"),
            "cloudLoggingConfig.enableLogging": _LOGS,
            "dnssecConfig.state": either(
                parts_from(less_safe("its answers are no longer signed", f"{_DOCS}/dnssec"), "on"),
                parts_from(_SIGNED(0, 1), "on"),
            ),
            **same(_SIGNED, "algorithm", "keyLength", "keyType", at="dnssecConfig.defaultKeySpecs"),
            **same(_SIGNED, "nonExistence", at="dnssecConfig"),
            **harmless("defaultKeySpecs.kind", "kind", at="dnssecConfig"),
            "forceDestroy": begins(less_safe("a deletion of the zone deletes its records, too", _ZONES)),
            **same(
                _ASKED,
                *("domainName", "forwardingPath", "ipv4Address", "ipv6Address"),
                at="forwardingConfig.targetNameServers",
            ),
            "peeringConfig.targetNetwork.networkUrl": _ASKED,
            **harmless("gkeClusters.gkeClusterName", "networks.networkUrl", at="privateVisibilityConfig"),
        },
        blocks={
            **_networks("privateVisibilityConfig.networks"),
            **_networks("privateVisibilityConfig.gkeClusters"),
        },
    ),
    RECORD: Effects(
        gone=_GONE,
        properties={
            **{name: rule for name, rule in _NAMED.items() if name != "description"},
            # Another value of these is another record, which is judged as the end of this one.
            **harmless("managedZone", "name", "ttl"),
            **same(_ANSWERS, "rrdatas", "type"),
            **same(_ANSWERS, "enableGeoFencing", "healthCheck", at="routingPolicy"),
            **same(
                _ANSWERS,
                *("primaryBackup.enableGeoFencingForBackups", "primaryBackup.trickleRatio"),
                *chain.from_iterable((f"{at}.{each}" for each in names) for at, names in _POLICIES.items()),
                at="routingPolicy",
            ),
        },
    ),
    POLICY: Effects(
        gone=stops("whoever looks up names that its servers answer", _SERVERS),
        properties={
            **_NAMED,
            **harmless("name"),  # another one is another policy
            "enableInboundForwarding": ends(
                stops("whoever asks for the network's names from outside", _SERVERS)
            ),
            "enableLogging": _LOGS,
            "dns64Config.scope.allQueries": ends(stops("whatever reaches IPv4 by IPv6 only", _SERVERS)),
            **same(
                _ASKED, "forwardingPath", "ipv4Address", at="alternativeNameServerConfig.targetNameServers"
            ),
            **harmless("networks.networkUrl"),
        },
        blocks=_networks("networks"),
    ),
    RESPONSES: Effects(
        gone=_GONE,
        made=_looked_up_first,
        properties={
            **_NAMED,
            **harmless("responsePolicyName", "gkeClusters.gkeClusterName", "networks.networkUrl"),
        },
        blocks={**_networks("networks"), **_networks("gkeClusters")},
    ),
    RESPONSE: Effects(
        gone=_GONE,
        made=_looked_up_first,
        properties={
            **{name: rule for name, rule in _NAMED.items() if name != "description"},
            **harmless("dnsName", "responsePolicy", "ruleName", "localData.localDatas.ttl"),
            "behavior": _ANSWERS,
            **same(_ANSWERS, "name", "rrdatas", "type", at="localData.localDatas"),
        },
    ),
}
