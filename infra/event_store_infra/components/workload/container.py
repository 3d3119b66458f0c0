"""The parts that all containers share: identity, database login and network access."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi

from event_store_infra.components.database.connection import DatabaseConnection
from event_store_infra.components.database.login import DatabaseLogin, DatabaseLoginArgs
from event_store_infra.components.delivery.account import Account, account


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerArgs:
    """The arguments that all containers share.

    Attributes:
        project: The id of the project.
        region: The location of what runs it.
        prefix: The beginning of the names of what runs it and of its service account.
        image: The image by digest.
        network_id: The VPC to reach the database through.
        subnetwork_id: The subnetwork that instances get their addresses in.
        connection: The database.
        labels: Labels of what runs it.
        is_delivered: Whether CI deploys, so that the bootstrap has made the account and its rights.
    """

    project: str
    region: str
    prefix: str
    image: pulumi.Input[str]
    network_id: pulumi.Input[str]
    subnetwork_id: pulumi.Input[str]
    connection: DatabaseConnection
    labels: Mapping[str, str] = field(default_factory=dict)
    is_delivered: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """The identity that a container acts as.

    Attributes:
        account: Its service account.
        login: Its way into the database.
        rights: What it may not start before: the login.
    """

    account: Account
    login: DatabaseLogin
    rights: Sequence[pulumi.Resource]


def identity(
    name: str,
    args: ContainerArgs,
    opts: pulumi.ResourceOptions,
    *,
    role: str,
    about: str,
    database_role: str,
    after: Sequence[pulumi.Resource] = (),
) -> Identity:
    """Declare a container's service account and its database login.

    Args:
        name: The beginning of the names in the program.
        args: What the component is made from.
        opts: The options of the component's children.
        role: The end of the service account's name.
        about: What it is, in words.
        database_role: The database's role that it is a member of.
        after: What creates that role.
    """
    acts_as = account(
        f"{name}-account",
        project=args.project,
        account_id=f"{args.prefix}-{role}",
        about=about,
        is_delivered=args.is_delivered,
        opts=opts,
    )
    login = DatabaseLogin(
        f"{name}-login",
        DatabaseLoginArgs(
            project=args.project,
            connection=args.connection,
            account=acts_as,
            database_roles=[database_role],
            after=after,
            is_delivered=args.is_delivered,
        ),
        opts,
    )
    return Identity(account=acts_as, login=login, rights=[login])


def vpc_access(args: ContainerArgs) -> Any:
    """Return a container's VPC access, as services, worker pools and jobs take it."""
    return {
        "egress": "PRIVATE_RANGES_ONLY",
        "network_interfaces": [{"network": args.network_id, "subnetwork": args.subnetwork_id}],
    }
