"""One local stack for all tests of this folder, brought up by the very command that a person uses."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
UP_TIMEOUT_SECONDS = 240


@dataclass(frozen=True, slots=True)
class RunningStack:
    """A local stack of the tests' own.

    Attributes:
        state_directory: What it keeps, instead of `.local`.
        first_output: What the first `up` printed.
    """

    state_directory: Path
    first_output: str

    def run(self, *command: str) -> "subprocess.CompletedProcess[str]":
        """Run a command of `python -m tools.local_stack` on this stack."""
        return run_local(self.state_directory, *command)

    @property
    def status(self) -> dict[str, Any]:
        """What `status` prints."""
        status: dict[str, Any] = json.loads(self.run("status").stdout)
        return status


def run_local(state_directory: Path, *command: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    """Run a command of `python -m tools.local_stack` beside whatever a developer has up."""
    return subprocess.run(
        [sys.executable, "-m", "tools.local_stack", "--state-directory", str(state_directory), *command],
        cwd=ROOT,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=UP_TIMEOUT_SECONDS,
    )


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """The stack `local`, up; purged in the end."""
    state_directory = tmp_path_factory.mktemp("stack") / "local"
    up = run_local(state_directory, "up")
    assert up.returncode == 0, up.stdout + up.stderr
    yield RunningStack(state_directory, up.stdout)
    down = run_local(state_directory, "down", "--purge")
    assert down.returncode == 0, down.stdout + down.stderr
