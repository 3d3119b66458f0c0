"""The database of the log in an existing Cloud SQL instance."""

from dataclasses import dataclass

import pulumi
from pulumi_gcp import sql

from event_store.errors import ConfigurationError
from event_store_infra.components.children import child_options
from event_store_infra.components.database.connection import DatabaseConnection, trusted
from event_store_infra.components.database.database import event_store_database


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinedDatabaseArgs:
    """The arguments of `JoinedDatabase`.

    Attributes:
        project: The id of the project, which is the instance's too.
        instance: The instance's name. It has a private address and the flag `cloudsql.iam_authentication`.
        trusted_ca: Certificates that are trusted beside its own CA; empty for none.
    """

    project: str
    instance: str
    trusted_ca: str = ""


class JoinedDatabase(pulumi.ComponentResource):
    """Owns the database of the log in somebody else's Cloud SQL instance.

    It deliberately changes nothing of the instance: size, backups and protection are its owner's.

    Raises:
        ConfigurationError: The instance cannot be looked up, or has no private address.

    Attributes:
        connection: What a client needs to find and trust the database.
        instance_connection_name: `project:region:instance`.
        readers: Where readers of a team's own find a copy; empty, there is none.
    """

    connection: DatabaseConnection
    instance_connection_name: pulumi.Output[str]
    readers: pulumi.Output[str]

    def __init__(
        self, name: str, args: JoinedDatabaseArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("event-store:infra:JoinedDatabase", name, None, opts)
        instance = look_up(args, pulumi.InvokeOptions(parent=self))
        database = event_store_database(name, args.project, args.instance, child_options(self, opts))
        self.connection = DatabaseConnection(
            instance=database.instance,
            host=pulumi.Output.from_input(instance.private_ip_address),
            database=database.name,
            server_ca=trusted(pulumi.Output.from_input(instance.server_ca_certs[0].cert), args.trusted_ca),
        )
        self.instance_connection_name = pulumi.Output.from_input(instance.connection_name)
        self.readers = pulumi.Output.from_input("")
        self.register_outputs({"instance_connection_name": self.instance_connection_name})


def look_up(args: JoinedDatabaseArgs, opts: pulumi.InvokeOptions) -> sql.GetDatabaseInstanceResult:
    """Return the instance that a `JoinedDatabase` would join.

    Args:
        args: The component's.
        opts: Which provider looks it up.

    Raises:
        ConfigurationError: It cannot be looked up, or has no private address.
    """
    key = f"event-store:database.instance: the Cloud SQL instance {args.instance} of {args.project}"
    try:
        instance = sql.get_database_instance(name=args.instance, project=args.project, opts=opts)
    except Exception as error:  # the SDK raises nothing narrower
        raise ConfigurationError(
            f"{key} cannot be looked up: check its name and its project, and that you may see it "
            f"(cloudsql.instances.get, as in roles/cloudsql.viewer). {error}"
        ) from error
    if not instance.private_ip_address:
        raise ConfigurationError(
            f"{key} has no private address, which the service reaches it by: give it one in the network of "
            "event-store:network.vpc"
        )
    return instance
