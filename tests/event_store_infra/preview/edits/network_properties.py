"""Edits of the network: its settings, its subnetwork, the peering and an endpoint."""

from typing import Any, Final

from tests.event_store_infra.preview.edits.edit import HARMLESS, Edit, Patch

_STOPS: Final = "loses no data, but stops "
_LESS_SAFE: Final = "loses no data, but 1 change is less safe"
_ANEW: Final = {("replace", f"network-{each}") for each in ("vpc", "subnetwork", "services", "peering")}


def _edit(name: str, file: str, old: str, new: str, **what: Any) -> Edit:
    program = (Patch(f"components/{file}", old, new),)
    return Edit(name=name, program=program, **{"base": "prod-unprotected", **what})


EDITS: Final = (
    _edit(
        "reach-no-api-of-google-from-the-subnetwork",
        *("network/network.py", '"privateIpGoogleAccess": True', '"privateIpGoogleAccess": False'),
        headline=f"{_STOPS}whatever has no public address there",
    ),
    _edit(
        "send-smaller-packets",
        *("network/network.py", '"mtu": 1460', '"mtu": 1300'),
        headline=_LESS_SAFE,
        says=("larger packets",),
    ),
    _edit(
        "route-globally",
        *("network/network.py", '"routingMode": "REGIONAL"', '"routingMode": "GLOBAL"'),
        **HARMLESS,
    ),
    _edit(
        "make-subnetworks-everywhere",
        *("network/network.py", '"autoCreateSubnetworks": False', '"autoCreateSubnetworks": True'),
        headline="refused, ",
        refused={
            *_ANEW,
            *(("replace", f"database-{each}") for each in ("instance", "replica", "database")),
        },
        says=("from its private address",),
    ),
    _edit(
        "let-another-firewall-decide-first",
        *("network/network.py", "AFTER_CLASSIC_FIREWALL", "BEFORE_CLASSIC_FIREWALL"),
        headline=_LESS_SAFE,
        says=("another of two rules",),
    ),
    _edit(
        "reach-the-subnetwork-by-both-protocols",
        *("network/network.py", '"stackType": "IPV4_ONLY"', '"stackType": "IPV4_IPV6"'),
        **HARMLESS,
    ),
    _edit(
        "shrink-the-subnetwork",
        *("network/network.py", '"ipCidrRange": args.cidr', '"ipCidrRange": "10.8.0.0/27"'),
        headline="refused, ",
        refused={("replace", "network-subnetwork")},
        says=("a subnetwork only ever grows",),
    ),
    _edit(
        "take-the-peering-s-range-away",
        *(
            "network/network.py",
            "reserved_peering_ranges=[services.name]",
            'reserved_peering_ranges=["others"]',
        ),
        headline=_LESS_SAFE,
        says=("no further instance or replica",),
    ),
    _edit(
        "leave-the-peering-behind",
        *("network/network.py", 'deletion_policy="REMOVE_PEERING"', 'deletion_policy="ABANDON"'),
        **HARMLESS,
    ),
    _edit(
        "lead-the-endpoint-elsewhere",
        *(
            "database/endpoint.py",
            '"target": target',
            '"target": "projects/p/regions/europe-west1/serviceAttachments/other"',
        ),
        base="endpoint",
        headline=f"{_STOPS}every connection ",
    ),
    _edit(
        "give-the-endpoint-another-address",
        *("database/endpoint.py", '"address": None,  # Google\'s to choose', '"address": "10.8.0.9",'),
        base="endpoint",
        headline=f"{_STOPS}every connection to the database",
    ),
    _edit(
        "reach-the-endpoint-from-other-regions",
        *("database/endpoint.py", '"allowPscGlobalAccess": False', '"allowPscGlobalAccess": True'),
        base="endpoint",
        headline="loses no data",
    ),
    _edit(
        "admit-another-project-only",
        *(
            "database/instance_settings.py",
            "allowed_consumer_projects=[project]",
            'allowed_consumer_projects=["other"]',
        ),
        base="endpoint",
        headline=f"{_STOPS}whoever connects from the projects `event-store-staging`",
    ),
)
