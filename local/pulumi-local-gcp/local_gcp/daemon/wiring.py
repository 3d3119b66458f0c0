"""The assembly of a local Google Cloud: its servers and all of its resource types."""

import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from local_gcp.cloudrun import run_rules
from local_gcp.cloudrun.job import JobKind
from local_gcp.cloudrun.service import ServiceKind
from local_gcp.cloudrun.supervisor import Runner
from local_gcp.cloudrun.worker_pool import WorkerPoolKind
from local_gcp.container.image import ImageKind
from local_gcp.daemon.recording import (
    RecordedBus,
    RecordedInstances,
    RecordedJobKind,
    RecordedServiceKind,
    RecordedWorkerPoolKind,
)
from local_gcp.daemon.settings import Settings
from local_gcp.daemon.state_directory import State
from local_gcp.monitoring.monitoring import AlertPolicyKind, LogMetricKind
from local_gcp.postgres import alloydb as alloydb_kinds
from local_gcp.postgres import alloydb_rules, sql_rules
from local_gcp.postgres.server.embedded import EmbeddedInstances
from local_gcp.postgres.server.external import ExternalInstances
from local_gcp.postgres.server.instances import ADMINISTRATORS, Instances
from local_gcp.postgres.sql import DatabaseKind, InstanceKind, UserKind, database_roles
from local_gcp.provider.cloud import Cloud
from local_gcp.pubsub_api import pubsub_rules
from local_gcp.pubsub_api.broker import Broker
from local_gcp.pubsub_api.iam import pubsub_iam_kinds
from local_gcp.pubsub_api.schemas import SchemaKind
from local_gcp.pubsub_api.topics_and_subscriptions import SubscriptionKind, TopicKind
from local_gcp.recorded.recorded import RECORDED
from local_gcp.recorded.subnetwork import SubnetworkKind
from local_gcp.resource.kind import Kind
from local_gcp.resource.properties import Properties
from local_gcp.resource.records import Records
from local_gcp.rights.callers import Tokens
from local_gcp.rights.data_plane import pubsub_judge
from local_gcp.rights.rights import Rights
from local_gcp.system.child_process import Processes


@dataclass(frozen=True, slots=True)
class Assembly:
    """A local Google Cloud and the parts that it runs on.

    Attributes:
        cloud: Its resources.
        bus: Its Pub/Sub.
        instances: Its databases.
        services: Its Cloud Run services.
        worker_pools: Its Cloud Run worker pools.
    """

    cloud: Cloud
    bus: Broker
    instances: Instances
    services: ServiceKind
    worker_pools: WorkerPoolKind

    @asynccontextmanager
    async def running(self, processes: Processes) -> AsyncIterator[None]:
        """Start the servers, restore the recorded resources, and stop everything when the context ends."""
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self.bus)
            await stack.enter_async_context(self.instances)
            await stack.enter_async_context(processes)
            await stack.enter_async_context(self.services)
            await stack.enter_async_context(self.worker_pools)
            await self.cloud.restore()
            yield

    def endpoints(self) -> Properties:
        """Return all endpoints."""
        records = self.cloud.records
        topics, subscriptions = (
            [record.id.rpartition("/")[2] for record in records.of_type(kind)]
            for kind in (pubsub_rules.TOPIC.type, pubsub_rules.SUBSCRIPTION.type)
        )
        return {
            "project": records.place.project,
            "service": next(iter(self.services.addresses.values()), ""),
            "postgres": self._owner(),
            "pubsub_emulator_host": self.bus.address,
            "topics": topics,
            "subscriptions": subscriptions,
        }

    def _owner(self) -> str:
        """Return the connection string of the first user who may change the schema."""
        for instance, name in self._administrators():
            for database in self._databases(instance):
                return self.instances.conninfo(instance, name, database)
        return ""

    def _administrators(self) -> Iterator[tuple[str, str]]:
        """Yield each user who may change the schema, as instance and user name."""
        for user in self.cloud.records.of_type(alloydb_rules.USER.type):
            if alloydb_kinds.ADMINISTRATORS in user.inputs.get("databaseRoles", []):
                yield alloydb_kinds.server_of(user.inputs["cluster"]), user.inputs["userId"]
        for user in self.cloud.records.of_type(sql_rules.USER.type):
            if ADMINISTRATORS in database_roles(user.inputs):
                yield user.inputs["instance"], user.inputs["name"]

    def _databases(self, instance: str) -> Iterator[str]:
        """Yield the names of an instance's databases: of resources, and then in the jobs' variables."""
        records = self.cloud.records
        for database in records.of_type(sql_rules.DATABASE.type):
            if database.inputs["instance"] == instance:
                yield str(database.inputs["name"])
        for job in records.of_type(run_rules.JOB.type):
            for container in job.inputs["template"]["template"]["containers"]:
                for variable in container.get("envs", []):
                    if variable["name"] == "PGDATABASE":
                        yield str(variable["value"])


def assemble(
    state: State, settings: Settings, processes: Processes, records: Records, program: Path
) -> Assembly:
    """Assemble a local Google Cloud; nothing of it runs yet.

    Args:
        state: Its state directory.
        settings: Its settings.
        processes: Owns its child processes.
        records: Its recorded resources.
        program: The folder of the Pulumi program.
    """
    tokens = Tokens(settings.token)
    rights = Rights(records, settings.rights)
    bus = Broker(settings.pubsub, settings.pubsub_port, state.exports, pubsub_judge(rights, tokens, records))
    instances: Instances = (
        ExternalInstances(tokens)
        if settings.postgres == "external"
        else EmbeddedInstances(state.postgres, settings.postgres_port)
    )
    runner = _runner(state, processes, records, bus, instances, tokens, rights, program)
    services, worker_pools = ServiceKind(runner, settings.service_port), WorkerPoolKind(runner)
    kinds = (JobKind(runner), services, worker_pools, *_kinds(bus, instances, runner, records, program))
    return Assembly(Cloud(kinds, records, rights, tokens), bus, instances, services, worker_pools)


def assemble_empty(state: State, program: Path) -> Assembly:
    """Assemble an empty local Google Cloud that only records its resources.

    A whole stack comes up in it within seconds, since no database, no Pub/Sub and no container runs. Data
    sources find every resource, as if others had made it.

    Args:
        state: Its state directory, which stays unused unless it logs.
        program: The folder of the Pulumi program.
    """
    records, tokens = Records(None), Tokens(secrets.token_hex())
    rights = Rights(records, "audit")
    bus, instances = RecordedBus(), RecordedInstances()
    runner = _runner(state, Processes(state.logs), records, bus, instances, tokens, rights, program)
    services, worker_pools = RecordedServiceKind(runner, 0), RecordedWorkerPoolKind(runner)
    jobs = RecordedJobKind(runner)
    kinds = (jobs, services, worker_pools, *_kinds(bus, instances, runner, records, program))
    cloud = Cloud(kinds, records, rights, tokens)
    cloud.knows_others = True
    return Assembly(cloud, bus, instances, services, worker_pools)


def _runner(
    state: State,
    processes: Processes,
    records: Records,
    bus: Broker,
    instances: Instances,
    tokens: Tokens,
    rights: Rights,
    program: Path,
) -> Runner:
    return Runner(
        processes=processes,
        bus=bus,
        instances=instances,
        records=records,
        directory=program,
        home=state.home,
        tokens=tokens,
        rights=rights,
    )


def _kinds(
    bus: Broker, instances: Instances, runner: Runner, records: Records, program: Path
) -> tuple[Kind, ...]:
    """Return all resource types except services, worker pools and jobs."""
    log_metrics = LogMetricKind()
    nodes = alloydb_kinds.InstanceKind(instances)
    return (
        *RECORDED,
        SubnetworkKind(runner),
        TopicKind(bus),
        SubscriptionKind(bus),
        SchemaKind(bus),
        *pubsub_iam_kinds(bus),
        InstanceKind(instances),
        DatabaseKind(instances),
        UserKind(instances),
        alloydb_kinds.CLUSTER,
        nodes,
        alloydb_kinds.UserKind(instances, nodes),
        ImageKind(program),
        log_metrics,
        AlertPolicyKind(records, log_metrics),
    )
