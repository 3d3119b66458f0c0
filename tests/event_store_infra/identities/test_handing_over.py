"""A stack that gets a deployer lets go what it granted on things of others, and takes nothing away."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.documents import blocks
from tests.local_gcp.conftest import Stack, local_cloud, stack
from tools import ROOT

__all__ = ["local_cloud", "stack"]  # fixtures

KEY = "projects/keys/locations/europe-west1/keyRings/store/cryptoKeys/log"
TOPOLOGY = {
    "topics": [{"name": "words", "kmsKeyName": KEY}],
    "subscriptions": [
        {"name": "rows", "topic": "words", "bigqueryConfig": {"table": "words-warehouse.events.words"}},
        {"name": "archive", "topic": "words", "cloudStorageConfig": {"bucket": "words-archive"}},
    ],
}
PROGRAM = """
from event_store.topology import Topology
from event_store_infra.components.bus import EventBus, EventBusArgs
from event_store_infra.components.database.encryption import may_encrypt
from event_store_infra.components.network.joined_network import JoinedNetwork, JoinedNetworkArgs
from event_store_infra.components.registry.promoted_image import PromotedImage, PromotedImageArgs
EventBus("bus", EventBusArgs(project="p-1", region="europe-west1", prefix="store",
    topology=Topology.parse({topology!r}, "topology.yaml"), labels={{}}, is_delivered={is_delivered},
    keeps_push_identity=True))
may_encrypt("database", "p-1", "sqladmin.googleapis.com", [{key!r}], pulumi.ResourceOptions(),
    is_delivered={is_delivered})
JoinedNetwork("network", JoinedNetworkArgs(project="p-1", vpc="projects/host/global/networks/shared",
    subnetwork="projects/host/regions/europe-west1/subnetworks/run", is_delivered={is_delivered}))
PromotedImage("image", PromotedImageArgs(project="p-1", is_delivered={is_delivered},
    image="europe-west1-docker.pkg.dev/others/images/event-store@sha256:" + 64 * "a"))
"""


def _program(*, is_delivered: bool) -> str:
    return PROGRAM.format(topology=yaml.safe_dump(TOPOLOGY), key=KEY, is_delivered=is_delivered)


def _marked(state: str) -> str:
    """Return a state as the page changes it before the update that names the deployer."""
    (block,) = (
        each
        for each in blocks(ROOT / "docs" / "howto" / "deploy.md", "sh")
        if "| jq '" in each and "import" in each
    )
    (program,) = re.findall(r"\| jq '(.*)' \\", block)
    return subprocess.run(["jq", program], input=state, capture_output=True, text=True, check=True).stdout


def _granted(stack: Stack) -> set[tuple[str, str]]:
    """Return all that is granted, and the accounts, by type and id."""
    kinds = re.compile("serviceaccount/|iammember$", re.IGNORECASE)
    return {(each.type, each.id) for each in stack.cloud.records if kinds.search(each.type)}


@pytest.mark.skipif(shutil.which("jq") is None, reason="the page asks for jq")
async def test_a_stack_that_gets_a_deployer_takes_no_grant_away(stack: Stack, tmp_path: Path) -> None:
    """A grant is one, whoever made it: to delete the stack's would take the owner's away, too."""
    file = tmp_path / "state.json"
    stack.write(_program(is_delivered=False))
    await stack.must_up()
    granted = _granted(stack)
    exported = await stack.run("stack", "export", "--file", str(file))
    assert exported.code == 0, exported.output
    file.write_text(_marked(file.read_text()))
    imported = await stack.run("stack", "import", "--file", str(file))
    assert imported.code == 0, imported.output
    stack.write(_program(is_delivered=True))
    await stack.must_up()
    left = json.loads((await stack.run("stack", "export")).output)["deployment"]["resources"]

    assert {kind.partition(":")[2].partition("/")[0] for kind, _ in granted} == {
        *("artifactregistry", "bigquery", "compute", "kms", "pubsub", "serviceaccount", "storage")
    }
    assert _granted(stack) == granted
    # What the stack goes on granting it takes away with itself.
    grants = [each for each in left if each["type"].lower().endswith("iammember")]
    assert {each["type"].partition("/")[0] for each in grants} == {"gcp:pubsub"}
    assert not [each for each in grants if each.get("retainOnDelete")]
