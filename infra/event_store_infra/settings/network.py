"""The settings of the network."""

import ipaddress
from dataclasses import dataclass
from typing import Final

from event_store.errors import ConfigurationError
from event_store_infra.settings.key import key

LONGEST_PREFIX: Final = 26  # Direct VPC egress takes no smaller subnetwork


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkSettings:
    """The network: a new one, whose range overlaps with no peered network, or an existing one."""

    vpc: str = key(
        "an existing VPC to join, with private service access set up; empty to create one",
        default="",
        pattern=r"|projects/[^/]+/global/networks/[^/]+",
        allowed="as in projects/P/global/networks/N, or empty",
        changed="refused if the own network would go; Cloud SQL moves with downtime, AlloyDB does not",
    )
    subnetwork: str = key(
        "the subnetwork of `vpc` that Cloud Run takes addresses from, in the stack's region",
        default="",
        pattern=r"|projects/[^/]+/regions/[^/]+/subnetworks/[^/]+",
        allowed="as in projects/P/regions/R/subnetworks/S; empty without `vpc`",
    )

    cidr: str = key(
        "the private IPv4 range of Cloud Run's instances, which take up to 4 addresses each",
        default="10.8.0.0/24",
        pattern=".+",
        allowed="a private range, /26 or larger",
        changed="a range that contains the old one: in place; any other: refused",
    )
    services_prefix_length: int = key(
        "prefix length of the range reserved for Google's managed services",
        unit="bits",
        changed="refused: the database would lose its address",
        default=20,
        lowest=16,
        highest=24,
    )

    def __post_init__(self) -> None:
        """Reject a range that Google or Direct VPC egress rejects."""
        if bool(self.vpc) != bool(self.subnetwork):
            raise ConfigurationError(
                "event-store:network.vpc and event-store:network.subnetwork belong together: "
                "set both or neither"
            )
        path = "event-store:network.cidr"
        try:
            network = ipaddress.IPv4Network(self.cidr)
        except ValueError as error:
            raise ConfigurationError(f"{path}: {error}; write a range as in 10.8.0.0/24") from None
        if not network.is_private:
            raise ConfigurationError(f"{path} is {self.cidr}, but must be private, as in 10.8.0.0/24")
        if network.prefixlen > LONGEST_PREFIX:
            raise ConfigurationError(f"{path} is {self.cidr}, but must be /{LONGEST_PREFIX} or larger")

    @property
    def most_instances(self) -> int:
        """The number of Cloud Run instances that fit: up to 4 addresses each, and Google keeps 4."""
        return (ipaddress.IPv4Network(self.cidr).num_addresses - 4) // 4
