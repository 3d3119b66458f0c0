"""The event store service itself."""

from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi_gcp import cloudrunv2

from event_store.environment import REPLICA_CA, REPLICA_HOST, Environment
from event_store_infra.components.children import child_options
from event_store_infra.components.workload.container import vpc_access
from event_store_infra.components.workload.workload import Workload, WorkloadArgs, workload
from event_store_infra.settings import RolloutSettings

PORT: Final = 8080
GRPC_SERVICE: Final = "event_store.v1.EventStore"  # the name that its health check answers to
# The longest that Cloud Run waits for an instance: https://docs.cloud.google.com/run/docs/configuring/healthchecks
STARTUP_SECONDS: Final = 240
_STARTUP_PERIOD_SECONDS: Final = 2
# The rest is for the process itself to start, to check the schema and to listen.
DATABASE_WAIT_SECONDS: Final = STARTUP_SECONDS - 20
# Bounds a whole stream, not one message; the longest that Cloud Run allows.
REQUEST_SECONDS: Final = 3600
# The service ends streams before that, so clients resume; the rest is for messages that are taken slowly.
STREAM_SECONDS: Final = REQUEST_SECONDS - 300


@dataclass(frozen=True, slots=True, kw_only=True)
class EventStoreArgs(WorkloadArgs):
    """The arguments of `EventStore`.

    Attributes:
        rollout: A canary beside the stable revision; None for all traffic to the latest.
    """

    rollout: RolloutSettings | None = None


class EventStore(pulumi.ComponentResource):
    """Owns the Cloud Run service, its identity and everything that this identity may do.

    That is: log in to the database as a member of `event_store_runtime`, and, unless the relay runs in a
    worker pool of its own, publish to the topics, each by its own grant. The service listens inside the
    network only, to the invokers that the settings name. It deliberately has no public address, no domain
    and no load balancer.

    Attributes:
        revision: The name of the latest revision that became ready.
        uri: The service's HTTPS address; gRPC clients use its host and port 443.
        user: The name of the runtime's database user.
        service_account: The email of the runtime's identity.
    """

    revision: pulumi.Output[str]
    uri: pulumi.Output[str]
    user: pulumi.Output[str]
    service_account: pulumi.Output[str]

    def __init__(self, name: str, args: EventStoreArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("event-store:infra:EventStore", name, None, opts)
        child = child_options(self, opts)
        relays = args.settings.relay == "service"
        about = "service and relay" if relays else "service"
        identity = workload(name, args, child, role="runtime", about=about, publishes=relays)
        service = cloudrunv2.Service(
            f"{name}-service",
            project=args.project,
            location=args.region,
            name=args.prefix,
            ingress="INGRESS_TRAFFIC_INTERNAL_ONLY",
            invoker_iam_disabled=False,
            default_uri_disabled=False,
            template=_template(args, identity),
            traffics=_traffics(args.rollout),
            # It holds no data; what does is protected on its own.
            deletion_protection=False,
            labels=args.labels,
            opts=pulumi.ResourceOptions.merge(
                child_options(self, opts, after=identity.rights),
                # gcloud and the console write their own name there.
                pulumi.ResourceOptions(ignore_changes=["client", "clientVersion"]),
            ),
        )
        for invoker in args.settings.invokers:
            cloudrunv2.ServiceIamMember(
                f"{name}-invoker-{invoker}",
                project=args.project,
                location=args.region,
                name=service.name,
                role="roles/run.invoker",
                member=invoker,
                opts=child,
            )
        # Google gives the full name, and takes the short one.
        self.revision = service.latest_ready_revision.apply(lambda name: name.rpartition("/")[2])
        self.uri = service.uri
        self.user = identity.login.user
        self.service_account = identity.account.email
        self.register_outputs({"uri": self.uri, "user": self.user, "service_account": self.service_account})


def _replica(args: WorkloadArgs) -> dict[str, pulumi.Input[str]]:
    """Return the variables by which the service finds a replica."""
    replica = args.connection.replica
    return {} if replica is None else {REPLICA_HOST: replica.host, REPLICA_CA: replica.server_ca}


def _traffics(rollout: RolloutSettings | None) -> list[cloudrunv2.ServiceTrafficArgs]:
    percent = rollout.percent if rollout else 100
    latest = cloudrunv2.ServiceTrafficArgs(
        type="TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST",
        percent=percent,
        # Its own address beside the service's; a tag keeps instances running, so who has no traffic has none.
        tag="canary" if rollout else None,
    )
    if rollout is None:
        return [latest]
    stable = cloudrunv2.ServiceTrafficArgs(
        type="TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION", revision=rollout.stable, percent=100 - percent
    )
    return [latest, stable] if percent else [stable]


def _template(args: WorkloadArgs, identity: Workload) -> cloudrunv2.ServiceTemplateArgs:
    settings = args.settings
    environment = Environment(
        routing=args.routing,
        database_connections=settings.database_connections,
        database_wait_seconds=DATABASE_WAIT_SECONDS,
        stream_seconds=STREAM_SECONDS,
        relay="on" if settings.relay == "service" else "off",
        log_level=settings.log_level,
    )
    return cloudrunv2.ServiceTemplateArgs(
        service_account=identity.account.email,
        execution_environment="EXECUTION_ENVIRONMENT_GEN2",
        session_affinity=False,
        timeout=f"{REQUEST_SECONDS}s",
        max_instance_request_concurrency=settings.concurrency,
        scaling=cloudrunv2.ServiceTemplateScalingArgs(
            min_instance_count=settings.min_instances, max_instance_count=settings.max_instances
        ),
        vpc_access=cloudrunv2.ServiceTemplateVpcAccessArgs(**vpc_access(args)),
        containers=[
            cloudrunv2.ServiceTemplateContainerArgs(
                image=args.image,
                commands=["event-store"],
                args=["serve"],
                ports=cloudrunv2.ServiceTemplateContainerPortsArgs(name="h2c", container_port=PORT),
                envs=[
                    cloudrunv2.ServiceTemplateContainerEnvArgs(name=key, value=value)
                    for key, value in identity.variables(environment, **_replica(args))
                ],
                resources=cloudrunv2.ServiceTemplateContainerResourcesArgs(
                    limits={"cpu": str(settings.cpu), "memory": f"{settings.memory_mib}Mi"},
                    # The relay, and whoever follows the log, works between requests.
                    cpu_idle=False,
                    startup_cpu_boost=True,
                ),
                # Health says whether the process serves, not whether the database is there:
                # to restart or to empty every instance would not bring that back.
                startup_probe=cloudrunv2.ServiceTemplateContainerStartupProbeArgs(
                    grpc=cloudrunv2.ServiceTemplateContainerStartupProbeGrpcArgs(
                        port=PORT, service=GRPC_SERVICE
                    ),
                    initial_delay_seconds=0,
                    period_seconds=_STARTUP_PERIOD_SECONDS,
                    timeout_seconds=2,
                    failure_threshold=STARTUP_SECONDS // _STARTUP_PERIOD_SECONDS,
                ),
                readiness_probe=cloudrunv2.ServiceTemplateContainerReadinessProbeArgs(
                    grpc=cloudrunv2.ServiceTemplateContainerReadinessProbeGrpcArgs(
                        port=PORT, service=GRPC_SERVICE
                    ),
                    period_seconds=5,
                    timeout_seconds=3,
                    success_threshold=1,
                    failure_threshold=2,
                ),
                liveness_probe=cloudrunv2.ServiceTemplateContainerLivenessProbeArgs(
                    grpc=cloudrunv2.ServiceTemplateContainerLivenessProbeGrpcArgs(
                        port=PORT, service=GRPC_SERVICE
                    ),
                    initial_delay_seconds=0,
                    period_seconds=15,
                    timeout_seconds=5,
                    failure_threshold=4,
                ),
            )
        ],
    )
