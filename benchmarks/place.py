"""Where the works run: a PostgreSQL with a database for each group, and the processes around it.

Everything starts when it is first asked for, ends with the place, in reverse, and only by its own handle.
"""

import os
import platform
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final, Self

import psycopg
from psycopg import sql

from benchmarks.statements import statements
from benchmarks.workload import copy_lines
from event_store.database.schema import upgrade
from event_store.v1 import event_store_pb2 as pb
from local_gcp.postgres.server.binaries import find_binaries
from local_gcp.postgres.server.cluster import SUPERUSER, Postgres
from local_gcp.system.ports import free_port

STOP_SECONDS: Final = 15.0


class Workbench:
    """A PostgreSQL and the processes of the works; a context.

    Args:
        directory: For everybody's files.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._postgres = Postgres(directory / "postgres", find_binaries(), free_port())
        self._owned = ExitStack()
        self._databases: set[str] = set()

    def __enter__(self) -> Self:
        self._owned.callback(self._postgres.remove)
        try:
            self._postgres.start()
        except BaseException:
            self._owned.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._owned.close()

    @property
    def machine(self) -> str:
        """What the figures were measured on."""
        memory_gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
        return (
            f"{os.cpu_count()} cores, {memory_gib:.0f} GiB, {platform.system()} {platform.machine()}, "
            f"PostgreSQL {self._postgres.binaries.major}, Python {platform.python_version()}"
        )

    def connect(self, database: str) -> psycopg.Connection[tuple[object, ...]]:
        """Return a connection to a database, which is made and migrated if there is none."""
        self._make(database)
        return self._owned.enter_context(
            psycopg.connect(self._postgres.conninfo(database=database), autocommit=True)
        )

    def fill(
        self, database: str, requests: list[pb.AppendEventsRequest], *, grow: str, copies: int
    ) -> psycopg.Connection[tuple[object, ...]]:
        """Return a connection to a new database that holds some requests' events, and copies of them.

        Args:
            database: Its name.
            requests: The appends.
            grow: The name of the statement that copies them.
            copies: How often it does.
        """
        connection = self.connect(database)
        with connection.cursor().copy(statements["copy_events"]) as copy:
            copy.write(copy_lines(requests, 0))
        connection.execute(statements[grow], {"copies": copies})
        connection.execute(statements["set_head"])
        connection.execute(statements["settle"])
        return connection

    def variables(self, database: str) -> dict[str, str]:
        """Return libpq's variables for a database, which is made and migrated if there is none."""
        self._make(database)
        return {
            "PGHOST": "127.0.0.1",
            "PGPORT": str(self._postgres.port),
            "PGDATABASE": database,
            "PGUSER": SUPERUSER,
            "PGSSLMODE": "disable",
        }

    def serve(self, database: str) -> str:
        """Start the service on a database and return its port."""
        process = self.start([sys.executable, "-m", "benchmarks.server"], self.variables(database))
        return first_line(process)

    def start(self, command: Sequence[str], variables: Mapping[str, str]) -> "subprocess.Popen[str]":
        """Start a process that ends with the place."""
        process = subprocess.Popen(
            command,
            env={**os.environ, **variables},
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parent.parent,
            start_new_session=True,  # Ctrl-C in a terminal is for us: we end the process ourselves
        )
        self._owned.callback(_end, process)
        return process

    def run(
        self, command: Sequence[str], variables: Mapping[str, str] | None = None, given: bytes = b""
    ) -> float:
        """Run a module of this package to its end and return the seconds that it prints."""
        said = subprocess.run(
            [sys.executable, "-m", *command],
            input=given,
            env={**os.environ, **(variables or {})},
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parent.parent,
            start_new_session=True,  # as above: when we are interrupted, `run` kills it
            check=True,
        ).stdout
        return float(said)

    def _make(self, database: str) -> None:
        if database in self._databases:
            return
        with psycopg.connect(self._postgres.conninfo(), autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database)))
        upgrade(lambda: psycopg.connect(self._postgres.conninfo(database=database)), report=_say_nothing)
        self._databases.add(database)


def first_line(process: "subprocess.Popen[str]") -> str:
    """Wait for the first line that a process prints once it serves; return it.

    Raises:
        RuntimeError: It ended instead.
    """
    line = (process.stdout.readline() if process.stdout else "").strip()
    if not line:
        raise RuntimeError(f"{process.args!r} did not start")
    return line


def _end(process: "subprocess.Popen[str]") -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()


def _say_nothing(_: str) -> None:
    pass
