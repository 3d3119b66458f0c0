"""A container of ours that keeps running: who it acts as, what it may do, and what it is told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pulumi
from pulumi_gcp import pubsub, serviceaccount

from event_store.environment import Environment
from infra.components.acting import acting
from infra.components.database import DatabaseConnection
from infra.components.database_login import DatabaseLogin, DatabaseLoginArgs
from infra.settings import ServiceSettings

DATABASE_ROLE: Final = "event_store_runtime"  # created by the migrations, with the runtime's grants


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadArgs:
    """What `EventStore` and `Relay` are made from.

    Attributes:
        project: The id of the project.
        region: The location of service and worker pool.
        prefix: The name of the service, and the beginning of the worker pool's and the service accounts'.
        image: The image by digest.
        network_id: The VPC to reach the database through.
        subnetwork_id: The subnetwork that instances get their addresses in.
        connection: The database.
        migrations: What no revision starts before.
        routing: The JSON of `event_store.topology.Routing`.
        topics: The ids of the topics to publish to, by name.
        settings: Scaling, size, invokers, and where the relay runs.
        labels: Labels of service and worker pool.
        deployer: The email of CI's deployer, which acts as the accounts; empty for none.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """An identity with its rights.

    Attributes:
        account: What the container acts as.
        login: Its way into the database, as a member of `event_store_runtime`.
        rights: What no revision starts before: the migrations, and all that the container may do.
    """

    account: serviceaccount.Account
    login: DatabaseLogin
    rights: Sequence[pulumi.Resource]

    def variables(self, environment: Environment) -> list[tuple[str, pulumi.Input[str]]]:
        """Return the container's variables by name, in order.

        Args:
            environment: What it is told beside its login.
        """
        return sorted({**environment.variables(), **self.login.variables}.items(), key=lambda each: each[0])


def workload(
    name: str, args: WorkloadArgs, opts: pulumi.ResourceOptions, *, role: str, about: str, publishes: bool
) -> Workload:
    """Declare an identity with its rights.

    Args:
        name: The beginning of the names in the program.
        args: What the component is made from.
        opts: The options of the component's children.
        role: The end of the service account's name.
        about: What it is, in words.
        publishes: Whether it may publish to the topics, each by its own grant.
    """
    account = serviceaccount.Account(
        f"{name}-account",
        project=args.project,
        account_id=f"{args.prefix}-{role}",
        display_name=f"Event store: {about}",
        opts=opts,
    )
    publishers = [
        pubsub.TopicIAMMember(
            f"{name}-publisher-{topic}",
            project=args.project,
            topic=topic_id,
            role="roles/pubsub.publisher",
            member=account.member,
            opts=opts,
        )
        for topic, topic_id in (args.topics.items() if publishes else ())
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
        opts,
    )
    acts = acting(f"{name}-deployer", account, args.deployer, opts)
    return Workload(account=account, login=login, rights=[args.migrations, login, *publishers, *acts])


def vpc_access(args: WorkloadArgs) -> dict[str, Any]:
    """Return how a container reaches the database, in the words that services and worker pools share."""
    return {
        "egress": "PRIVATE_RANGES_ONLY",
        "network_interfaces": [{"network": args.network_id, "subnetwork": args.subnetwork_id}],
    }
