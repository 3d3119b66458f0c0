"""One identity's way into the database, without a password."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi_gcp import projects, serviceaccount, sql

from event_store.environment import DATABASE_CA, Environment
from infra.components.children import child_options
from infra.components.database import DatabaseConnection

PROJECT_ROLES: Final = ("roles/cloudsql.client", "roles/cloudsql.instanceUser")


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseLoginArgs:
    """What `DatabaseLogin` is made from.

    Attributes:
        project: The id of the project.
        connection: The database.
        account: The service account that logs in.
        database_roles: The database's roles that the login is a member of. Cloud SQL demands that they exist.
        after: What creates those roles.
    """

    project: str
    connection: DatabaseConnection
    account: serviceaccount.Account
    database_roles: Sequence[str]
    after: Sequence[pulumi.Resource] = ()


class DatabaseLogin(pulumi.ComponentResource):
    """Owns the database user of one service account and the two project roles that an IAM login needs.

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
        for role in PROJECT_ROLES:
            projects.IAMMember(
                f"{name}-{role.removeprefix('roles/')}",
                project=args.project,
                role=role,
                member=args.account.member,
                opts=child_options(self, opts),
            )
        user = sql.User(
            f"{name}-user",
            project=args.project,
            instance=args.connection.instance,
            # Cloud SQL's name for a service account in PostgreSQL, whose names are limited to 63 bytes.
            name=args.account.email.apply(lambda email: email.removesuffix(".gserviceaccount.com")),
            type="CLOUD_IAM_SERVICE_ACCOUNT",
            database_roles=args.database_roles,
            # PostgreSQL drops no role that owns objects or holds grants; it goes with the instance.
            deletion_policy="ABANDON",
            opts=child_options(self, opts, after=args.after),
        )
        self.user = user.name
        self.variables = {
            **Environment(database_login="iam").variables(),
            DATABASE_CA: args.connection.server_ca,
            "PGHOST": args.connection.host,
            "PGDATABASE": args.connection.database,
            "PGUSER": self.user,
        }
        self.register_outputs({"user": self.user})
