"""Run the sample projection on the local stack, in a separate process with its own database.

Invariants: the process ends with its context, however that ends, and with this process; no other process is
ended. The database is created once, next to the event store's, and is kept and deleted together with it.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from event_store.errors import ConfigurationError
from examples.vocabulary_projection import tables
from local_gcp.postgres.server.instances import ADMINISTRATORS, CONNECT_SECONDS
from local_gcp.resource.properties import Properties
from local_gcp.system.child_process import Child, mortal
from tools import ROOT

DATABASE: Final = "vocabulary_projection"
SUBSCRIPTION: Final = "vocabulary-projection"
_SCHEMA: Final = "vocabulary"
_VARIABLES: Final = {
    "host": "PGHOST",
    "port": "PGPORT",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "sslmode": "PGSSLMODE",
    "dbname": "PGDATABASE",
}

Row = tuple[str, str, str | None, str | None]


class Sample:
    """Run the sample projection and read its tables.

    Args:
        endpoints: The daemon's endpoints.
        log_path: The file for the process's standard error.

    Attributes:
        conninfo: The connection string of its database.
    """

    def __init__(self, endpoints: Properties, log_path: Path) -> None:
        self.conninfo = make_conninfo(endpoints["postgres"], dbname=DATABASE)
        self.log_path = log_path
        self._endpoints = endpoints

    @asynccontextmanager
    async def running(self) -> AsyncIterator["asyncio.Queue[str]"]:
        """Run the projection; yield a queue of its output: one line per handled event, "" at the end.

        Raises:
            ConfigurationError: The database cannot be created.
        """
        await self._create_database()
        command = [sys.executable, "-m", tables.__package__, "--project", self._endpoints["project"]]
        command += ["--name", _SCHEMA, "--subscription", SUBSCRIPTION]
        with self.log_path.open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                *mortal(command),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                env=os.environ | self._variables(),
                cwd=ROOT,
                start_new_session=True,
            )
        child = Child(process, self.log_path, 0)
        lines: asyncio.Queue[str] = asyncio.Queue()
        reading = asyncio.create_task(_read(process, lines))  # to the end: a full pipe would block it
        try:
            yield lines
        finally:
            await child.stop()
            await reading

    async def rows(self, vocabulary_id: str) -> list[Row]:
        """Return a vocabulary's rows from the projection's tables; none if there are no tables yet.

        Raises:
            ConfigurationError: The database does not answer.
        """
        try:
            async with await psycopg.AsyncConnection.connect(
                self.conninfo, options=f"-c search_path={_SCHEMA}", connect_timeout=CONNECT_SECONDS
            ) as connection:
                return await tables.show(connection, vocabulary_id)
        except psycopg.errors.UndefinedTable:
            return []
        except psycopg.OperationalError as error:
            raise _unusable(error) from None

    async def _create_database(self) -> None:
        try:
            async with await psycopg.AsyncConnection.connect(
                self._endpoints["postgres"],
                options=f"-c role={ADMINISTRATORS}",  # the role that may create databases
                connect_timeout=CONNECT_SECONDS,
                autocommit=True,
            ) as connection:
                with suppress(psycopg.errors.DuplicateDatabase):
                    await connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
        except psycopg.Error as error:
            raise _unusable(error) from None

    def _variables(self) -> dict[str, str]:
        known = conninfo_to_dict(self.conninfo)
        return {
            **{variable: str(known[name]) for name, variable in _VARIABLES.items() if name in known},
            "EVENT_STORE_TARGET": self._endpoints["service"],
            "PUBSUB_EMULATOR_HOST": self._endpoints["pubsub_emulator_host"],
        }


async def _read(process: asyncio.subprocess.Process, lines: "asyncio.Queue[str]") -> None:
    if process.stdout is not None:
        async for line in process.stdout:
            lines.put_nowait(line.decode(errors="replace").strip())
    lines.put_nowait("")


def _unusable(error: psycopg.Error) -> ConfigurationError:
    return ConfigurationError(
        f"the sample projection has no database {DATABASE}: {str(error).strip()}. "
        "`make up` again, or `make up ARGS=--no-demo` without it"
    )
