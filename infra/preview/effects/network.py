"""The network: what the database is reached by, and what runs in it."""

from collections.abc import Mapping
from typing import Final

from infra.preview.effects.effect import Effects, cuts_off, less_safe, stops

_PEERING: Final = "https://docs.cloud.google.com/sql/docs/postgres/configure-private-services-access"
_WAY: Final = cuts_off(
    "the database from its private address, and every connection of service and migrations with it",
    "a database cannot change its network in place: make another network and instance beside these.",
    _PEERING,
    "delete the database, or connect it to another network.",
)
_ENDPOINT: Final = stops(
    "every connection to the database: its address in the network goes",
    "https://docs.cloud.google.com/vpc/docs/private-service-connect",
    "keep the endpoint.",
)

TABLES: Final[Mapping[str, Effects]] = {
    "gcp:compute/network:Network": Effects(gone=_WAY, properties={}),
    "gcp:compute/globalAddress:GlobalAddress": Effects(gone=_WAY, properties={}),
    "gcp:servicenetworking/connection:Connection": Effects(gone=_WAY, properties={}),
    "gcp:compute/subnetwork:Subnetwork": Effects(
        gone=cuts_off(
            "every instance of Cloud Run from its address: Google deletes no subnetwork that has one in use, "
            "nor for two hours after, so that the update stops half-way",
            "a subnetwork only ever grows: take a range that holds the one before, or join another one by "
            "`event-store:network.vpc` and `subnetwork`.",
            "https://docs.cloud.google.com/run/docs/configuring/vpc-direct-vpc",
            "move what runs in it to another one, and delete it two hours later.",
        ),
        properties={},
    ),
    "gcp:compute/address:Address": Effects(gone=_ENDPOINT, properties={}),
    "gcp:compute/forwardingRule:ForwardingRule": Effects(gone=_ENDPOINT, properties={}),
    "gcp:compute/firewall:Firewall": Effects(
        gone=less_safe(
            "what it forbade is allowed, or what it allowed is stopped",
            "https://docs.cloud.google.com/firewall/docs/firewalls",
        ),
        properties={},
    ),
}
