"""What the tests stand on: real PostgreSQL clusters, and a migrated database of its own for each test."""

import os
import select
import signal
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, settings

from event_store.database.schema import upgrade
from event_store.environment import Environment
from local_gcp.errors import SetupError
from local_gcp.postgres.server.binaries import find_binaries
from local_gcp.postgres.server.cluster import Postgres
from local_gcp.pubsub_api.google_emulator import OfficialEmulator, find_jar, find_java
from local_gcp.system.ports import free_port
from pubsub_emulator import PubSubServer
from tools.pulumi_cli import BIN

ADDRESS_VARIABLE = "PUBSUB_TEST_ADDRESS"  # what tests/pubsub_emulator is to try, see CONTRIBUTING.md

# A developer's own servers and settings are none of the tests' business.
for name in [name for name in os.environ if name.startswith(("PG", "PUBSUB", "EVENT_STORE_", "LOCAL_GCP_"))]:
    if name != ADDRESS_VARIABLE:
        del os.environ[name]

# Where `make setup` puts `pulumi`.
os.environ["PATH"] = os.pathsep.join([str(BIN), os.environ["PATH"]])

# How long an example takes says how busy the machine is, and nothing of the code.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")

# A job in the background of a shell ignores Ctrl-C, and would hand that on to commands that tests interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)

NEWEST, OLDEST = 18, 16
MIGRATOR, RUNTIME = "migrator", "runtime"
_TEMPLATE, _BLANK = "template_migrated", "template_blank"
_KILL_SECONDS = 10.0
_numbers = count(1)


@dataclass(frozen=True, slots=True)
class TestDatabase:
    """A database of a test's own.

    Attributes:
        postgres: The cluster that it is in.
        name: Its name there.
    """

    __test__ = False  # no tests in here, whatever its name looks like to pytest

    postgres: Postgres
    name: str

    @property
    def owner(self) -> str:
        """The connection string of the migrator, who owns the tables."""
        return self.postgres.conninfo(MIGRATOR, self.name)

    @property
    def runtime(self) -> str:
        """The connection string of the service."""
        return self.postgres.conninfo(RUNTIME, self.name)

    @property
    def superuser(self) -> str:
        """The connection string of somebody who may do anything."""
        return self.postgres.conninfo(database=self.name)

    def variables(self, user: str = RUNTIME) -> dict[str, str]:
        """Return libpq's variables that name it."""
        return {
            "PGHOST": "127.0.0.1",
            "PGPORT": str(self.postgres.port),
            "PGDATABASE": self.name,
            "PGUSER": user,
            "PGSSLMODE": "disable",
        }


Clusters = Callable[[int], Postgres]
Addresses = Callable[[str], Awaitable[str]]


@pytest.fixture(scope="session")
def clusters() -> Iterator[Clusters]:
    """Start a PostgreSQL of a major version at its first use; it has the roles and templates of the tests."""
    running: dict[int, Postgres] = {}
    # Not pytest's own directory: that is its user's alone, but a server started by root runs as `nobody`.
    directory = Path(tempfile.mkdtemp(prefix="event-store-tests-"))
    directory.chmod(0o711)

    def start(major: int) -> Postgres:
        if major not in running:
            postgres = Postgres(directory / f"pg{major}", find_binaries(major), free_port())
            postgres.start()
            running[major] = postgres
            _prepare(postgres)
        return running[major]

    yield start
    for postgres in running.values():
        postgres.remove()
    directory.rmdir()


def _prepare(postgres: Postgres) -> None:
    with psycopg.connect(postgres.conninfo(), autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {MIGRATOR} LOGIN IN ROLE cloudsqlsuperuser")
        for database in (_BLANK, _TEMPLATE):
            connection.execute(f"CREATE DATABASE {database} OWNER cloudsqlsuperuser")
        upgrade(lambda: psycopg.connect(postgres.conninfo(MIGRATOR, _TEMPLATE)), report=lambda _line: None)
        connection.execute(f"CREATE ROLE {RUNTIME} LOGIN IN ROLE event_store_runtime")


def clone_as(postgres: Postgres, name: str, template: str = _TEMPLATE) -> Iterator[TestDatabase]:
    """Make a database, migrated by default, and drop it in the end."""
    database = TestDatabase(postgres, name)
    with psycopg.connect(postgres.conninfo(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {database.name} TEMPLATE {template} OWNER cloudsqlsuperuser")
    yield database
    with psycopg.connect(postgres.conninfo(), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {database.name} WITH (FORCE)")


@pytest.fixture
def database(clusters: Clusters) -> Iterator[TestDatabase]:
    """A migrated database on the newest PostgreSQL."""
    yield from clone_as(clusters(NEWEST), f"test_{next(_numbers)}")


@pytest.fixture(params=[NEWEST, OLDEST], ids=lambda major: f"pg{major}")
def any_database(clusters: Clusters, request: pytest.FixtureRequest) -> Iterator[TestDatabase]:
    """A migrated database, once on the newest and once on the oldest PostgreSQL that we promise to run on."""
    yield from clone_as(clusters(request.param), f"test_{next(_numbers)}")


@pytest.fixture(params=[NEWEST, OLDEST], ids=lambda major: f"pg{major}")
def blank_database(clusters: Clusters, request: pytest.FixtureRequest) -> Iterator[TestDatabase]:
    """A database without our schema, on the newest and on the oldest PostgreSQL."""
    yield from clone_as(clusters(request.param), f"test_{next(_numbers)}", _BLANK)


@pytest.fixture
def mortal_database(tmp_path: Path) -> Iterator[TestDatabase]:
    """A migrated database in a cluster of the test's own, which may be killed."""
    postgres = Postgres(tmp_path / "postgres", find_binaries(NEWEST), free_port())
    postgres.start()
    try:
        _prepare(postgres)
        yield TestDatabase(postgres, _TEMPLATE)
    finally:
        postgres.remove()


def kill(postgres: Postgres) -> None:
    """End a server as a power cut would: nothing of it says goodbye, and then nothing of it is left."""
    pid = postgres.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)  # it forks no more
    children = Path(f"/proc/{pid}/task/{pid}/children")  # on Linux; elsewhere they follow their parent
    with ExitStack() as stack:
        ends = []
        for each in map(int, children.read_text().split()) if children.exists() else ():
            with suppress(ProcessLookupError):
                ends.append(os.pidfd_open(each))
                stack.callback(os.close, ends[-1])
                os.kill(each, signal.SIGKILL)
        os.kill(pid, signal.SIGKILL)
        for end in ends:  # while one of them lives, no other server starts on its data
            select.select([end], [], [], _KILL_SECONDS)
    postgres.stop()  # takes note


@pytest.fixture(scope="session")
async def addresses() -> AsyncIterator[Addresses]:
    """Start a Pub/Sub at its first use: `embedded`, or Google's `official` emulator where it is installed."""
    running: dict[str, str] = {}
    async with AsyncExitStack() as stack:

        async def start(kind: str) -> str:
            if kind not in running:
                server: PubSubServer | OfficialEmulator = (
                    PubSubServer() if kind == "embedded" else _official()
                )
                await stack.enter_async_context(server)
                running[kind] = server.address
            return running[kind]

        yield start


def _official() -> OfficialEmulator:
    try:
        find_java(), find_jar()
    except SetupError as missing:
        pytest.skip(str(missing))
    return OfficialEmulator()


@pytest.fixture
def environment() -> Environment:
    """What a service of a test is started with: a port of the system's choice."""
    return Environment(port=0)
