"""A PostgreSQL that runs already, in place of Cloud SQL."""

import asyncio
import os
from collections.abc import Mapping
from contextlib import suppress

import psycopg
from psycopg import sql

from event_store.errors import ConfigurationError
from local.instances import ADMINISTRATORS, CONNECT_SECONDS, Instances
from local.postgres import CREATE_ADMINISTRATORS


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
                f"EVENT_STORE_POSTGRES=external, but no PostgreSQL answers: {str(error).strip()}. Point "
                "libpq's variables (PGHOST, PGPORT, PGUSER, PGPASSWORD, PGDATABASE) at one, "
                "or unset EVENT_STORE_POSTGRES"
            ) from None
        with connection:
            connection.execute(CREATE_ADMINISTRATORS)
            connection.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(ADMINISTRATORS)))
