"""A team that has a network or a repository already joins it, and gets no second one."""

from pathlib import Path

import pytest
import yaml

from event_store.errors import ConfigurationError
from event_store_infra.settings import Settings
from local_gcp.daemon.state_directory import State
from local_gcp.daemon.wiring import assemble_empty
from local_gcp.provider.server import Provider
from tests.event_store_infra.engine import Engine
from tools import ROOT

GOOGLE = {"gcp:project": "event-store-prod", "gcp:region": "europe-west1"}
SHARED = {
    "vpc": "projects/host-project/global/networks/shared",
    "subnetwork": "projects/host-project/regions/europe-west1/subnetworks/run",
}
REPOSITORY = "europe-west1-docker.pkg.dev/host-project/images"


@pytest.fixture(scope="session")
async def joined(engine: Engine) -> dict[str, dict[str, object]]:
    """Return the plan of a stack in a Shared VPC, with its image in a repository of another project."""
    text = f"""
config:
  gcp:project: event-store-prod
  gcp:region: europe-west1
  event-store:network: {{vpc: {SHARED["vpc"]}, subnetwork: {SHARED["subnetwork"]}}}
  event-store:repository: {REPOSITORY}
"""
    made = await engine.preview("joined", config=text)
    assert made.code == 0, made.text
    return {name: dict(state) for name, state in made.states.items()}


def test_a_shared_network_is_joined_and_not_changed(joined: dict[str, dict[str, object]]) -> None:
    """Nothing of a network is made but one grant, on that subnetwork, to Cloud Run's own agent."""
    types = [str(each["type"]) for each in joined.values()]
    grant = joined["network-user"]["inputs"]
    text = str([joined[name]["inputs"] for name in ("event-store-service", "migrations-job")])

    assert not [each for each in types if "compute" in each and "IAMMember" not in each]
    assert "gcp:servicenetworking/connection:Connection" not in types
    assert isinstance(grant, dict)
    assert (grant["project"], grant["subnetwork"]) == ("host-project", "run")
    assert grant["role"] == "roles/compute.networkUser"
    assert text.count(SHARED["vpc"]) == text.count(SHARED["subnetwork"]) == 2


def test_a_repository_that_is_there_takes_the_image(joined: dict[str, dict[str, object]]) -> None:
    """It is pushed there, Cloud Run may pull it from there, and no repository is made."""
    grant = joined["registry-reader"]["inputs"]
    image = joined["registry-image"]["inputs"]

    assert isinstance(grant, dict)
    assert isinstance(image, dict)
    assert (grant["project"], grant["repository"]) == ("host-project", "images")
    assert image["tags"] == [f"{REPOSITORY}/event-store:latest"]
    assert "registry-repository" not in joined


WITH_INSTANCE = yaml.safe_dump({"config": GOOGLE | {"event-store:database": {"instance": "theirs"}}})


async def test_an_instance_that_is_there_is_previewed_without_credentials(engine: Engine) -> None:
    """Against an empty local Google Cloud it is taken to be there; only the log's database is made in it."""
    made = await engine.preview("instance", config=WITH_INSTANCE)

    assert made.code == 0, made.text
    types = [str(each["type"]) for each in made.states.values()]
    assert "gcp:sql/databaseInstance:DatabaseInstance" not in types
    assert made.states["database-database"]["inputs"]["instance"] == "theirs"


async def test_an_instance_that_is_not_there_is_one_message(tmp_path: Path) -> None:
    """The message names the key, the instance and what to check, and nothing is declared."""
    cloud = assemble_empty(State(tmp_path / "cloud"), ROOT / "infra").cloud
    cloud.knows_others = False
    async with Provider(cloud) as provider:
        made = await Engine(tmp_path, provider.attachment).preview("instance", config=WITH_INSTANCE)

    assert made.code != 0
    assert "event-store:database.instance: the Cloud SQL instance theirs of event-store-prod" in made.text
    assert "check its name and its project" in made.text
    assert "Traceback" not in made.text
    assert [*made.states] == ["event-store-instance"]  # the stack itself


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"network": f'{{"vpc": "{SHARED["vpc"]}"}}'}, "belong together: set both or neither"),
        ({"network": '{"vpc": "shared", "subnetwork": "run"}'}, "as in projects/P/global/networks/N"),
        (
            {
                "network": f'{{"vpc": "{SHARED["vpc"]}", "subnetwork": '
                '"projects/p/regions/europe-west3/subnetworks/s"}'
            },
            "event-store:network.subnetwork is in europe-west3, but gcp:region is europe-west1",
        ),
        ({"repository": "gcr.io/p/images"}, "as in europe-west1-docker.pkg.dev/P/R"),
        (
            {"repository": REPOSITORY, "image": f"{REPOSITORY}/event-store@sha256:{'0' * 64}"},
            "so nothing would be pushed to event-store:repository: remove one of them",
        ),
        ({"database": '{"instance": "Theirs"}'}, "an instance's name, or empty to create one"),
    ],
)
def test_what_cannot_be_joined_is_refused(values: dict[str, str], message: str) -> None:
    """Every message names the key and says how to fix it."""
    with pytest.raises(ConfigurationError) as refused:
        Settings.parse(GOOGLE | {f"event-store:{key}": text for key, text in values.items()})

    assert message in str(refused.value)
