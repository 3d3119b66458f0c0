"""The relay in a worker pool of its own."""

from typing import Final

import pulumi
from pulumi_gcp import cloudrunv2

from event_store.environment import Environment
from event_store_infra.components.children import child_options
from event_store_infra.components.workload.container import vpc_access
from event_store_infra.components.workload.workload import WorkloadArgs, workload

SIZE: Final = {"cpu": "1", "memory": "1024Mi"}  # one process on one CPU, with pages of the log in its hands


def relay_pool(prefix: str) -> str:
    """Return the name of the worker pool."""
    return f"{prefix}-relay"


class Relay(pulumi.ComponentResource):
    """Owns the Cloud Run worker pool of the relay, its identity and everything that this identity may do.

    That is: log in to the database as a member of `event_store_runtime`, and publish to the topics, each by
    its own grant. One instance has the lease and relays; each further one stands by. It deliberately listens
    on no port and nobody may call it.

    Attributes:
        service_account: The email of the relay's identity.
    """

    service_account: pulumi.Output[str]

    def __init__(self, name: str, args: WorkloadArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("event-store:infra:Relay", name, None, opts)
        identity = workload(
            name, args, child_options(self, opts), role="relay", about="relay", publishes=True
        )
        environment = Environment(routing=args.routing, log_level=args.settings.log_level)
        cloudrunv2.WorkerPool(
            f"{name}-pool",
            project=args.project,
            location=args.region,
            name=relay_pool(args.prefix),
            scaling=cloudrunv2.WorkerPoolScalingArgs(
                scaling_mode="MANUAL", manual_instance_count=args.settings.relay_instances
            ),
            template=cloudrunv2.WorkerPoolTemplateArgs(
                service_account=identity.account.email,
                vpc_access=cloudrunv2.WorkerPoolTemplateVpcAccessArgs(**vpc_access(args)),
                containers=[
                    cloudrunv2.WorkerPoolTemplateContainerArgs(
                        image=args.image,
                        commands=["event-store"],
                        args=["relay"],
                        envs=[
                            cloudrunv2.WorkerPoolTemplateContainerEnvArgs(name=key, value=value)
                            for key, value in identity.variables(environment)
                        ],
                        resources=cloudrunv2.WorkerPoolTemplateContainerResourcesArgs(limits=SIZE),
                    )
                ],
            ),
            instance_splits=[
                cloudrunv2.WorkerPoolInstanceSplitArgs(
                    type="INSTANCE_SPLIT_ALLOCATION_TYPE_LATEST", percent=100
                )
            ],
            # It holds no data; what does is protected on its own.
            deletion_protection=False,
            labels=args.labels,
            opts=pulumi.ResourceOptions.merge(
                child_options(self, opts, after=identity.rights),
                # gcloud and the console write their own name there.
                pulumi.ResourceOptions(ignore_changes=["client", "clientVersion"]),
            ),
        )
        self.service_account = identity.account.email
        self.register_outputs({"service_account": self.service_account})
