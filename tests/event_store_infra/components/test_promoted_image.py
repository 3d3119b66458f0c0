"""What was tried in one environment is what runs in the next: the image is promoted by its digest."""

import json

import pytest

from event_store.errors import ConfigurationError
from event_store_infra.settings import Settings
from tests.event_store_infra.engine import Engine
from tools import ROOT

DEPLOYER = "event-store-deployer@event-store-prod.iam.gserviceaccount.com"
DIGEST = f"sha256:{'0123456789abcdef' * 4}"
IMAGE = f"europe-west1-docker.pkg.dev/event-store-dev/event-store/event-store@{DIGEST}"


async def _plan(engine: Engine, project: str, more: str = "") -> dict[str, dict[str, object]]:
    text = f"""
config:
  gcp:project: {project}
  gcp:region: europe-west1
  event-store:profile: prod
  event-store:image: {IMAGE}
{more}"""
    made = await engine.preview(f"promoted-{project}", config=text)
    assert made.code == 0, made.text
    return {name: dict(state) for name, state in made.states.items()}


async def test_a_promoted_image_is_neither_built_nor_copied(engine: Engine) -> None:
    """Service and migrations run that digest, and there is no repository and no build."""
    plan = await _plan(engine, "event-store-prod")
    types = {str(each["type"]) for each in plan.values()}
    inputs = str([plan[name]["inputs"] for name in ("event-store-service", "migrations-job")])

    assert inputs.count(IMAGE) == 2
    assert not types & {"docker-build:index:Image", "gcp:artifactregistry/repository:Repository"}


async def test_cloud_run_may_pull_it_from_the_other_project_and_nothing_else(engine: Engine) -> None:
    """One grant, on that repository, to Cloud Run's own agent, which service and job wait for."""
    plan = await _plan(engine, "event-store-prod")
    grant = plan["image-reader"]["inputs"]
    waiting = [plan[name]["dependencies"] for name in ("event-store-service", "migrations-job")]

    assert isinstance(grant, dict)
    assert grant["project"] == "event-store-dev"
    assert grant["repository"] == "event-store"
    assert grant["role"] == "roles/artifactregistry.reader"
    assert all("image-reader" in str(each) for each in waiting)


async def test_the_stack_that_builds_it_lets_others_read_it(engine: Engine) -> None:
    """Google refuses a deployment by an account that may not read the image; its owner grants that."""
    readers = [
        f"serviceAccount:{DEPLOYER}",
        "serviceAccount:service-1@serverless-robot-prod.iam.gserviceaccount.com",
    ]
    dev = (ROOT / "Pulumi.dev.yaml").read_text(encoding="utf-8")
    made = await engine.preview("dev", config=f"{dev}  event-store:image_readers: {json.dumps(readers)}\n")
    assert made.code == 0, made.text
    grants = [each for each in made.states.values() if each["type"].endswith(":RepositoryIamMember")]
    prod = await _plan(engine, "event-store-prod", f"  event-store:deployer: {DEPLOYER}\n")

    assert sorted(each["inputs"]["member"] for each in grants) == sorted(readers)
    assert {each["inputs"]["role"] for each in grants} == {"roles/artifactregistry.reader"}
    assert {each["inputs"]["project"] for each in grants} == {"event-store-dev"}
    assert "image-reader" not in prod


async def test_an_image_of_the_own_project_needs_no_grant(engine: Engine) -> None:
    """Cloud Run reads the repositories of its own project."""
    assert "image-reader" not in await _plan(engine, "event-store-dev")


@pytest.mark.parametrize(
    "image",
    [
        "event-store:latest",
        "europe-west1-docker.pkg.dev/p/event-store/event-store:latest",
        "europe-west1-docker.pkg.dev/p/event-store/event-store:1.0",
        f"{IMAGE}0",
    ],
)
def test_an_image_by_tag_is_refused(image: str) -> None:
    """A tag may name another image tomorrow."""
    google = {"gcp:project": "event-store-prod", "gcp:region": "europe-west1"}

    with pytest.raises(ConfigurationError, match=r"event-store:image is .*, but must be by digest"):
        Settings.parse({**google, "event-store:image": image})
