"""Another team's Pulumi program deploys a whole event store, beside folders and resources of its own."""

from pathlib import Path
from typing import Any, Final

import pytest

from event_store_infra import Outputs
from tests.documents import blocks
from tests.event_store_infra.engine import Engine, Preview
from tools import ROOT

README: Final = ROOT / "infra" / "README.md"
DIGEST: Final = f"sha256:{'0123456789abcdef' * 4}"
IMAGE: Final = f"europe-west1-docker.pkg.dev/shop-images/store/event-store@{DIGEST}"
# Names that this repository has at its top, too.
OWN: Final = ("infra", "local", "migrations")
BESIDE: Final = f"""
import {", ".join(OWN)}
assert all(each.OWN for each in ({", ".join(OWN)}))
"""
CONFIG: Final = "config: {gcp:project: shop-dev, gcp:region: europe-west1, event-store:profile: %s%s}\n"
DEPLOY: Final = "from event_store_infra import deploy\ndeploy()\n"


def make_project(folder: Path, program: str, topology: str = "") -> Path:
    """Write a team's project: its program, packages of its own, and what the README lets the image be of."""
    (folder / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
    (folder / "__main__.py").write_text(program)
    if topology:
        (folder / "topology.yaml").write_text(topology)
    for name in OWN:
        (folder / name).mkdir()
        (folder / name / "__init__.py").write_text("OWN = True\n")
    (folder / "image").mkdir()
    (folder / "image" / "Dockerfile").write_text(blocks(README, "dockerfile")[0])
    return folder


async def _preview(engine: Engine, folder: Path, profile: str = "dev", more: str = "") -> Preview:
    return await engine.preview("dev", project=folder, config=CONFIG % (profile, more))


def _of(preview: Preview, kind: str) -> dict[str, dict[str, Any]]:
    return {name: dict(each) for name, each in preview.states.items() if each["type"].endswith(f":{kind}")}


async def test_the_readme_s_program_deploys_a_whole_event_store(engine: Engine, tmp_path: Path) -> None:
    """As pasted, with the README's configuration and Dockerfile; `infra` and others stay the team's own."""
    program = blocks(README, "python")[0]
    project = make_project(tmp_path, program + BESIDE)
    preview = await engine.preview("dev", project=project, config=blocks(README, "yaml")[0])

    assert preview.code == 0, preview.text
    built = preview.states["registry-image"]["inputs"]
    assert [built[each]["location"] for each in ("context", "dockerfile")] == ["image", "image/Dockerfile"]
    assert {*_of(preview, "Topic")} == {"bus-order-events", "bus-invoices-dead-letter"}
    assert {"database-instance", "migrations-job", "event-store-service"} < preview.states.keys()
    assert 10 < len(program.splitlines()) < 20


async def test_the_readme_s_component_stands_alone(engine: Engine, tmp_path: Path) -> None:
    """A bus as pasted is topics and subscriptions, without any other part of an event store."""
    preview = await _preview(engine, make_project(tmp_path, blocks(README, "python")[1]))

    assert preview.code == 0, preview.text
    assert {name for name, state in preview.states.items() if state.get("custom")} == {
        "bus-agent",
        "bus-orders",
    }


async def test_a_pushed_image_and_a_topology_s_file_need_no_argument(engine: Engine, tmp_path: Path) -> None:
    """Both are named by the stack's configuration, and the file is beside `Pulumi.yaml`."""
    topology = "topics: [{name: orders, messageRetentionDuration: 1d}]\n"
    more = f", event-store:image: '{IMAGE}'"
    preview = await _preview(engine, make_project(tmp_path, DEPLOY, topology), more=more)

    assert preview.code == 0, preview.text
    assert "bus-orders" in preview.states
    assert "registry-image" not in preview.states
    assert IMAGE in str(preview.states["event-store-service"]["inputs"])


@pytest.mark.parametrize(
    ("program", "topology", "message"),
    [
        (
            DEPLOY,
            "topics: []",
            "there is no image of the service: set event-store:image to one",
        ),
        (
            "from event_store_infra import ImageBuild, deploy\ndeploy(image=ImageBuild(context='sources'))\n",
            "topics: []",
            "deploy(image=ImageBuild(context='sources')): there is no such folder",
        ),
        (
            "from event_store_infra import deploy\ndeploy(image='event-store:latest')\n",
            "topics: []",
            "deploy(image='event-store:latest'): must be by digest",
        ),
        (
            f"from event_store_infra import deploy\ndeploy(image='{IMAGE}')\n",
            "",
            "topology.yaml: the file cannot be read",
        ),
    ],
)
async def test_what_is_missing_is_one_message(
    engine: Engine, tmp_path: Path, program: str, topology: str, message: str
) -> None:
    """It names what to give; nothing is declared, and no traceback is shown."""
    preview = await _preview(engine, make_project(tmp_path, program, topology))

    assert preview.code != 0
    assert message in preview.text
    assert "Traceback" not in preview.text
    assert [each for each in preview.states.values() if not each["type"].startswith("pulumi:")] == []


async def test_only_the_event_store_s_own_resources_are_protected(engine: Engine, tmp_path: Path) -> None:
    """A topic that the team declares afterwards stays as deletable as the team has it."""
    program = f"""
import pulumi_gcp
from event_store.topology import Topology
from event_store_infra import deploy
topology = Topology.parse("topics: [{{name: orders, messageRetentionDuration: 1d}}]", "topology")
deploy(topology=topology, image="{IMAGE}")
pulumi_gcp.pubsub.Topic("own", name="own")
"""
    preview = await _preview(engine, make_project(tmp_path, program), profile="prod")

    assert preview.code == 0, preview.text
    assert preview.states["bus-orders"]["protect"] is True
    assert preview.states["database-instance"]["protect"] is True
    assert not preview.states["own"].get("protect")


async def test_everything_is_made_by_the_provider_that_is_given(engine: Engine, tmp_path: Path) -> None:
    """A team that allows no default provider hands its own over."""
    program = f"""
import pulumi, pulumi_gcp
from event_store.topology import Topology
from event_store_infra import deploy
google = pulumi_gcp.Provider("google", project="shop-dev")
deploy(
    topology=Topology.parse("topics: [{{name: orders, messageRetentionDuration: 1d}}]", "topology"),
    image="{IMAGE}",
    opts=pulumi.ResourceOptions(provider=google),
)
"""
    more = ", pulumi:disable-default-providers: [gcp]"
    preview = await _preview(engine, make_project(tmp_path, program), profile="prod", more=more)

    assert preview.code == 0, preview.text
    made = [each for each in preview.states.values() if each["type"].startswith("gcp:")]
    assert len(made) > 40
    assert {each["provider"].split("::")[-2] for each in made} == {"google"}


def test_the_readme_names_every_output() -> None:
    """Its table has each field of `Outputs`, and none that is not there."""
    table = README.read_text(encoding="utf-8").partition("| output |")[2].partition("\n\n")[0]
    named = {name for name in Outputs.__dataclass_fields__ if f"`{name}`" in table}

    assert named == {*Outputs.__dataclass_fields__}
