"""Address and certificates of the database, for either engine."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi


def trusted(server_ca: pulumi.Output[str], others: str) -> pulumi.Output[str]:
    """Return the certificates to trust: the server's CA, and additional ones."""
    return server_ca.apply(lambda own: f"{own.rstrip()}\n{others}" if others else own)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicaConnection:
    """Address and certificates of a replica, which has the logins and databases of its primary.

    Attributes:
        host: Its private IPv4 address.
        server_ca: The PEM certificate that its server's certificate chains to.
    """

    host: pulumi.Output[str]
    server_ca: pulumi.Output[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseConnection:
    """Address and certificates of the database.

    Attributes:
        engine: `cloudsql` or `alloydb`.
        instance: The name of the Cloud SQL instance, or `projects/P/locations/R/clusters/C` of AlloyDB.
        host: Its private IPv4 address.
        database: The name of the database in it.
        server_ca: The PEM certificate that the server's certificate chains to.
        replica: What follows it; None if nothing does.
        serving: What has to be there before a user is made, beside `instance`.
    """

    engine: str = "cloudsql"
    instance: pulumi.Output[str]
    host: pulumi.Output[str]
    database: pulumi.Output[str]
    server_ca: pulumi.Output[str]
    replica: ReplicaConnection | None = None
    serving: Sequence[pulumi.Resource] = ()
