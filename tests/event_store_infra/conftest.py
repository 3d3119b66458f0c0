"""One local Google Cloud for all tests of the infrastructure, and each stack's plan on it, made once."""

from collections.abc import AsyncIterator

import pytest

from tests.event_store_infra.engine import Engine, Preview, google_cloud
from tests.event_store_infra.inventory import STACKS
from tests.event_store_infra.monitoring.real_lines import lines

__all__ = ["lines"]  # a fixture


@pytest.fixture(scope="session")
async def engine(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Engine]:
    """Return a real Pulumi engine on a local Google Cloud."""
    folder = tmp_path_factory.mktemp("infra")
    async with google_cloud(folder) as providers:
        yield Engine(folder, providers)


@pytest.fixture(scope="session", params=STACKS)
async def preview(engine: Engine, request: pytest.FixtureRequest) -> tuple[str, Preview]:
    """Return each stack's name and what the engine would make of it."""
    return request.param, await engine.preview(request.param)


@pytest.fixture
def plan(preview: tuple[str, Preview]) -> dict[str, dict[str, object]]:
    """Return the resources of each stack by name, without components."""
    stack, made = preview
    assert made.code == 0, f"{stack}: {made.text}"
    return {name: dict(state) for name, state in made.states.items() if state.get("custom")}


@pytest.fixture(scope="session")
async def watched(engine: Engine) -> Preview:
    """Return what the engine would make of prod with everything that can be watched."""
    text = """
config:
  gcp:project: event-store-prod
  gcp:region: europe-west1
  event-store:profile: prod
  event-store:database:
    read_replica: true
  event-store:service:
    relay: worker-pool
  event-store:monitoring:
    emails: [oncall@example.com]
    channels: [projects/event-store-prod/notificationChannels/1]
    runbook_url: https://example.com/runbook.md
"""
    made = await engine.preview("watched", config=text)
    assert made.code == 0, made.text
    return made
