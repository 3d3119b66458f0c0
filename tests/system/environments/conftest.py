"""Our environments, each on a local Google Cloud of its own."""

from collections.abc import AsyncIterator

import pytest

from tests.local_gcp.conftest import running_cloud
from tests.system.environments.environment import DeployedEnvironment
from tools import ROOT


@pytest.fixture(params=["local", "dev", "staging", "prod"])
async def environment(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> AsyncIterator[DeployedEnvironment]:
    """One of our environments."""
    folder = tmp_path_factory.mktemp("environment")
    async with running_cloud(folder / "cloud", ROOT / "infra") as cloud:
        yield DeployedEnvironment(folder / "project", request.param, cloud)
