"""A container that keeps running: its identity, its rights and its variables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import pulumi
from pulumi_gcp import pubsub

from event_store.environment import Environment
from event_store_infra.components.database.login import DatabaseLogin
from event_store_infra.components.delivery.account import Account
from event_store_infra.components.workload.container import ContainerArgs, identity
from event_store_infra.settings import ServiceSettings

DATABASE_ROLE: Final = "event_store_runtime"  # created by the migrations, with the runtime's grants


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadArgs(ContainerArgs):
    """The arguments of `EventStore` and `Relay`.

    Attributes:
        migrations: What no revision starts before.
        routing: The JSON of `event_store.topology.Routing`.
        topics: The ids of the topics to publish to, by name.
        settings: Scaling, size, invokers, and where the relay runs.
    """

    migrations: pulumi.Resource
    routing: str
    topics: Mapping[str, pulumi.Input[str]]
    settings: ServiceSettings = field(default_factory=ServiceSettings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """An identity with its rights.

    Attributes:
        account: What the container acts as.
        login: Its way into the database, as a member of `event_store_runtime`.
        rights: What no revision starts before: the migrations, and all that the container may do.
    """

    account: Account
    login: DatabaseLogin
    rights: Sequence[pulumi.Resource]

    def variables(
        self, environment: Environment, **others: pulumi.Input[str]
    ) -> list[tuple[str, pulumi.Input[str]]]:
        """Return the container's variables by name, in order.

        Args:
            environment: What it is told beside its login.
            others: More of it that only the update knows.
        """
        told = {**environment.variables(), **self.login.variables, **others}
        return sorted(told.items(), key=lambda each: each[0])


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
    made = identity(
        name, args, opts, role=role, about=about, database_role=DATABASE_ROLE, after=[args.migrations]
    )
    publishers = [
        pubsub.TopicIAMMember(
            f"{name}-publisher-{topic}",
            project=args.project,
            topic=topic_id,
            role="roles/pubsub.publisher",
            member=made.account.member,
            opts=opts,
        )
        for topic, topic_id in (args.topics.items() if publishes else ())
    ]
    return Workload(
        account=made.account, login=made.login, rights=[args.migrations, *made.rights, *publishers]
    )
