"""The event store service itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi_gcp import cloudrunv2, pubsub, serviceaccount

from event_store.environment import Environment
from infra.components.acting import acting
from infra.components.children import child_options
from infra.components.database import DatabaseConnection
from infra.components.database_login import DatabaseLogin, DatabaseLoginArgs
from infra.settings import ServiceSettings

PORT: Final = 8080
GRPC_SERVICE: Final = "event_store.v1.EventStore"  # the name that its health check answers to
DATABASE_ROLE: Final = "event_store_runtime"  # created by the migrations, with the runtime's grants


@dataclass(frozen=True, slots=True, kw_only=True)
class EventStoreArgs:
    """What `EventStore` is made from.

    Attributes:
        project: The id of the project.
        region: The location of the service.
        prefix: The name of the service and the beginning of the service account's.
        image: The image by digest.
        network_id: The VPC to reach the database through.
        subnetwork_id: The subnetwork that instances get their addresses in.
        connection: The database.
        migrations: What no revision starts before.
        routing: The JSON of `event_store.topology.Routing`.
        topics: The ids of the topics to publish to, by name.
        settings: Scaling, size and invokers.
        labels: Labels of the service.
        deployer: The email of CI's deployer, which acts as the runtime; empty for none.
    """

    project: str
    region: str
    prefix: str
    image: pulumi.Input[str]
    network_id: pulumi.Input[str]
    subnetwork_id: pulumi.Input[str]
    connection: DatabaseConnection
    migrations: pulumi.Resource
    routing: str
    topics: Mapping[str, pulumi.Input[str]]
    settings: ServiceSettings
    labels: Mapping[str, str]
    deployer: str = ""


class EventStore(pulumi.ComponentResource):
    """Owns the Cloud Run service, its identity and everything that this identity may do.

    That is: log in to the database as a member of `event_store_runtime`, and publish to the topics, each
    by its own grant. The service listens inside the network only, to the invokers that the settings name. It
    deliberately has no public address, no domain and no load balancer.

    Attributes:
        uri: The service's HTTPS address; gRPC clients use its host and port 443.
        user: The name of the runtime's database user.
        service_account: The email of the runtime's identity.
    """

    uri: pulumi.Output[str]
    user: pulumi.Output[str]
    service_account: pulumi.Output[str]

    def __init__(self, name: str, args: EventStoreArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("event-store:infra:EventStore", name, None, opts)
        child = child_options(self, opts)
        account = serviceaccount.Account(
            f"{name}-account",
            project=args.project,
            account_id=f"{args.prefix}-runtime",
            display_name="Event store: service and relay",
            opts=child,
        )
        publishers = [
            pubsub.TopicIAMMember(
                f"{name}-publisher-{topic}",
                project=args.project,
                topic=topic_id,
                role="roles/pubsub.publisher",
                member=account.member,
                opts=child,
            )
            for topic, topic_id in args.topics.items()
        ]
        login = DatabaseLogin(
            f"{name}-login",
            DatabaseLoginArgs(
                project=args.project,
                connection=args.connection,
                account=account,
                database_roles=[DATABASE_ROLE],
                after=[args.migrations],
            ),
            child,
        )
        acts = acting(f"{name}-deployer", account, args.deployer, child)
        service = cloudrunv2.Service(
            f"{name}-service",
            project=args.project,
            location=args.region,
            name=args.prefix,
            ingress="INGRESS_TRAFFIC_INTERNAL_ONLY",
            invoker_iam_disabled=False,
            default_uri_disabled=False,
            template=_template(args, account, login),
            traffics=[
                cloudrunv2.ServiceTrafficArgs(type="TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", percent=100)
            ],
            # It holds no data; what does is protected on its own.
            deletion_protection=False,
            labels=args.labels,
            opts=pulumi.ResourceOptions.merge(
                child_options(self, opts, after=[args.migrations, login, *publishers, *acts]),
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
        self.uri = service.uri
        self.user = login.user
        self.service_account = account.email
        self.register_outputs({"uri": self.uri, "user": self.user, "service_account": self.service_account})


def _template(
    args: EventStoreArgs, account: serviceaccount.Account, login: DatabaseLogin
) -> cloudrunv2.ServiceTemplateArgs:
    settings = args.settings
    return cloudrunv2.ServiceTemplateArgs(
        service_account=account.email,
        execution_environment="EXECUTION_ENVIRONMENT_GEN2",
        session_affinity=False,
        # Bounds a whole stream, not one message; the longest that Cloud Run allows. Clients resume.
        timeout="3600s",
        max_instance_request_concurrency=settings.concurrency,
        scaling=cloudrunv2.ServiceTemplateScalingArgs(
            min_instance_count=settings.min_instances, max_instance_count=settings.max_instances
        ),
        vpc_access=cloudrunv2.ServiceTemplateVpcAccessArgs(
            egress="PRIVATE_RANGES_ONLY",
            network_interfaces=[
                cloudrunv2.ServiceTemplateVpcAccessNetworkInterfaceArgs(
                    network=args.network_id, subnetwork=args.subnetwork_id
                )
            ],
        ),
        containers=[
            cloudrunv2.ServiceTemplateContainerArgs(
                image=args.image,
                commands=["event-store"],
                args=["serve"],
                ports=cloudrunv2.ServiceTemplateContainerPortsArgs(name="h2c", container_port=PORT),
                envs=_variables(args, login),
                resources=cloudrunv2.ServiceTemplateContainerResourcesArgs(
                    limits={"cpu": str(settings.cpu), "memory": f"{settings.memory_mib}Mi"},
                    # The relay works between requests.
                    cpu_idle=False,
                    startup_cpu_boost=True,
                ),
                # 120 s to start. Health says whether the process serves, not whether the database is there:
                # to restart or to empty every instance would not bring that back.
                startup_probe=cloudrunv2.ServiceTemplateContainerStartupProbeArgs(
                    grpc=cloudrunv2.ServiceTemplateContainerStartupProbeGrpcArgs(
                        port=PORT, service=GRPC_SERVICE
                    ),
                    initial_delay_seconds=0,
                    period_seconds=2,
                    timeout_seconds=2,
                    failure_threshold=60,
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


def _variables(
    args: EventStoreArgs, login: DatabaseLogin
) -> Sequence[cloudrunv2.ServiceTemplateContainerEnvArgs]:
    settings = Environment(
        routing=args.routing,
        database_connections=args.settings.database_connections,
        log_level=args.settings.log_level,
    )
    variables = {**settings.variables(), **login.variables}
    return [
        cloudrunv2.ServiceTemplateContainerEnvArgs(name=key, value=value)
        for key, value in sorted(variables.items())
    ]
