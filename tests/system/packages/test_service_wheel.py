"""`gcp-event-store` from its wheel: a client anywhere, and with its extra the service itself."""

import platform
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import pytest

from local_gcp.system.ports import free_port
from tests.conftest import MIGRATOR, TestDatabase
from tests.system.packages.conftest import Install
from tests.system.packages.environment import RUN_SECONDS, VirtualEnvironment
from tests.system.packages.footprint import REQUIREMENTS, import_seconds, megabytes
from tools import ROOT

PLAIN: Final = "gcp-event-store"
SERVER: Final = "gcp-event-store[server]"
MOST_DISTRIBUTIONS: Final = 15
MOST_MEGABYTES: Final = 45
# Of what a client cannot do without: under half of what it was when google-auth came with it, 4.3.
MOST_TIMES_GRPC: Final = 3.0

CLIENT: Final = """
import asyncio, sys
from uuid import uuid4
import infra, local, migrations
from event_store import Client, ExpectedVersion, NewEvent

async def main(target):
    async with Client(target) as client:
        aggregate = str(uuid4())
        events = [NewEvent("WordAdded", {"word": "ahoj"})]
        await client.append(aggregate, "Vocabulary", events, expected_version=ExpectedVersion.NO_STREAM)
        print([event.event_data async for event in client.read_aggregate(aggregate)])

assert infra.OWN and local.OWN and migrations.OWN
asyncio.run(main(sys.argv[1]))
"""


@contextmanager
def _serving(environment: VirtualEnvironment, database: TestDatabase) -> Iterator[str]:
    """Serve until the end of the block, which ends the service as Cloud Run does."""
    port = free_port()
    service = environment.start("event-store", "serve", "--port", str(port), **database.variables())
    try:
        yield f"127.0.0.1:{port}"
        service.send_signal(signal.SIGTERM)
        assert service.wait(RUN_SECONDS) == 0, service.communicate()
    finally:
        service.kill()
        service.communicate()


def test_a_client_from_its_wheel_appends_to_a_service_from_its_wheel(
    install: Install, blank_database: TestDatabase
) -> None:
    """Migrated, served and called from elsewhere than the repository, beside protobuf 6 and protobuf 7."""
    server = install(SERVER)
    migrated = server.run("event-store", "migrate", **blank_database.variables(MIGRATOR))
    assert migrated.returncode == 0, migrated.stderr

    with _serving(server, blank_database) as target:
        for protobuf in ("6", "7"):
            client = install(PLAIN, f"protobuf=={protobuf}.*", is_pinned=False)
            (client.home / "program.py").write_text(CLIENT)
            done = client.run("python", "-W", "error", "program.py", target)
            read = client.run("event-store", "read", "--from", "1", "--target", target)
            assert done.stdout == "[{'word': 'ahoj'}]\n", done.stderr
            assert "WordAdded" in read.stdout, read.stderr


def test_a_plain_install_is_small(install: Install) -> None:
    """It has neither the server's libraries nor Pulumi, and stays below its limits."""
    found = install(PLAIN).distributions()

    assert len(found) <= MOST_DISTRIBUTIONS, found
    assert megabytes(install(PLAIN)) <= MOST_MEGABYTES, found
    assert not {"alembic", "sqlalchemy", "pulumi", "google-cloud-pubsub", "requests"} & found.keys()


@pytest.mark.skipif(
    (platform.system(), platform.machine()) != ("Linux", "x86_64"), reason="the table is of that machine"
)
@pytest.mark.parametrize("requirement", REQUIREMENTS)
def test_the_readme_says_what_an_install_brings(install: Install, requirement: str) -> None:
    """Its table is that of `footprint.py`, but for the time, which depends on how fast a machine is."""
    readme = (ROOT / "service" / "README.md").read_text(encoding="utf-8")
    told = re.search(rf"\| `{re.escape(requirement)}` \| (\d+) \| (\d+) MB \|", readme)

    assert told is not None
    assert int(told[1]) == len(install(requirement).distributions())
    assert abs(int(told[2]) - megabytes(install(requirement))) <= 1


def test_a_client_starts_fast(install: Install) -> None:
    """What it loads takes no longer than it must: google-auth comes with the first token."""
    plain = install(PLAIN)

    assert import_seconds(plain) <= MOST_TIMES_GRPC * import_seconds(plain, "import grpc.aio")
    plain.run_program("import sys, event_store; event_store.Client; assert 'google.auth' not in sys.modules")


@pytest.mark.parametrize("command", ["serve", "relay", "migrate", "topology create"])
def test_a_command_of_the_server_names_the_extra_that_it_needs(install: Install, command: str) -> None:
    """In one line, where the extra is not installed; with it the command is there."""
    (install(PLAIN).home / "topology.yaml").write_bytes((ROOT / "topology.yaml").read_bytes())
    refused = install(PLAIN).run("event-store", *command.split(), PUBSUB_EMULATOR_HOST="127.0.0.1:1")
    helped = install(SERVER).run("event-store", *command.split(), "--help")

    assert refused.returncode == 1
    assert refused.stdout == ""
    assert refused.stderr.count("\n") == 1
    assert refused.stderr.endswith("is not installed here: install gcp-event-store[server]\n")
    assert helped.returncode == 0, helped.stderr


@pytest.mark.parametrize(
    "command", ["append", "import", "read", "tail", "status", "replay", "topology", "parked", "dead-letters"]
)
def test_a_command_for_people_needs_no_extra(install: Install, command: str) -> None:
    """A plain install brings it."""
    assert install(PLAIN).run("event-store", command, "--help").returncode == 0


def test_a_consumer_without_libpq_names_the_extra(install: Install) -> None:
    """Psycopg finds no libpq, as in a slim image; the extra brings one."""
    hidden = "import ctypes.util; ctypes.util.find_library = lambda name: None\n"
    tried = "try:\n    from event_store import Projection\nexcept ImportError as error:\n    print(error)\n"
    said = install(PLAIN).run_program(hidden + tried)
    found = install(f"{PLAIN}[consumer]").run_program(hidden + tried)

    assert said == "Projection: psycopg finds no libpq here: install gcp-event-store[consumer]\n"
    assert found == ""


def test_the_contract_is_in_the_wheel(install: Install) -> None:
    """For a compiler of any language, with all that it imports."""
    folder = install(PLAIN).site_packages / "event_store" / "proto"
    contract = ROOT / "service" / "proto"

    assert sorted(path.relative_to(folder) for path in folder.rglob("*.proto")) == sorted(
        path.relative_to(contract) for path in contract.rglob("*.proto")
    )
