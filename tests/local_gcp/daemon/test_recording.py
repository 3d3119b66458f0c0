"""A local Google Cloud that only records: whole stacks come up in it, and plan as on the one that runs."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from string import Template
from typing import Any

from local_gcp.daemon.state_directory import State
from local_gcp.daemon.wiring import assemble_empty
from local_gcp.provider.server import Provider
from tests.event_store_infra.preview.normal import normal
from tests.local_gcp.conftest import PROGRAMS, LocalCloud, Stack
from tests.local_gcp.postgres.test_joined_database import JOINED
from tests.system.environments.environment import DeployedEnvironment
from tools import ROOT

# One of each type that runs, or acts on what runs, where it is not only recorded.
PROGRAM = Template("""
from pulumi_gcp import cloudrunv2, pubsub, sql
EUROPE = {"location": "europe-west1", "deletion_protection": False}
instance = sql.DatabaseInstance("instance", name="store", database_version="POSTGRES_18",
    deletion_protection=False, settings={"tier": "db-custom-1-3840", "edition": "ENTERPRISE",
    "database_flags": [{"name": "work_mem", "value": "$memory"}]})
replica = sql.DatabaseInstance("replica", name="copy", master_instance_name=instance.name,
    database_version="POSTGRES_18", deletion_protection=False,
    settings={"tier": "db-custom-1-3840", "edition": "ENTERPRISE"})
database = sql.Database("database", instance=instance.name, name="words")
user = sql.User("user", instance=instance.name, name="writer", type="CLOUD_IAM_SERVICE_ACCOUNT",
    database_roles=$roles, deletion_policy="ABANDON")
schema = pubsub.Schema("schema", name="shape", type="AVRO",
    definition='{"type": "record", "name": "Word", "fields": [{"name": "a", "type": "string"}]}')
topic = pubsub.Topic("topic", name="words", schema_settings={"schema": schema.id, "encoding": "JSON"})
subscription = pubsub.Subscription("subscription", name="words", topic=topic.id, filter='$filter')
pubsub.TopicIAMMember("publisher", topic=topic.id, role="roles/pubsub.publisher",
    member="group:words@example.com")
job = cloudrunv2.Job("job", name="job", **EUROPE, run_execution_token="$version",
    template={"template": {"containers": [{"image": "i", "commands": ["sh"], "args": ["-c", "true"],
    "envs": [{"name": "PGHOST", "value": instance.private_ip_address}]}]}})
service = cloudrunv2.Service("service", name="greeter", **EUROPE, template={"containers": [{
    "image": "i", "commands": ["python"], "args": ["$programs/greeter.py"],
    "envs": [{"name": "VERSION", "value": "$version"}]}]})
cloudrunv2.WorkerPool("pool", name="relay", **EUROPE, scaling={"manual_instance_count": 1},
    template={"containers": [{"image": "i", "commands": ["sleep"], "args": ["1000"],
    "envs": [{"name": "PEER", "value": service.uri}]}]})
""")
BEFORE = {"memory": "4096", "roles": ["cloudsqlsuperuser"], "filter": 'attributes.a = "1"', "version": "1"}
AFTER = {"memory": "8192", "roles": [], "filter": 'attributes.a = "2"', "version": "2"}


@asynccontextmanager
async def _recorded(folder: Path, program: Path) -> AsyncIterator[LocalCloud]:
    state = State(folder)
    state.make()
    assembly = assemble_empty(state, program)
    async with Provider(assembly.cloud) as provider:
        yield LocalCloud(assembly, provider.attachment)


async def test_a_whole_stack_comes_up_though_nothing_runs(tmp_path: Path) -> None:
    """`prod` comes up, a second preview finds no change, and no process, port or file was needed for it."""
    async with _recorded(tmp_path / "cloud", ROOT / "infra") as cloud:
        environment = DeployedEnvironment(tmp_path / "project", "prod", cloud)
        output = await environment.must_up()
        again = await environment.run("preview", "--expect-no-changes", "--refresh")
        environment.change({"event-store:database": {"version": "POSTGRES_16"}})
        refused = await environment.up()

    assert "europe-west1:event-store" in output  # the instance's connection name
    assert again.code == 0, again.output
    assert "cannot go from POSTGRES_18 back to POSTGRES_16" in refused.output
    assert not list((tmp_path / "cloud" / "logs").iterdir())
    assert not (tmp_path / "cloud" / "postgres").exists()


async def test_a_plan_is_the_one_on_the_cloud_that_runs(stack: Stack, tmp_path: Path) -> None:
    """Of one program and one edit, the engine's plan is the same in both: each state, input and output."""

    async def plan(on: Stack) -> Any:
        on.write(PROGRAM.substitute(BEFORE, programs=PROGRAMS))
        await on.must_up()
        on.write(PROGRAM.substitute(AFTER, programs=PROGRAMS))
        planned = await on.run("preview", "--json")
        assert planned.code == 0, planned.output
        return normal(json.loads(planned.output))

    running = await plan(stack)
    async with _recorded(tmp_path / "cloud", PROGRAMS) as cloud:
        folder = tmp_path / "recorded"
        folder.mkdir()
        recorded = await plan(Stack(folder, stack.directory.name, cloud.assembly, cloud.providers))

    assert recorded == running
    assert {step["op"] for step in recorded["steps"]} >= {"same", "update", "replace"}


async def test_what_others_own_can_be_joined(tmp_path: Path) -> None:
    """An instance that nothing here has made is somebody else's: a stack that joins it comes up."""
    async with _recorded(tmp_path / "cloud", PROGRAMS) as cloud:
        stack = Stack(tmp_path, "joined", cloud.assembly, cloud.providers)
        stack.write(JOINED)
        output = await stack.must_up()

    assert "p-1:europe-west1:theirs" in output
