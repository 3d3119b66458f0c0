"""Cloud SQL's instances: PostgreSQL clusters of our own, or a server that runs already.

Invariants: an instance of a name has one cluster, whose data outlives the instance and serves the next one of
that name; every cluster is started by one thread, which lives as long as the process, since a server ends with
the thread that started it.
"""

import asyncio
import os
import socket
from abc import ABC, abstractmethod
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Self

import psycopg
from psycopg import sql

from event_store.errors import ConfigurationError
from local.errors import CloudError
from local.postgres import CREATE_ADMINISTRATORS, Postgres
from local.postgres_binaries import find_binaries

ADMINISTRATORS: Final = "cloudsqlsuperuser"
CONNECT_SECONDS: Final = 10


class Instances(ABC):
    """All instances of the local Google Cloud, by name."""

    # The password of a role that logs in with a Google identity; None where everybody is trusted.
    password: str | None = None

    async def __aenter__(self) -> Self:
        return self

    @abstractmethod
    async def __aexit__(self, *_: object) -> None: ...

    @abstractmethod
    async def start(self, instance: str, flags: Mapping[str, str]) -> None:
        """Bring up an instance, with its data if there was one of that name. Starting it twice is harmless.

        Raises:
            ConfigurationError: It cannot run on this machine; says what to change.
        """

    @abstractmethod
    async def stop(self, instance: str) -> None:
        """Stop an instance and keep its data. Stopping it twice is harmless."""

    @abstractmethod
    async def variables(self, instance: str) -> dict[str, str]:
        """Return libpq's variables that reach an instance from this machine."""

    @abstractmethod
    def conninfo(self, instance: str, user: str | None, database: str) -> str:
        """Return the connection string of a user, or of the administrator for None."""

    async def execute(
        self, instance: str, *statements: sql.SQL | sql.Composed, database: str = "postgres"
    ) -> None:
        """Run statements as the administrator, each in a transaction of its own.

        Raises:
            CloudError: PostgreSQL refuses one.
        """
        await asyncio.to_thread(self._execute, instance, statements, database)

    async def query(self, instance: str, question: sql.SQL | sql.Composed) -> list[tuple[Any, ...]]:
        """Return the rows of a question to the administrator's database."""
        return await asyncio.to_thread(self._execute, instance, (question,), "postgres")

    def _execute(
        self, instance: str, statements: tuple[sql.SQL | sql.Composed, ...], database: str
    ) -> list[tuple[Any, ...]]:
        try:
            with psycopg.connect(
                self.conninfo(instance, None, database), autocommit=True, connect_timeout=CONNECT_SECONDS
            ) as connection:
                for statement in statements:
                    cursor = connection.execute(statement)
                return cursor.fetchall() if cursor.description else []
        except psycopg.Error as error:
            raise CloudError(f"googleapi: Error 400: Invalid request: {str(error).strip()}") from error


class EmbeddedInstances(Instances):
    """Clusters that this process owns.

    Args:
        directory: Where the clusters are kept.
        port: The port of the first instance; others get free ones.
    """

    def __init__(self, directory: Path, port: int) -> None:
        self._directory = directory
        self._port = port
        self._clusters: dict[str, Postgres] = {}
        self._starter = ThreadPoolExecutor(max_workers=1, thread_name_prefix="postgres")

    async def __aexit__(self, *_: object) -> None:
        for instance in tuple(self._clusters):
            await self.stop(instance)
        self._starter.shutdown()

    async def start(self, instance: str, flags: Mapping[str, str]) -> None:
        """Start its cluster, with other settings than before if the flags differ."""
        if instance in self._clusters and dict(self._clusters[instance].settings) != dict(flags):
            await self.stop(instance)
        if instance not in self._clusters:
            port = self._port if not self._clusters else _free_port()
            self._clusters[instance] = Postgres(self._directory / instance, find_binaries(), port, flags)
        await self._call(self._clusters[instance].start)

    async def stop(self, instance: str) -> None:
        """Stop its cluster."""
        if cluster := self._clusters.get(instance):
            await self._call(cluster.stop)
            del self._clusters[instance]

    async def variables(self, instance: str) -> dict[str, str]:
        """Return where its cluster listens; it has no TLS."""
        port = self._clusters[instance].port
        return {"PGHOST": "127.0.0.1", "PGPORT": str(port), "PGSSLMODE": "disable"}

    def conninfo(self, instance: str, user: str | None, database: str) -> str:
        """Return a connection string without a password: everybody on this machine is trusted."""
        if instance not in self._clusters:
            raise CloudError(
                f"googleapi: Error 404: The Cloud SQL instance {instance} does not exist., notFound"
            )
        cluster = self._clusters[instance]
        return cluster.conninfo(database=database) if user is None else cluster.conninfo(user, database)

    async def _call(self, work: Any) -> None:
        await asyncio.get_running_loop().run_in_executor(self._starter, work)


class ExternalInstances(Instances):
    """A PostgreSQL that runs already, found through libpq's own variables; it stands for every instance.

    Args:
        password: What roles with a Google identity log in with; their access token, too.
    """

    def __init__(self, password: str) -> None:
        self.password = password

    async def __aexit__(self, *_: object) -> None:
        """Leave it running."""

    async def start(self, _instance: str, _flags: Mapping[str, str]) -> None:
        """See that it answers, and has Cloud SQL's group of administrators."""
        with suppress(psycopg.errors.DuplicateObject):
            await asyncio.to_thread(self._prepare)

    async def stop(self, instance: str) -> None:
        """Leave it running."""

    async def variables(self, _instance: str) -> dict[str, str]:
        """Return where it listens, as libpq understands the developer's variables."""
        return await asyncio.to_thread(self._ask)

    def conninfo(self, _instance: str, user: str | None, database: str) -> str:
        """Return a connection string; libpq's variables say the rest."""
        if user is None:
            return psycopg.conninfo.make_conninfo(dbname=os.environ.get("PGDATABASE", database))
        return psycopg.conninfo.make_conninfo(user=user, dbname=database, password=self.password)

    def _ask(self) -> dict[str, str]:
        with psycopg.connect("", connect_timeout=CONNECT_SECONDS) as connection:
            info = connection.info
            mode = os.environ.get("PGSSLMODE", "prefer")
            return {"PGHOST": info.host, "PGPORT": str(info.port), "PGSSLMODE": mode}

    def _prepare(self) -> None:
        try:
            connection = psycopg.connect("", autocommit=True, connect_timeout=CONNECT_SECONDS)
        except psycopg.OperationalError as error:
            raise ConfigurationError(
                f"EVENT_STORE_POSTGRES=external, but no PostgreSQL answers: {str(error).strip()}. Point libpq's "
                "variables (PGHOST, PGPORT, PGUSER, PGPASSWORD, PGDATABASE) at one, or unset EVENT_STORE_POSTGRES"
            ) from None
        with connection:
            connection.execute(CREATE_ADMINISTRATORS)
            connection.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(ADMINISTRATORS)))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
