"""Another version of Google's emulator breaks no test: how it differs is reported."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Final

import pytest

from local_gcp.errors import SetupError
from local_gcp.pubsub_api.google_emulator import find_jar, find_java, version_of
from tests.conftest import ADDRESS_VARIABLE
from tests.pubsub_emulator.bus import Bus
from tests.pubsub_emulator.conftest import KNOWN_VERSION

LIBRARY: Final = Path("platform", "pubsub-emulator", "lib")
LONGEST_SECONDS: Final = 120


def _sdk(root: Path, *versions: str) -> Path:
    library = root / LIBRARY
    library.mkdir(parents=True)
    for version in versions:
        (library / f"cloud-pubsub-emulator-{version}-all.jar").touch()
    return root


def test_the_newest_emulator_is_the_one_with_the_highest_version(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Numbers are compared as numbers: 0.8.20 is newer than 0.8.9."""
    monkeypatch.setenv("CLOUDSDK_ROOT_DIR", str(_sdk(tmp_path, "0.8.9", "0.8.20", "0.8.3")))

    assert version_of(find_jar()) == "0.8.20"


async def _suite(*arguments: str, **environment: str) -> tuple[int, str]:
    """Run a part of the suite in a process of its own."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pytest", "-q", "-rA", "-p", "no:cacheprovider", *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=Path(__file__).parents[2],
        env={**os.environ, **environment},
    )
    async with asyncio.timeout(LONGEST_SECONDS):
        written, _ = await process.communicate()
    return process.returncode or 0, written.decode()


async def test_an_unknown_version_is_reported_and_fails_nothing(tmp_path: Path) -> None:
    """A difference may be gone and another may be there; the known version must differ as it is said to."""
    try:
        find_java()
        jar = find_jar()
    except SetupError as missing:
        pytest.skip(str(missing))
    newer = _sdk(tmp_path / "sdk") / LIBRARY / "cloud-pubsub-emulator-99.0.1-all.jar"
    newer.symlink_to(jar)
    tests = (
        "tests/pubsub_emulator/api/test_limits.py::test_a_deadline_moves_by_0_to_600_seconds",
        "tests/pubsub_emulator/broker/test_redelivery.py::test_a_refused_message_comes_again_at_once",
    )

    status, written = await _suite(*tests, "-k", "emulator", CLOUDSDK_ROOT_DIR=str(tmp_path / "sdk"))

    assert status == 0, written
    assert f"Pub/Sub emulator 99.0.1, beside {KNOWN_VERSION}" in written
    assert "1 xfailed" in written


async def test_the_suite_runs_against_any_address(bus: Bus) -> None:
    """`PUBSUB_TEST_ADDRESS` names the server, and only that is tried."""
    tests = "tests/pubsub_emulator/broker/test_redelivery.py::test_a_refused_message_comes_again_at_once"

    status, written = await _suite(tests, **{ADDRESS_VARIABLE: bus.address})

    assert status == 0, written
    assert "test_a_refused_message_comes_again_at_once[address]" in written
    assert "1 passed" in written
