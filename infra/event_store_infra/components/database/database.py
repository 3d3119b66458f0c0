"""The database that holds the log."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import pulumi
from pulumi_gcp import sql

from event_store_infra.components.children import child_options
from event_store_infra.components.database.connection import DatabaseConnection, ReplicaConnection, trusted
from event_store_infra.components.database.encryption import may_encrypt
from event_store_infra.components.database.endpoint import endpoint
from event_store_infra.components.database.instance_settings import instance_settings
from event_store_infra.settings import DatabaseSettings

DATABASE_NAME: Final = "event_store"


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseArgs:
    """The arguments of `Database`.

    Attributes:
        project: The id of the project.
        region: The region of the instance.
        instance: The instance's name.
        replica: The name of its read replica; empty without one.
        kept: The names of the instances of earlier generations that stay, by generation.
        network_id: The VPC that the instance is reached from. Private service access must be up, unless it is
            reached by Private Service Connect: depend on the component that makes it.
        subnetwork_id: The subnetwork that an endpoint of Private Service Connect gets its address in.
        settings: Size, availability and backups.
        protected: Whether the provider and Google refuse to delete the instance, and keep its backups if it
            is deleted all the same. The replica holds nothing of its own, and may go.
        labels: User labels of the instance.
        is_delivered: Whether CI deploys, so that a key's owner grants on it.
    """

    project: str
    region: str
    instance: str
    replica: str = ""
    kept: Mapping[int, str] = field(default_factory=dict)
    network_id: pulumi.Input[str]
    subnetwork_id: pulumi.Input[str]
    settings: DatabaseSettings = field(default_factory=DatabaseSettings)
    protected: bool = True
    labels: Mapping[str, str] = field(default_factory=dict)
    is_delivered: bool = False


class Database(pulumi.ComponentResource):
    """Owns the Cloud SQL instance for PostgreSQL and the database in it.

    Each generation is an instance of its own, so that a new one never takes the place of an old one, which
    holds data. A generation that is restored is a clone, and brings its database and its roles along.

    Reachable by private address and TLS only. It deliberately owns no user: whoever logs in brings its own
    identity (`DatabaseLogin`), and no password exists anywhere. Tables are the migrations' work.

    Attributes:
        connection: What a client needs to find and trust the database.
        instance_connection_name: `project:region:instance`.
        readers: The address of the read replica; empty without one.
    """

    connection: DatabaseConnection
    instance_connection_name: pulumi.Output[str]
    readers: pulumi.Output[str]

    def __init__(self, name: str, args: DatabaseArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("event-store:infra:Database", name, None, opts)
        child = child_options(self, opts)
        keys = args.settings.kms_keys
        encrypted = may_encrypt(
            name, args.project, "sqladmin.googleapis.com", keys, child, is_delivered=args.is_delivered
        )
        made = child_options(self, opts, after=encrypted)
        for generation, kept in args.kept.items():
            # Another version or key is the new generation's; the old one stays what a restore may need.
            ignored = ("databaseVersion", "encryptionKeyName")
            old = _instance(_generation_name(name, generation), kept, args, None, made, *ignored)
            if not args.is_delivered:
                old.encryption_key_name.apply(partial(_must_be_granted, generation, keys))
            if args.settings.restore_from and args.settings.restore_from.instance == kept:
                old.encryption_key_name.apply(partial(_must_have_the_key_of, kept, args.settings.kms_key))
        generation, restored = args.settings.generation, args.settings.restore_from
        clone = (
            sql.DatabaseInstanceCloneArgs(source_instance_name=restored.instance, point_in_time=restored.time)
            if restored is not None
            else None
        )
        own = _generation_name(name, generation)
        instance = _instance(own, args.instance, args, clone, made)
        database = (
            DATABASE_NAME
            if restored is not None  # Google refuses to make it a second time
            else event_store_database(own, args.project, instance.name, child).name
        )
        replica = _replica(own, args, instance, made) if args.replica else None
        self.connection = DatabaseConnection(
            instance=instance.name,
            host=_host(own, args, instance, child),
            database=pulumi.Output.from_input(database),
            server_ca=trusted(_server_ca(instance), args.settings.trusted_ca),
            replica=(
                ReplicaConnection(
                    host=_host(f"{own}-replica", args, replica, child),
                    server_ca=trusted(_server_ca(replica), args.settings.trusted_ca),
                )
                if replica is not None
                else None
            ),
        )
        self.instance_connection_name = instance.connection_name
        follows = self.connection.replica
        self.readers = follows.host if follows is not None else pulumi.Output.from_input("")
        self.register_outputs({"instance_connection_name": self.instance_connection_name})


def event_store_database(
    name: str, project: str, instance: pulumi.Input[str], opts: pulumi.ResourceOptions
) -> sql.Database:
    """Declare the database of the log in an instance."""
    return sql.Database(
        f"{name}-database",
        project=project,
        instance=instance,
        name=DATABASE_NAME,
        charset="UTF8",
        collation="en_US.UTF8",
        # Deleting the instance deletes it; deleting it alone fails while anybody is connected.
        deletion_policy="ABANDON",
        opts=opts,
    )


def _must_be_granted(generation: int, keys: Sequence[str], key: str | None) -> None:
    """Reject the removal of a key that a generation is encrypted with.

    Raises:
        RunError: The stack names other keys only. Google would suspend the instance, and nobody could read
            its backups: https://docs.cloud.google.com/sql/docs/postgres/cmek
    """
    if key and key not in keys:
        raise pulumi.RunError(
            f"event-store:database.earlier_kms_keys lacks the key of generation {generation}, which is kept: "
            f"add {key}"
        )


def _must_have_the_key_of(source: str, own: str, key: str | None) -> None:
    """Reject another key than that of the cloned instance.

    Google copies a disk with its key, and a request to clone has no key of its own. The provider would find
    another key than the program's, and replace the instance:
    https://docs.cloud.google.com/sql/docs/postgres/admin-api/rest/v1/instances/clone#CloneContext

    Raises:
        RunError: It is another one.
    """
    # Of an instance without a key of one's own the SDK tells the program's.
    if key and key != own:
        raise pulumi.RunError(
            f"event-store:database.kms_key is {own or 'empty'}, but a clone keeps the key of {source}: "
            f"set it to {key}"
        )


def _host(
    name: str, args: DatabaseArgs, instance: sql.DatabaseInstance, opts: pulumi.ResourceOptions
) -> pulumi.Output[str]:
    """Return the private address of an instance, by peering or by an endpoint."""
    if not args.settings.private_service_connect:
        return instance.private_ip_address
    return endpoint(
        name,
        {"project": args.project, "region": args.region, "name": instance.name},
        network_id=args.network_id,
        subnetwork_id=args.subnetwork_id,
        target=instance.psc_service_attachment_link,
        opts=opts,
    )


def _server_ca(instance: sql.DatabaseInstance) -> pulumi.Output[str]:
    # The provider marks it sensitive, but a CA's certificate is public.
    return pulumi.Output.unsecret(instance.server_ca_certs.apply(lambda certs: certs[0].cert or ""))


def _generation_name(name: str, generation: int) -> str:
    """Return the prefix of a generation's logical names."""
    return name if generation == 1 else f"{name}-{generation}"


def _instance(
    name: str,
    instance: str,
    args: DatabaseArgs,
    clone: sql.DatabaseInstanceCloneArgs | None,
    child: pulumi.ResourceOptions,
    *ignored: str,
) -> sql.DatabaseInstance:
    # The disk grows by itself; a size below today's would be a shrink, which Google refuses.
    # What an instance was cloned from says nothing any more once it is made.
    ignore_changes = ["settings.diskSize", "clone", *ignored]
    return sql.DatabaseInstance(
        f"{name}-instance",
        project=args.project,
        region=args.region,
        name=instance,
        database_version=args.settings.version,
        clone=clone,
        settings=_settings(args),
        deletion_protection=args.protected,
        encryption_key_name=args.settings.kms_key or None,
        opts=pulumi.ResourceOptions.merge(child, pulumi.ResourceOptions(ignore_changes=ignore_changes)),
    )


def _replica(
    name: str, args: DatabaseArgs, primary: sql.DatabaseInstance, child: pulumi.ResourceOptions
) -> sql.DatabaseInstance:
    """Declare the read replica, which has the users, databases and data of the primary."""
    return sql.DatabaseInstance(
        f"{name}-replica",
        project=args.project,
        region=args.region,
        name=args.replica,
        database_version=args.settings.version,
        instance_type="READ_REPLICA_INSTANCE",
        master_instance_name=primary.name,
        settings=_settings(args, is_replica=True),
        deletion_protection=False,
        encryption_key_name=args.settings.kms_key or None,
        opts=pulumi.ResourceOptions.merge(
            child, pulumi.ResourceOptions(ignore_changes=["settings.diskSize"])
        ),
    )


def _settings(args: DatabaseArgs, *, is_replica: bool = False) -> sql.DatabaseInstanceSettingsArgs:
    return instance_settings(
        args.settings,
        project=args.project,
        network_id=args.network_id,
        protected=args.protected,
        labels=args.labels,
        is_replica=is_replica,
    )
