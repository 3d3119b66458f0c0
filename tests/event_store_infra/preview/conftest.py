"""A small stack of real components on the local Google Cloud, and the engine's plans to change it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from event_store_infra.preview.plan.plan import Plan
from tests.local_gcp.conftest import Stack, local_cloud, stack

__all__ = ["local_cloud", "stack"]  # fixtures

_PROGRAM = """
from pathlib import Path
from pulumi_gcp import sql
from event_store.topology import Topology
from event_store_infra.components.bus import EventBus, EventBusArgs
topology = Topology.load(Path({topology!r}))
EventBus("bus", EventBusArgs(project="p-1", region="europe-west1", prefix="store", topology=topology,
    labels={{}}))
instance = sql.DatabaseInstance("database-instance", name="{instance}", database_version="POSTGRES_18",
    deletion_protection=False, settings={{"tier": "db-custom-1-3840", "edition": "ENTERPRISE"}},
    opts=pulumi.ResourceOptions(protect={protected}))
sql.Database("database-database", instance=instance.name, name="words", deletion_policy="ABANDON")
"""
_TOPOLOGY = {
    "topics": [{"name": "words", "messageRetentionDuration": "7d"}],
    "subscriptions": [{"name": "projection", "topic": "words"}],
    "routes": [{"aggregateType": "Word", "topics": ["words"]}],
    "unrouted": "refuse",
}


@dataclass(frozen=True, slots=True)
class Small:
    """A bus and a database."""

    stack: Stack

    @property
    def topology(self) -> Path:
        return self.stack.directory / "topology.yaml"

    def write(self, *, instance: str = "store-1", protected: bool = False, **topology: object) -> None:
        """Write the program; keywords replace keys of the topology."""
        self.topology.write_text(yaml.safe_dump({**_TOPOLOGY, **topology}))
        self.stack.write(_PROGRAM.format(topology=str(self.topology), instance=instance, protected=protected))

    def acknowledge(self, acknowledged: Mapping[str, str]) -> None:
        """Write the stack's file with acknowledgements."""
        config = {
            "gcp:project": "p-1",
            "gcp:region": "europe-west1",
            "event-store:acknowledged": dict(acknowledged),
        }
        (self.stack.directory / "Pulumi.local.yaml").write_text(yaml.safe_dump({"config": config}))

    async def text(self, *flags: str) -> str:
        """Return what the engine prints of its plan."""
        answer = await self.stack.run("preview", "--json", *flags)
        assert json.loads(answer.output)
        return answer.output

    async def plan(self) -> Plan:
        """Return the engine's plan."""
        return Plan.parse(await self.text())


@pytest.fixture
async def small(stack: Stack) -> Small:
    """Return the small stack as it stands."""
    made = Small(stack)
    made.write()
    await stack.must_up()
    return made
