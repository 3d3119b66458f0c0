"""A stranger's program, which has nothing to do with an event store, comes up as the README has it."""

import json
import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import psycopg
import pytest

from local_gcp.daemon.state_directory import State
from local_gcp.daemon.wiring import assemble_empty
from tests.documents import blocks
from tools import ROOT

README: Final = ROOT / "local" / "pulumi-local-gcp" / "README.md"
PATIENCE_SECONDS: Final = 240
LACKING: Final = """
from pulumi_gcp import redis
redis.Instance("cache", name="cache", memory_size_gb=1)
"""


class Shop:
    """The project of the README, in a folder of its own.

    Attributes:
        folder: Where its files are.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for block in blocks(README, "yaml", "python"):
            name, _, content = block.partition("\n")
            (folder / name.removeprefix("# ")).write_text(content)

    def run(self, *command: str) -> "subprocess.CompletedProcess[str]":
        """Run a command of `local-gcp` in the folder."""
        return subprocess.run(
            [sys.executable, "-m", "local_gcp", *command],
            cwd=self.folder,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_SECONDS,
        )

    def must(self, *command: str) -> str:
        """Run a command that must succeed, and return what it prints."""
        answer = self.run(*command)
        assert answer.returncode == 0, answer.stdout + answer.stderr
        return answer.stdout

    @property
    def status(self) -> dict[str, Any]:
        """Where everything listens."""
        status: dict[str, Any] = json.loads(self.must("status"))
        return status


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """The README's project, up on ports of its own; purged in the end."""
    shop = Shop(tmp_path_factory.mktemp("shop"))
    shop.must("up", "--service-port=0", "--postgres-port=0", "--pubsub-port=0")
    yield shop
    shop.must("down", "--purge")


def test_a_stranger_s_program_comes_up_and_serves(shop: Shop) -> None:
    """Its service reaches its database by the socket of Cloud SQL, and its topic."""
    status = shop.status
    with urllib.request.urlopen(f"http://{status['service']}/", timeout=30) as answer:
        said = answer.read().decode()

    assert re.fullmatch(r"message \d+, database orders\n", said)
    assert (status["topics"], status["subscriptions"]) == (["orders"], ["packing"])
    with psycopg.connect(status["postgres"]) as connection:
        assert (connection.info.user, connection.info.dbname) == ("web", "orders")


def test_a_preview_is_of_what_stands(shop: Shop) -> None:
    """It finds no change, and its plan in JSON says the same."""
    assert "8 unchanged" in shop.must("preview", "local")
    assert json.loads(shop.must("preview", "local", "--json"))["changeSummary"] == {"same": 8}


def test_what_it_lacks_it_refuses_by_name(shop: Shop) -> None:
    """A type that it does not have fails the preview, with the type and the place to teach it in."""
    program = shop.folder / "__main__.py"
    own = program.read_text()
    program.write_text(own + LACKING)
    try:
        answer = shop.run("preview", "local")
    finally:
        program.write_text(own)

    assert answer.returncode == 1
    assert "has no resource type gcp:redis/instance:Instance" in answer.stdout
    assert "local_gcp/recorded/recorded.py" in answer.stdout


def test_a_folder_without_a_project_is_told(tmp_path: Path, shop: Shop) -> None:
    """The message names the folder and the flag."""
    answer = shop.run("--project", str(tmp_path), "preview", "local")

    assert answer.returncode == 1
    assert f"{tmp_path} has no Pulumi.yaml: name the project's folder with --project" in answer.stderr


def test_every_resource_type_is_listed(tmp_path: Path) -> None:
    """The README's table has all that the local Google Cloud knows, and nothing else."""
    kinds = assemble_empty(State(tmp_path), tmp_path).cloud._kinds
    names = {
        f"{kind.split(':')[0].replace('docker-build', 'docker_build')}.Image"
        if kind.startswith("docker-build")
        else f"{kind.split(':')[1].split('/')[0]}.{kind.split(':')[2]}"
        for kind in kinds
    }
    rows = [line for line in README.read_text().splitlines() if line.startswith("| ")]

    assert {*re.findall(r"`(\w+\.\w+)`", "\n".join(rows))} == names
