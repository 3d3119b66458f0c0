"""The wheels, and one environment for each thing that a team installs."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.system.packages.environment import VirtualEnvironment, build

Install = Callable[..., VirtualEnvironment]


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of each distribution."""
    return build(tmp_path_factory.mktemp("wheels"))


@pytest.fixture(scope="session")
def install(tmp_path_factory: pytest.TempPathFactory, wheels: Path) -> Install:
    """Install into an environment of its own, the same requirements once."""
    made: dict[tuple[object, ...], VirtualEnvironment] = {}

    def install(*requirements: str, is_pinned: bool = True) -> VirtualEnvironment:
        key = (requirements, is_pinned)
        if key not in made:
            folder = tmp_path_factory.mktemp("installed") / "environment"
            made[key] = VirtualEnvironment.make(folder, wheels, *requirements, is_pinned=is_pinned)
        return made[key]

    return install
