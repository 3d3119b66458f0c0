"""The whole stack, composed of its components."""

from pathlib import Path
from typing import Final

import pulumi
from pulumi.runtime.config import CONFIG

from event_store.topology import Ordering, Topology
from event_store_infra.components.bus import EventBus, EventBusArgs
from event_store_infra.components.database.alloydb import AlloyDB, AlloyDBArgs
from event_store_infra.components.database.database import Database, DatabaseArgs
from event_store_infra.components.database.joined_database import JoinedDatabase, JoinedDatabaseArgs
from event_store_infra.components.monitoring import Monitoring, MonitoringArgs, Watched
from event_store_infra.components.network.joined_network import JoinedNetwork, JoinedNetworkArgs
from event_store_infra.components.network.network import Network, NetworkArgs
from event_store_infra.components.project.project_services import APIS, ProjectServices, ProjectServicesArgs
from event_store_infra.components.registry.promoted_image import PromotedImage, PromotedImageArgs
from event_store_infra.components.registry.registry import Registry, RegistryArgs
from event_store_infra.components.workload.event_store import EventStore, EventStoreArgs
from event_store_infra.components.workload.migrations import Migrations, MigrationsArgs
from event_store_infra.components.workload.relay import Relay, relay_pool
from event_store_infra.protection import protect_data
from event_store_infra.settings import Settings

ROOT: Final = Path(__file__).resolve().parents[2]


def deploy() -> None:
    """Declare everything that the stack's configuration and the topology ask for, and export where it is.

    Raises:
        ConfigurationError: The configuration or the topology is wrong. Nothing is declared then.
    """
    settings = Settings.parse(CONFIG.get())
    topology = Topology.load(ROOT / settings.topology)
    if settings.protected:
        protect_data()
    for name, output in declare(settings, topology).items():
        pulumi.export(name, output)


def declare(settings: Settings, topology: Topology) -> dict[str, pulumi.Input[object]]:
    """Declare the stack's resources and return its outputs."""
    project, region, prefix, labels = settings.project, settings.region, settings.prefix, settings.labels
    ordering = Ordering("partitions", settings.ordering.partitions) if settings.ordering else None
    routing = topology.routing(project, ordering).to_json()

    is_alloydb = settings.database.engine == "alloydb"
    apis = (*APIS, "alloydb") if is_alloydb else APIS
    services = ProjectServices("services", ProjectServicesArgs(project=project, apis=apis))
    enabled = pulumi.ResourceOptions(depends_on=[services])
    bus = EventBus(
        "bus",
        EventBusArgs(
            project=project,
            region=region,
            prefix=prefix,
            topology=topology,
            labels=labels,
            is_delivered=settings.is_delivered,
            keeps_push_identity=True,
        ),
        enabled,
    )
    source = _image(settings, enabled)
    is_elsewhere = bool(settings.image or settings.repository)
    pulled = pulumi.ResourceOptions(depends_on=[services, source]) if is_elsewhere else enabled
    network = _network(settings, enabled)
    database = _database(settings, network, pulumi.ResourceOptions(depends_on=[services, network]))
    if is_alloydb and not settings.alloydb.server_ca:
        pulumi.log.warn(
            "event-store:alloydb.server_ca is not set, so nothing connects to the cluster yet: "
            "docs/howto/alloydb.md says how to get it; set it, and update again"
        )
        return {"topics": bus.topics, "instance_connection_name": database.instance_connection_name}
    migrations = Migrations(
        "migrations",
        MigrationsArgs(
            project=project,
            region=region,
            prefix=prefix,
            image=source.image,
            network_id=network.network_id,
            subnetwork_id=network.subnetwork_id,
            connection=database.connection,
            attempt=settings.migration_attempt,
            labels=labels,
            is_delivered=settings.is_delivered,
        ),
        pulled,
    )
    workload = EventStoreArgs(
        project=project,
        region=region,
        prefix=prefix,
        image=source.image,
        network_id=network.network_id,
        subnetwork_id=network.subnetwork_id,
        connection=database.connection,
        migrations=migrations,
        routing=routing,
        topics=bus.topics,
        settings=settings.service,
        labels=labels,
        is_delivered=settings.is_delivered,
        rollout=settings.rollout,
    )
    event_store = EventStore("event-store", workload, pulled)
    if settings.service.relay == "worker-pool":
        Relay("relay", workload, pulled)
    if settings.monitoring.enabled:
        if settings.protected and not settings.monitoring.tells_somebody:
            pulumi.log.warn(
                "the alerts of this stack tell nobody: set event-store:monitoring.emails, or "
                "event-store:monitoring.channels for Slack, PagerDuty and others"
            )
        Monitoring(
            "monitoring",
            MonitoringArgs(watched=_watched(settings, topology), settings=settings.monitoring, labels=labels),
            enabled,
        )
    return {
        "service_uri": event_store.uri,
        "revision": event_store.revision,
        "topics": bus.topics,
        "subscriptions": bus.subscriptions,
        "dead_letter_subscriptions": bus.dead_letter_subscriptions,
        "instance_connection_name": database.instance_connection_name,
        "readers": database.readers,
        "database": database.connection.database,
        "migrator_user": migrations.user,
        "runtime_user": event_store.user,
        "runtime_service_account": event_store.service_account,
        "image": source.image,
        "image_digest": source.digest,
    }


def _image(settings: Settings, opts: pulumi.ResourceOptions) -> Registry | PromotedImage:
    """Return what gives the image: another environment, or a build of the sources."""
    if settings.image:
        return PromotedImage(
            "image",
            PromotedImageArgs(
                project=settings.project, image=settings.image, is_delivered=settings.is_delivered
            ),
            opts,
        )
    return Registry(
        "registry",
        RegistryArgs(
            project=settings.project,
            region=settings.region,
            prefix=settings.prefix,
            # Pulumi runs the program in its own folder. A relative path is the same on every machine.
            context="..",
            dockerfile="../service/Dockerfile",
            repository=settings.repository,
            labels=settings.labels,
            image_readers=settings.image_readers,
            is_delivered=settings.is_delivered,
        ),
        opts,
    )


def _network(settings: Settings, opts: pulumi.ResourceOptions) -> Network | JoinedNetwork:
    """Return the network: one that is there, or an own one."""
    project, own = settings.project, settings.network
    if own.vpc:
        joined = JoinedNetworkArgs(
            project=project,
            vpc=own.vpc,
            subnetwork=own.subnetwork,
            is_delivered=settings.is_delivered,
        )
        return JoinedNetwork("network", joined, opts)
    return Network(
        "network",
        NetworkArgs(
            project=project,
            region=settings.region,
            prefix=settings.prefix,
            cidr=own.cidr,
            services_prefix_length=(
                None if settings.database.private_service_connect else own.services_prefix_length
            ),
        ),
        opts,
    )


def _database(
    settings: Settings, network: Network | JoinedNetwork, opts: pulumi.ResourceOptions
) -> Database | AlloyDB | JoinedDatabase:
    """Return the database: in an instance that is there, or in an own one."""
    if settings.database.engine == "alloydb":
        cluster = AlloyDBArgs(
            project=settings.project,
            region=settings.region,
            name=settings.instance,
            network_id=network.network_id,
            settings=settings.database,
            alloydb=settings.alloydb,
            protected=settings.protected,
            labels=settings.labels,
            is_delivered=settings.is_delivered,
        )
        return AlloyDB("database", cluster, opts)
    if settings.database.instance:
        joined = JoinedDatabaseArgs(
            project=settings.project,
            instance=settings.instance,
            trusted_ca=settings.database.trusted_ca,
        )
        return JoinedDatabase("database", joined, opts)
    return Database(
        "database",
        DatabaseArgs(
            project=settings.project,
            region=settings.region,
            instance=settings.instance,
            replica=settings.replica,
            kept=settings.kept_instances,
            network_id=network.network_id,
            subnetwork_id=network.subnetwork_id,
            settings=settings.database,
            protected=settings.protected,
            labels=settings.labels,
            is_delivered=settings.is_delivered,
        ),
        opts,
    )


def _watched(settings: Settings, topology: Topology) -> Watched:
    """Return the names of what is watched, as the components give them."""
    return Watched(
        project=settings.project,
        service=settings.prefix,
        relay=relay_pool(settings.prefix) if settings.service.relay == "worker-pool" else "",
        job=f"{settings.prefix}-migrate",
        # The metrics of AlloyDB are others: see docs/howto/alloydb.md.
        instance=settings.instance if settings.database.engine == "cloudsql" else "",
        replica=settings.replica,
        topics=[topic.name for topic in topology.topics],
        subscriptions=[
            each.name_of(generation)
            for each in topology.subscriptions
            for generation in (*each.kept_generations, each.generation)
        ],
        dead_letters=[each.dead_letter_name for each in topology.subscriptions],
        least_instances=settings.service.min_instances,
        most_instances=settings.service.max_instances,
        most_connections=settings.database.most_connections,
        disk_limit_bytes=settings.database.disk_limit_gb * 2**30,
    )
