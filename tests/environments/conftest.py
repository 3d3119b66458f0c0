"""The environments of Google Cloud, each on a local Google Cloud of its own."""

from collections.abc import AsyncIterator

import pytest

from local.state import ROOT
from tests.environments.environment import Environment
from tests.local.conftest import running_cloud


@pytest.fixture(params=["dev", "staging", "prod"])
async def environment(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> AsyncIterator[Environment]:
    """One of the environments of Google Cloud; `local` is that of tests/stack."""
    folder = tmp_path_factory.mktemp("environment")
    async with running_cloud(folder / "cloud", ROOT / "infra") as cloud:
        yield Environment(folder / "project", request.param, cloud)
