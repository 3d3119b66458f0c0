"""The database of the log on AlloyDB, for a team that outgrows one Cloud SQL primary."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import pulumi
from pulumi_gcp import alloydb

from event_store_infra.components.children import child_options
from event_store_infra.components.database.connection import DatabaseConnection
from event_store_infra.components.database.database import DATABASE_NAME
from event_store_infra.components.database.encryption import may_encrypt
from event_store_infra.settings import AlloyDBSettings, DatabaseSettings

_DAYS: Final = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")


@dataclass(frozen=True, slots=True, kw_only=True)
class AlloyDBArgs:
    """The arguments of `AlloyDB`.

    Attributes:
        project: The id of the project.
        region: The region of the cluster.
        name: The cluster's name, and the beginning of its instances'.
        network_id: The VPC that instances get their private addresses in. Private service access must be up:
            depend on the component that makes it.
        settings: What every engine has: availability, backups, maintenance, flags, key.
        alloydb: What AlloyDB alone has.
        protected: Whether the provider refuses to delete cluster and primary.
        labels: Labels of the cluster and its instances.
        is_delivered: Whether CI deploys, so that a key's owner grants on it.
    """

    project: str
    region: str
    name: str
    network_id: pulumi.Input[str]
    settings: DatabaseSettings
    alloydb: AlloyDBSettings
    protected: bool = True
    labels: Mapping[str, str] = field(default_factory=dict)
    is_delivered: bool = False


class AlloyDB(pulumi.ComponentResource):
    """Owns the AlloyDB cluster with its primary and, optionally, a read pool.

    Reachable by private address and TLS only. It deliberately owns no user and no database: whoever logs in
    brings its own identity (`DatabaseLogin`), the migrations make the database, and Google's own user
    `postgres` has no password to log in with.

    Attributes:
        connection: What a client needs to find and trust the database.
        instance_connection_name: `projects/P/locations/R/clusters/C/instances/I` of the primary.
        readers: The private address of the read pool; empty without one.
    """

    connection: DatabaseConnection
    instance_connection_name: pulumi.Output[str]
    readers: pulumi.Output[str]

    def __init__(self, name: str, args: AlloyDBArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("event-store:infra:AlloyDB", name, None, opts)
        child = child_options(self, opts)
        keys = args.settings.kms_keys
        encrypted = may_encrypt(
            name, args.project, "alloydb.googleapis.com", keys, child, is_delivered=args.is_delivered
        )
        cluster = _cluster(name, args, child_options(self, opts, after=encrypted))
        primary = _instance(f"{name}-primary", "PRIMARY", args, cluster.name, child)
        self.readers = pulumi.Output.from_input("")
        if args.alloydb.read_nodes:
            later = child_options(self, opts, after=[primary])
            pool = _instance(f"{name}-readers", "READ_POOL", args, cluster.name, later)
            self.readers = pool.ip_address
        self.connection = DatabaseConnection(
            engine="alloydb",
            instance=cluster.name,
            host=primary.ip_address,
            database=pulumi.Output.from_input(DATABASE_NAME),
            server_ca=pulumi.Output.from_input(args.alloydb.server_ca),
            # Google makes a user in the primary, and refuses it while the cluster has none:
            # https://registry.terraform.io/providers/hashicorp/google/latest/docs/resources/alloydb_user
            serving=[primary],
        )
        self.instance_connection_name = primary.name
        self.register_outputs(
            {"instance_connection_name": self.instance_connection_name, "readers": self.readers}
        )


def _cluster(name: str, args: AlloyDBArgs, opts: pulumi.ResourceOptions) -> "alloydb.Cluster":
    settings = args.settings
    return alloydb.Cluster(
        f"{name}-cluster",
        project=args.project,
        location=args.region,
        cluster_id=args.name,
        cluster_type="PRIMARY",
        subscription_type="STANDARD",
        database_version=args.alloydb.version,
        # Else the provider goes on while Google upgrades, and the migrations meet a database that is away.
        skip_await_major_version_upgrade=False,
        network_config=alloydb.ClusterNetworkConfigArgs(network=args.network_id),
        encryption_config=(
            alloydb.ClusterEncryptionConfigArgs(kms_key_name=settings.kms_key) if settings.kms_key else None
        ),
        automated_backup_policy=alloydb.ClusterAutomatedBackupPolicyArgs(
            enabled=settings.backups,
            location=args.region,
            backup_window="3600s",
            weekly_schedule=alloydb.ClusterAutomatedBackupPolicyWeeklyScheduleArgs(
                days_of_weeks=_DAYS,
                start_times=[
                    alloydb.ClusterAutomatedBackupPolicyWeeklyScheduleStartTimeArgs(
                        # Google takes whole hours.
                        hours=int(settings.backup_start_time[:2]),
                        minutes=0,
                        seconds=0,
                        nanos=0,
                    )
                ],
            ),
            quantity_based_retention=alloydb.ClusterAutomatedBackupPolicyQuantityBasedRetentionArgs(
                count=settings.retained_backups
            ),
        ),
        continuous_backup_config=alloydb.ClusterContinuousBackupConfigArgs(
            enabled=settings.point_in_time_recovery,
            recovery_window_days=args.alloydb.recovery_window_days,
        ),
        maintenance_update_policy=alloydb.ClusterMaintenanceUpdatePolicyArgs(
            maintenance_windows=[
                alloydb.ClusterMaintenanceUpdatePolicyMaintenanceWindowArgs(
                    day=_DAYS[settings.maintenance_day - 1],
                    start_time=alloydb.ClusterMaintenanceUpdatePolicyMaintenanceWindowStartTimeArgs(
                        hours=settings.maintenance_hour, minutes=0, seconds=0, nanos=0
                    ),
                )
            ]
        ),
        deletion_protection=args.protected,
        deletion_policy="PREVENT" if args.protected else "DEFAULT",
        labels=args.labels,
        opts=opts,
    )


def _instance(
    name: str, kind: str, args: AlloyDBArgs, cluster: pulumi.Output[str], opts: pulumi.ResourceOptions
) -> "alloydb.Instance":
    is_primary = kind == "PRIMARY"
    flags = args.settings.primary_flags if is_primary else args.settings.flags_of_replica
    return alloydb.Instance(
        name,
        cluster=cluster,
        instance_id=f"{args.name}-{'primary' if is_primary else 'readers'}",
        instance_type=kind,
        availability_type=args.settings.availability if is_primary else None,
        machine_config=alloydb.InstanceMachineConfigArgs(cpu_count=args.alloydb.cpus),
        read_pool_config=(
            None if is_primary else alloydb.InstanceReadPoolConfigArgs(node_count=args.alloydb.read_nodes)
        ),
        database_flags={"alloydb.iam_authentication": "on", **flags},
        client_connection_config=alloydb.InstanceClientConnectionConfigArgs(
            require_connectors=False,
            ssl_config=alloydb.InstanceClientConnectionConfigSslConfigArgs(ssl_mode="ENCRYPTED_ONLY"),
        ),
        network_config=alloydb.InstanceNetworkConfigArgs(enable_public_ip=False),
        query_insights_config=alloydb.InstanceQueryInsightsConfigArgs(
            query_plans_per_minute=5,
            query_string_length=1024,
            record_application_tags=False,
            record_client_address=False,
        ),
        deletion_policy="PREVENT" if args.protected and is_primary else "DELETE",
        labels=args.labels,
        opts=opts,
    )
