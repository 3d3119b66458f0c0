"""The database login of a service account, without a password."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi_gcp import alloydb, projects, sql

from event_store.environment import DATABASE_CA, Environment
from event_store_infra.components.children import child_options
from event_store_infra.components.database.connection import DatabaseConnection
from event_store_infra.components.delivery.account import Account
from event_store_infra.identities import LOGIN_ROLES

# The role of those who may do all that Google lets a customer do in a database.
ADMINISTRATORS: Final = {"cloudsql": "cloudsqlsuperuser", "alloydb": "alloydbsuperuser"}


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseLoginArgs:
    """The arguments of `DatabaseLogin`.

    Attributes:
        project: The id of the project.
        connection: The database.
        account: The service account that logs in.
        database_roles: The database's roles that the login is a member of. Google demands that they exist.
        after: What creates those roles.
        is_delivered: Whether CI deploys, so that the bootstrap has granted the roles on the project.
    """

    project: str
    connection: DatabaseConnection
    account: Account
    database_roles: Sequence[str]
    after: Sequence[pulumi.Resource] = ()
    is_delivered: bool = False


class DatabaseLogin(pulumi.ComponentResource):
    """Owns the database user of one service account and the roles on the project that an IAM login needs.

    It deliberately grants nothing inside the database: `database_roles` and the migrations do.

    Attributes:
        user: The name of the database user.
        variables: The environment that makes a container of ours log in this way.
    """

    user: pulumi.Output[str]
    variables: dict[str, pulumi.Input[str]]

    def __init__(
        self, name: str, args: DatabaseLoginArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("event-store:infra:DatabaseLogin", name, None, opts)
        for role in () if args.is_delivered else LOGIN_ROLES[args.connection.engine]:
            projects.IAMMember(
                f"{name}-{role.removeprefix('roles/')}",
                project=args.project,
                role=role,
                member=args.account.member,
                opts=child_options(self, opts),
            )
        after = [*args.connection.serving, *args.after]
        self.user = _user(name, args, child_options(self, opts, after=after))
        self.variables = {
            **Environment(database_login="iam").variables(),
            DATABASE_CA: args.connection.server_ca,
            "PGHOST": args.connection.host,
            "PGDATABASE": args.connection.database,
            "PGUSER": self.user,
        }
        self.register_outputs({"user": self.user})


def _user(name: str, args: DatabaseLoginArgs, opts: pulumi.ResourceOptions) -> pulumi.Output[str]:
    """Declare the database user and return its name."""
    # Google's name for a service account in PostgreSQL, whose names are limited to 63 bytes.
    user: pulumi.Output[str] = args.account.email.apply(
        lambda email: email.removesuffix(".gserviceaccount.com")
    )
    # PostgreSQL drops no role that owns objects or holds grants; it goes with the instance.
    kept = "ABANDON"
    if args.connection.engine == "alloydb":
        role = alloydb.User(
            f"{name}-user",
            cluster=args.connection.instance,
            user_id=user,
            user_type="ALLOYDB_IAM_USER",
            # Google makes an identity a member of this one; to leave it out would take that away.
            database_roles=["alloydbiamuser", *args.database_roles],
            deletion_policy=kept,
            opts=opts,
        )
        # Only once the user is there.
        named: pulumi.Output[str] = role.user_id
        return named
    return sql.User(
        f"{name}-user",
        project=args.project,
        instance=args.connection.instance,
        name=user,
        type="CLOUD_IAM_SERVICE_ACCOUNT",
        database_roles=args.database_roles,
        deletion_policy=kept,
        opts=opts,
    ).name
