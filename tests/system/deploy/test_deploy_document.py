"""docs/howto/deploy.md leads from an empty project to a stack that CI deploys, and back, as whom it says.

The page is about `prod`, which runs an image that `dev` has built: so both are here.
"""

import json
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from local_gcp.cloudrun import run_rules as run
from local_gcp.provider.server import Provider
from local_gcp.recorded import network
from local_gcp.recorded.subnetwork import SubnetworkKind
from local_gcp.resource.records import Record
from local_gcp.rights.callers import ANONYMOUS
from tests.documents import blocks
from tests.local_gcp.conftest import LocalCloud, running_cloud
from tests.system.deploy.shell import Shell
from tests.system.deploy.workflow import Workflows
from tools import ROOT

PAGE: Final = ROOT / "docs" / "howto" / "deploy.md"
DEPLOYER: Final = "event-store-deployer@team-dev.iam.gserviceaccount.com"
# The local Google Cloud knows an instance by its name alone, which is one per project.
APART: Final = "pulumi config set --path event-store:database.generation 2 --stack dev"


class Walkthrough:
    """Somebody's way through the page, who owns both projects, and the workflows.

    Args:
        shell: Their terminal.
        cloud: The local Google Cloud.
        before_login: Where their commands reach it until they log Docker in.
        workflows: The repository's.

    Attributes:
        done: The blocks that were run, as they are printed, in order.
    """

    def __init__(self, shell: Shell, cloud: LocalCloud, before_login: str, workflows: Workflows) -> None:
        self.shell = shell
        self.cloud = cloud
        self.workflows = workflows
        self.done: list[str] = []
        self._before_login = before_login

    async def block(self, beginning: str, *, stack: str = "prod", without: str = "") -> str:
        """Run the block of the page that begins so; return its output.

        Args:
            beginning: Of its first line.
            stack: For which environment.
            without: The beginning of a line that is left out.
        """
        (block,) = (each for each in blocks(PAGE, "sh") if each.startswith(beginning))
        if block not in self.done:
            self.done.append(block)
        lines = [line for line in block.splitlines() if not (without and line.startswith(without))]
        # Cloud Run's agent has `prod` in its name everywhere.
        return await self.type(re.sub(r"(?<!robot-)\bprod\b", stack, "\n".join(lines)))

    async def type(self, commands: str) -> str:
        """Run commands as the owner; return their output."""
        is_logged_in = any(each.startswith("gcloud auth configure-docker ") for each in self.shell.asked)
        return await self.shell.run(commands, self.cloud.providers if is_logged_in else self._before_login)

    def of(self, stack: str) -> list[Record]:
        """Return what stands of an environment and of its bootstrap."""
        beginning = f"urn:pulumi:{stack}::"
        return [
            record
            for record in self.cloud.assembly.cloud.records
            if any(urn.startswith(beginning) for urn in (record.urn, *record.others))
        ]

    @property
    def serving(self) -> dict[str, Any]:
        """The service of `prod` as it is asked for."""
        (service,) = (each for each in self.of("prod") if each.type == run.SERVICE.type)
        return service.inputs

    @property
    def traffic(self) -> dict[str, int]:
        """The parts of the traffic in `prod`, in percent; the latest revision has no name."""
        return {each.get("revision", ""): each["percent"] for each in self.serving["traffics"]}

    @property
    def image(self) -> str:
        """The image that `prod` runs."""
        return str(self.serving["template"]["containers"][0]["image"])


@asynccontextmanager
async def _walking(folder: Path) -> AsyncIterator[Walkthrough]:
    """Begin the way, at a Google Cloud in which there is nothing."""
    shell = Shell(folder)
    async with (
        running_cloud(folder / "cloud", shell.clone / "infra") as cloud,
        Provider(cloud.assembly.cloud, docker=ANONYMOUS) as before_login,
    ):
        yield Walkthrough(shell, cloud, before_login.attachment, Workflows(shell, cloud, folder))


def _printed(output: str, first: str, last: str) -> Any:
    """Return the JSON that a block printed, from its first line to its last."""
    (found,) = re.findall(rf"^\{first}$.*?^\{last}$", output, re.DOTALL | re.MULTILINE)
    return json.loads(found)


async def _bootstrap(walk: Walkthrough) -> None:
    """Follow "State and key" and "Bootstrap", after which each environment has CI's identities."""
    await walk.block("make setup")
    await walk.block("gcloud services enable")
    # A stack that was there before its bootstrap.
    await walk.block("rm Pulumi.prod.yaml", stack="dev")
    await walk.type(APART)
    await walk.type("pulumi up --stack dev")
    of_dev = await walk.block("cd infra/bootstrap", stack="dev")
    await walk.block("rm Pulumi.prod.yaml")
    of_prod = await walk.block("cd infra/bootstrap")
    await walk.type("pulumi login gs://team-dev-state")
    await walk.block("pulumi stack export", stack="dev")
    await walk.type(f"pulumi config set event-store:deployer {DEPLOYER} --stack dev")
    await walk.type("pulumi login gs://team-prod-state")
    # As the page says under "GitHub".
    walk.workflows.environments = json.dumps(_printed(of_dev, "{", "}") | _printed(of_prod, "{", "}"))

    await walk.block("export PULUMI_BACKEND_URL=")
    named = yaml.safe_load((walk.shell.clone / "Pulumi.dev.yaml").read_text())["config"]
    assert named["event-store:image_readers"] == _printed(of_prod, "[", "]")


@pytest.mark.skipif(shutil.which("jq") is None, reason="the page asks for jq")
async def test_a_stack_is_bootstrapped_deployed_and_destroyed_as_the_page_says(tmp_path: Path) -> None:
    """Each block does what the page says, as whom it says: the owner, the deployer or the previewer."""
    async with _walking(tmp_path) as walk:
        subnetworks = walk.cloud.assembly.cloud.kind(network.SUBNETWORK.type)
        assert isinstance(subnetworks, SubnetworkKind)
        subnetworks.holds_addresses = True
        await _bootstrap(walk)
        await walk.block("pulumi config set event-store:deployer")
        await walk.block("number=")
        first = walk.image

        # 5 Every change
        previews = await walk.block("make preview STACK=prod ")
        assert previews.count("## `prod`: no change") == 3
        await walk.workflows.run("preview", "stack", "prod")
        for stack in ("dev", "prod"):
            await walk.workflows.run("drift", "stack", stack)
        with (walk.shell.clone / "service" / "event_store" / "cli.py").open("a") as source:
            source.write("# a merge\n")
        deployed = await walk.workflows.run("deploy-stack", "up", "dev")
        await walk.workflows.run("deploy", "keep", "dev", deployed["image"])

        # 6 Canary
        await walk.type(f"pulumi config set event-store:image {deployed['image']} --stack prod")
        await walk.block("make canary", without="make promote")
        assert (walk.traffic, walk.image) == ({"": 10, "event-store-00001": 90}, deployed["image"])
        await walk.block("make rollback")
        assert walk.traffic == {"event-store-00001": 100}
        await walk.type("make canary STACK=prod PERCENT=50 && make promote STACK=prod")

        # 7 Rollback
        await walk.block("gh run list")
        assert walk.shell.asked[-1].startswith("gh workflow run deploy.yml --field image=")
        await walk.workflows.run("deploy", "keep", "dev", first)
        await walk.workflows.run("deploy-stack", "up", "prod", first)
        assert (walk.traffic, walk.image) == ({"": 100}, first)
        assert first != deployed["image"]

        # 8 The way out
        destroyed = await walk.block("pulumi config set event-store:protected false")
        assert "/subnetworks/event-store' is already being used by 'projects/team-prod" in destroyed
        assert walk.of("prod") == []
        assert walk.done == blocks(PAGE, "sh")
