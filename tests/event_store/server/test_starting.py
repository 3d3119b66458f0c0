"""A process that starts before its database answers, or before the database takes its login."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from itertools import count
from typing import Final

import psycopg
import pytest

from event_store.topology import Routing
from local_gcp.system.ports import free_port
from tests.conftest import TestDatabase
from tests.processes import ROOT, kill_process
from tests.proxy import Proxy

PATIENCE_SECONDS: Final = 30.0
WAIT_SECONDS: Final = "EVENT_STORE_DATABASE_WAIT_SECONDS"
LONG: Final = {WAIT_SECONDS: "600"}  # longer than any test
# What each command says while it waits, and then.
SAYS: Final = {
    "serve": ("waiting for the database until", "serving on"),
    "migrate": ("waiting for the database until", "schema is at revision"),
    "migrate --create-database": ("waiting for the database until", "schema is at revision"),
    "relay": ("cannot publish, retrying", "publishing"),
}
_numbers = count(1)


class Starting:
    """A command that runs, and what it says."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.lines: list[str] = []

    async def until(self, text: str) -> str:
        """Wait for a line with a text; return it. The process must not end before."""
        assert self.process.stdout is not None
        while line := (await self.process.stdout.readline()).decode():
            self.lines.append(line)
            if text in line:
                return line
        raise AssertionError(self.lines)

    async def ended(self) -> tuple[int, str]:
        """Wait for the process's end; return its code and all that it said."""
        assert self.process.stdout is not None
        rest = (await self.process.stdout.read()).decode()
        return await self.process.wait(), "".join(self.lines) + rest


@asynccontextmanager
async def starting(command: str, **variables: str) -> AsyncIterator[Starting]:
    """Start a command, killed in the end if it still lives."""
    routing = Routing({}, (), "store-only").to_json()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "event_store.cli.main", *command.split()),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=ROOT,
        env={**os.environ, "PORT": "0", "EVENT_STORE_ROUTING": routing, **variables},
    )
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            yield Starting(process)
    finally:
        await kill_process(process)


@pytest.fixture
def late_login(database: TestDatabase) -> Iterator[str]:
    """A role with every right of ours but the one to log in."""
    name = f"late_{next(_numbers)}"
    with psycopg.connect(database.superuser, autocommit=True) as connection:
        groups = "migrator, event_store_runtime"
        connection.execute(f"CREATE ROLE {name} NOLOGIN IN ROLE {groups}".encode())
        yield name
        connection.execute(f"DROP ROLE {name}".encode())


def grant_login(database: TestDatabase, role: str) -> None:
    """Let a role log in from now on."""
    with psycopg.connect(database.superuser, autocommit=True) as connection:
        connection.execute(f"ALTER ROLE {role} LOGIN".encode())


@pytest.mark.parametrize("command", SAYS)
async def test_a_start_outlasts_a_network_that_lets_nothing_pass(
    database: TestDatabase, command: str
) -> None:
    """Connections that hang and then break are made anew until one passes; each that failed is a line."""
    waiting, done = SAYS[command]
    async with Proxy(database.postgres.port) as proxy:
        proxy.hold("requests")
        variables = {**database.variables("migrator"), **LONG, "PGPORT": str(proxy.port)}
        async with starting(command, **variables) as process:
            for _ in range(2):
                await proxy.until_held()
                proxy.cut()
                proxy.hold("requests")
                await process.until(waiting)
            await proxy.until_held()
            proxy.cut()

            await process.until(done)


@pytest.mark.parametrize("command", SAYS)
async def test_a_start_outlasts_a_grant_that_is_not_known_yet(
    database: TestDatabase, late_login: str, command: str
) -> None:
    """A login that is refused, as while IAM does not know of its grants, is tried until it is taken."""
    waiting, done = SAYS[command]
    async with starting(command, **database.variables(late_login), **LONG) as process:
        assert "is not permitted to log in" in await process.until(waiting)
        grant_login(database, late_login)

        await process.until(done)
        process.process.terminate()
        await process.ended()


@pytest.mark.parametrize("command", ["serve", "migrate"])
async def test_a_database_that_stays_away_ends_the_start_at_the_limit(
    database: TestDatabase, command: str
) -> None:
    """The process says how long it has waited, for what, and what to check."""
    away = {**database.variables(), "PGPORT": str(free_port()), WAIT_SECONDS: "1"}
    async with starting(command, **away) as process:
        code, said = await process.ended()

    assert code == 1
    assert "waiting for the database until" in said
    assert (
        "event-store: error: the database was not available within 1 s (the database is unavailable" in said
    )
    assert "Traceback" not in said


async def test_an_attempt_that_hangs_ends_with_the_limit(database: TestDatabase) -> None:
    """What was answered in part at the limit does not hold the start up: the probe would kill it unheard."""
    async with Proxy(database.postgres.port) as proxy:
        proxy.hold("answers")
        variables = {**database.variables(), "PGPORT": str(proxy.port), WAIT_SECONDS: "1"}
        async with starting("serve", **variables) as process:
            code, said = await process.ended()

    assert code == 1
    assert "the database was not available within 1 s (no answer)" in said


@pytest.mark.parametrize(("command", "code"), [("serve", 0), ("migrate", 130)])
@pytest.mark.parametrize("hangs", [False, True], ids=["between attempts", "in an attempt"])
async def test_a_stop_signal_ends_the_wait_at_once(
    database: TestDatabase, late_login: str, command: str, code: int, *, hangs: bool
) -> None:
    """Long before the limit, and without a complaint."""
    async with Proxy(database.postgres.port) as proxy:
        if hangs:
            proxy.hold("requests")
        variables = {**database.variables(late_login), **LONG, "PGPORT": str(proxy.port)}
        async with starting(command, **variables) as process:
            if hangs:
                await proxy.until_held()
            else:
                await process.until("waiting for the database until")
            process.process.send_signal(signal.SIGTERM)

            ended, said = await process.ended()

    assert ended == code
    assert "rror" not in said


@pytest.mark.parametrize(
    ("lacks", "said"),
    [
        ("schema", "run `event-store migrate` first"),
        ("database", "create it, or run `event-store migrate --create-database`"),
    ],
)
async def test_what_no_wait_can_change_ends_the_start_at_once(
    database: TestDatabase, lacks: str, said: str
) -> None:
    """A missing schema or database is told, and not waited for."""
    missing = {"PGDATABASE": "postgres" if lacks == "schema" else "missing"}
    async with starting("serve", **{**database.variables(), **LONG, **missing}) as process:
        code, text = await process.ended()

    assert code == 1
    assert said in text
    assert "waiting" not in text


@pytest.mark.parametrize("command", ["serve", "migrate"])
async def test_a_person_is_told_at_once_that_the_database_is_away(
    database: TestDatabase, command: str
) -> None:
    """Unless the environment says how long to wait, nothing is waited for."""
    away = {**database.variables(), "PGPORT": str(free_port())}
    async with starting(command, **away) as process:
        code, said = await process.ended()

    assert code == 1
    assert said.startswith("event-store: error: the database is unavailable: ")
