"""pytest fixtures: `pytest_plugins = ["pubsub_emulator.testing"]` in the topmost conftest.py.

One emulator serves the whole session, in a separate process, so that tests with threads or an event loop can
use it. Each test has its own project, which isolates it from the others.

Invariant: the emulator ends with the session, even if the session is killed.
"""

import select
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import pytest

__all__ = ["Emulator", "pubsub_emulator", "pubsub_emulator_address"]

START_SECONDS: Final = 30.0
STOP_SECONDS: Final = 10.0
_SAYS: Final = "PUBSUB_EMULATOR_HOST="


@dataclass(frozen=True, slots=True)
class Emulator:
    """The emulator's address and project for one test.

    Attributes:
        address: HOST:PORT, which `PUBSUB_EMULATOR_HOST` has during the test.
        project: The id of the test's own project, which `PUBSUB_PROJECT_ID` and `GOOGLE_CLOUD_PROJECT` have.
    """

    address: str
    project: str


@pytest.fixture(scope="session")
def pubsub_emulator_address() -> Iterator[str]:
    """Return HOST:PORT of the session's emulator, for tests that name projects themselves."""
    command = [sys.executable, "-m", "pubsub_emulator", "--port", "0", "--until-eof"]
    with subprocess.Popen(  # our own command line
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield _address(process)
        finally:
            process.terminate()
            process.wait(STOP_SECONDS)


@pytest.fixture
def pubsub_emulator(pubsub_emulator_address: str, monkeypatch: pytest.MonkeyPatch) -> Emulator:
    """Give a test the session's emulator and its own project, and set the variables for clients."""
    project = f"test-{uuid.uuid4().hex[:16]}"
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", pubsub_emulator_address)
    for name in ("PUBSUB_PROJECT_ID", "GOOGLE_CLOUD_PROJECT"):
        monkeypatch.setenv(name, project)
    return Emulator(pubsub_emulator_address, project)


def _address(process: "subprocess.Popen[str]") -> str:
    """Wait until the emulator listens, and return its address."""
    if process.stdout is None:  # as a type checker sees it
        raise RuntimeError("the emulator has no output")
    ready, _, _ = select.select([process.stdout], [], [], START_SECONDS)
    said = process.stdout.readline() if ready else ""
    if _SAYS not in said:
        raise RuntimeError(
            f"the Pub/Sub emulator did not start within {START_SECONDS:.0f} s: what is wrong stands above, "
            "in its standard error"
        )
    return said.rpartition(_SAYS)[2].strip()
