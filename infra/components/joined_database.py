"""The database that holds the log, in an instance that a team has already."""

from dataclasses import dataclass

import pulumi
from pulumi_gcp import sql

from infra.components.children import child_options
from infra.components.connection import DatabaseConnection, trusted
from infra.components.database import event_store_database


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinedDatabaseArgs:
    """What `JoinedDatabase` is made from.

    Attributes:
        project: The id of the project, which is the instance's too.
        instance: The instance's name. It has a private address and the flag `cloudsql.iam_authentication`.
        trusted_ca: Certificates that are trusted beside its own CA; empty for none.
    """

    project: str
    instance: str
    trusted_ca: str


class JoinedDatabase(pulumi.ComponentResource):
    """Owns the database of the log in somebody else's Cloud SQL instance.

    It deliberately changes nothing of the instance: size, backups and protection are its owner's.

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
        instance = sql.get_database_instance_output(
            name=args.instance, project=args.project, opts=pulumi.InvokeOutputOptions(parent=self)
        )
        database = event_store_database(name, args.project, args.instance, child_options(self, opts))
        self.connection = DatabaseConnection(
            instance=database.instance,
            host=instance.private_ip_address,
            database=database.name,
            server_ca=trusted(
                pulumi.Output.unsecret(instance.server_ca_certs.apply(lambda certs: certs[0].cert)),
                args.trusted_ca,
            ),
        )
        self.instance_connection_name = instance.connection_name
        self.readers = pulumi.Output.from_input("")
        self.register_outputs({"instance_connection_name": self.instance_connection_name})
