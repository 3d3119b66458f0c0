"""The whole stack, composed of its components."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Final

import pulumi
from pulumi.runtime.config import CONFIG

from event_store.errors import ConfigurationError
from event_store.topology import Ordering, Topology
from event_store_infra.components.bus import EventBus, EventBusArgs
from event_store_infra.components.database.alloydb import AlloyDB, AlloyDBArgs
from event_store_infra.components.database.database import Database, DatabaseArgs
from event_store_infra.components.database.joined_database import JoinedDatabase, JoinedDatabaseArgs, look_up
from event_store_infra.components.monitoring import Monitoring, MonitoringArgs, Watched
from event_store_infra.components.network.joined_network import JoinedNetwork, JoinedNetworkArgs
from event_store_infra.components.network.network import Network, NetworkArgs
from event_store_infra.components.project.project_services import APIS, ProjectServices, ProjectServicesArgs
from event_store_infra.components.registry.image_build import ImageBuild
from event_store_infra.components.registry.promoted_image import PromotedImage, PromotedImageArgs
from event_store_infra.components.registry.registry import Registry, RegistryArgs
from event_store_infra.components.workload.event_store import EventStore, EventStoreArgs
from event_store_infra.components.workload.migrations import Migrations, MigrationsArgs
from event_store_infra.components.workload.relay import Relay, relay_pool
from event_store_infra.protection import protect_data
from event_store_infra.refusal import one_message
from event_store_infra.settings import Settings
from event_store_infra.settings.stack import IMAGE

_EXAMPLE_IMAGE: Final = "europe-west1-docker.pkg.dev/P/event-store/event-store@sha256:…"


def _nothing() -> pulumi.Output[str]:
    return pulumi.Output.from_input("")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """What `deploy` made, exported from the program under the same names.

    On AlloyDB the cluster comes first and its certificate is set afterwards. Until then `topics` and
    `instance_connection_name` are there, and everything else is empty.

    Attributes:
        topics: The ids (`projects/P/topics/T`) by name, without those of dead letters.
        instance_connection_name: `project:region:instance` of Cloud SQL, the full name of AlloyDB's
            primary.
        subscriptions: The ids (`projects/P/subscriptions/S`) by name, each of its newest generation.
        dead_letter_subscriptions: The ids of the pull subscriptions on dead letters, by name.
        readers: The private address of the database's read replica or read pool; empty without one.
        database: The name of the database in the instance.
        migrator_user: The database user of the migrations.
        runtime_user: The database user of the service.
        runtime_service_account: The email of the service account that the service acts as.
        service_uri: The service's HTTPS address; gRPC clients use its host and port 443.
        revision: The name of the service's latest revision that became ready.
        image: The service's image by digest.
        image_digest: The digest alone, `sha256:…`.
    """

    topics: Mapping[str, pulumi.Output[str]]
    instance_connection_name: pulumi.Output[str]
    subscriptions: Mapping[str, pulumi.Output[str]] = field(default_factory=dict)
    dead_letter_subscriptions: Mapping[str, pulumi.Output[str]] = field(default_factory=dict)
    readers: pulumi.Output[str] = field(default_factory=_nothing)
    database: pulumi.Output[str] = field(default_factory=_nothing)
    migrator_user: pulumi.Output[str] = field(default_factory=_nothing)
    runtime_user: pulumi.Output[str] = field(default_factory=_nothing)
    runtime_service_account: pulumi.Output[str] = field(default_factory=_nothing)
    service_uri: pulumi.Output[str] = field(default_factory=_nothing)
    revision: pulumi.Output[str] = field(default_factory=_nothing)
    image: pulumi.Output[str] = field(default_factory=_nothing)
    image_digest: pulumi.Output[str] = field(default_factory=_nothing)


def deploy(
    settings: Settings | None = None,
    *,
    topology: Topology | None = None,
    image: ImageBuild | str | None = None,
    opts: pulumi.ResourceOptions | None = None,
) -> Outputs:
    """Declare a whole event store, at most one in a program, and export where everything is.

    Args:
        settings: Everything that docs/reference/settings.md lists, with units and defaults; None for the
            configuration of the Pulumi stack, which must have `gcp:project` and `gcp:region`.
        topology: Topics, subscriptions and routes; None for the file that `settings.topology` names, relative
            to the folder of `Pulumi.yaml`, by default `topology.yaml`.
        image: The service's image: pushed already, by digest, as in
            `europe-west1-docker.pkg.dev/P/R/event-store@sha256:…`, or what Docker builds it from.
            `settings.image` goes before it; None if that is always set.
        opts: Options of every component, as an explicit provider.

    Raises:
        SystemExit: The settings, the topology or the image are wrong, or there is no such instance to join.
            Nothing is declared then, and Pulumi prints one message without a traceback.
    """
    with one_message():
        settings = settings or Settings.parse(CONFIG.get())
        settings, build = _with_image(settings, image)
        topology = topology or Topology.load(_project_folder() / settings.topology)
        if settings.database.instance:
            look_up(_joined(settings), _provided(opts))  # before the first resource: it may raise
        outputs = _declare(settings, topology, build, opts)
    for each in fields(outputs):
        pulumi.export(each.name, getattr(outputs, each.name))
    return outputs


def _project_folder() -> Path:
    """Return the folder of `Pulumi.yaml`: the program's own, or the nearest above it.

    `pulumi.get_root_directory` would tell, but is empty with older language hosts.
    """
    own = Path.cwd()
    return next((each for each in (own, *own.parents) if (each / "Pulumi.yaml").exists()), own)


def _with_image(settings: Settings, image: ImageBuild | str | None) -> tuple[Settings, ImageBuild | None]:
    """Return the settings with a pushed image, or what to build one from."""
    if settings.image:
        return settings, None
    if image is None:
        raise ConfigurationError(
            "there is no image of the service: set event-store:image to one that is pushed, by digest as in "
            f"{_EXAMPLE_IMAGE}, or build one by deploy(image=ImageBuild(context=FOLDER))"
        )
    if isinstance(image, ImageBuild):
        if not Path(image.context).is_dir():
            raise ConfigurationError(
                f"deploy(image=ImageBuild(context={image.context!r})): there is no such folder from "
                f"{Path.cwd()}: give the folder of the image's sources"
            )
        return settings, image
    if not re.fullmatch(IMAGE, image):
        raise ConfigurationError(f"deploy(image={image!r}): must be by digest, as in {_EXAMPLE_IMAGE}")
    return replace(settings, image=image), None


def _declare(
    settings: Settings, topology: Topology, build: ImageBuild | None, opts: pulumi.ResourceOptions | None
) -> Outputs:
    if settings.protected:
        guarded = pulumi.ResourceOptions(transformations=[protect_data])
        opts = pulumi.ResourceOptions.merge(opts, guarded)
    project, region, prefix, labels = settings.project, settings.region, settings.prefix, settings.labels
    ordering = Ordering("partitions", settings.ordering.partitions) if settings.ordering else None
    routing = topology.routing(project, ordering).to_json()

    is_alloydb = settings.database.engine == "alloydb"
    apis = (*APIS, "alloydb") if is_alloydb else APIS
    services = ProjectServices("services", ProjectServicesArgs(project=project, apis=apis), opts)
    enabled = _after(opts, services)
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
    source = _image(settings, build, enabled)
    is_elsewhere = bool(settings.image or settings.repository)
    pulled = _after(opts, services, source) if is_elsewhere else enabled
    network = _network(settings, enabled)
    database = _database(settings, network, _after(opts, services, network))
    if is_alloydb and not settings.alloydb.server_ca:
        pulumi.log.warn(
            "event-store:alloydb.server_ca is not set, so nothing connects to the cluster yet: "
            "docs/howto/alloydb.md says how to get it; set it, and update again"
        )
        return Outputs(topics=bus.topics, instance_connection_name=database.instance_connection_name)
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
    return Outputs(
        topics=bus.topics,
        instance_connection_name=database.instance_connection_name,
        subscriptions=bus.subscriptions,
        dead_letter_subscriptions=bus.dead_letter_subscriptions,
        readers=database.readers,
        database=database.connection.database,
        migrator_user=migrations.user,
        runtime_user=event_store.user,
        runtime_service_account=event_store.service_account,
        service_uri=event_store.uri,
        revision=event_store.revision,
        image=source.image,
        image_digest=source.digest,
    )


def _after(opts: pulumi.ResourceOptions | None, *resources: pulumi.Resource) -> pulumi.ResourceOptions:
    return pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=list(resources)))


def _provided(opts: pulumi.ResourceOptions | None) -> pulumi.InvokeOptions:
    """Return the options of a look-up by the provider that the components have."""
    # Merging makes a list or a map of providers a map by package.
    own = pulumi.ResourceOptions.merge(None, opts)
    provider = own.provider or (own.providers or {}).get("gcp")  # type: ignore[union-attr] # a map, as above
    return pulumi.InvokeOptions(parent=own.parent, provider=provider)


def _image(
    settings: Settings, build: ImageBuild | None, opts: pulumi.ResourceOptions
) -> Registry | PromotedImage:
    """Declare the image: a pushed one, or a build."""
    if build is None:
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
            build=build,
            repository=settings.repository,
            labels=settings.labels,
            image_readers=settings.image_readers,
            is_delivered=settings.is_delivered,
        ),
        opts,
    )


def _network(settings: Settings, opts: pulumi.ResourceOptions) -> Network | JoinedNetwork:
    """Declare the network: an existing one, or a new one."""
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


def _joined(settings: Settings) -> JoinedDatabaseArgs:
    return JoinedDatabaseArgs(
        project=settings.project,
        instance=settings.instance,
        trusted_ca=settings.database.trusted_ca,
    )


def _database(
    settings: Settings, network: Network | JoinedNetwork, opts: pulumi.ResourceOptions
) -> Database | AlloyDB | JoinedDatabase:
    """Declare the database: in an existing instance, or in a new one."""
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
        return JoinedDatabase("database", _joined(settings), opts)
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
    """Return the names of the monitored resources."""
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
