"""A PostgreSQL that already runs, in place of Cloud SQL."""

import asyncio
import os
from collections.abc import Mapping
from contextlib import suppress
from typing import Self

import psycopg
from psycopg import sql

from local_gcp.errors import SetupError
from local_gcp.postgres.server.cluster import CREATE_ADMINISTRATORS
from local_gcp.postgres.server.instances import ADMINISTRATORS, CONNECT_SECONDS, Instances
from local_gcp.rights.callers import Tokens


class ExternalInstances(Instances):
    """A PostgreSQL that already runs, found by libpq's own variables; all instances share it.

    Args:
        tokens: Issues the passwords of roles with a Google identity.
    """

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens
        self._host = self._port = ""
        self._ssl_mode = os.environ.get("PGSSLMODE", "prefer")

    async def __aenter__(self) -> Self:
        """Check that PostgreSQL answers, and create Cloud SQL's administrator group if it is missing."""
        await asyncio.to_thread(self._prepare)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Leave PostgreSQL running."""

    async def start(self, instance: str, flags: Mapping[str, str]) -> None:
        """Do nothing: PostgreSQL already runs."""

    async def copy(self, source: str, instance: str, *, follows: bool = False) -> None:
        """Do nothing: source and copy are the same PostgreSQL.

        Raises:
            SetupError: The copy would have to be a replica of itself.
        """
        if follows:
            raise SetupError(
                f"{instance} cannot follow {source}: with LOCAL_GCP_POSTGRES=external one PostgreSQL "
                "stands for every instance; unset the variable, or leave the replica out"
            )

    async def stop(self, instance: str) -> None:
        """Leave PostgreSQL running."""

    async def variables(self, _instance: str) -> dict[str, str]:
        """Return the developer's libpq variables, with host and port as libpq understands them."""
        return {"PGHOST": self._host, "PGPORT": self._port, "PGSSLMODE": self._ssl_mode}

    def password_of(self, user: str) -> str:
        """Return the access token of the account that a role is named after."""
        return self._tokens.of_account(f"{user}.gserviceaccount.com")

    def conninfo(self, _instance: str, user: str | None, database: str) -> str:
        """Return a connection string; libpq's variables supply the rest for the administrator."""
        if user is None:
            return psycopg.conninfo.make_conninfo(dbname=os.environ.get("PGDATABASE", database))
        where = {"host": self._host, "port": self._port, "sslmode": self._ssl_mode}
        return psycopg.conninfo.make_conninfo(
            user=user, dbname=database, password=self.password_of(user), **where
        )

    def _prepare(self) -> None:
        try:
            connection = psycopg.connect("", autocommit=True, connect_timeout=CONNECT_SECONDS)
        except psycopg.OperationalError as error:
            raise SetupError(
                f"LOCAL_GCP_POSTGRES=external, but no PostgreSQL answers: {str(error).splitlines()[0]}. "
                "Point libpq's variables (PGHOST, PGPORT, PGUSER, PGPASSWORD, PGDATABASE) at one, "
                "or unset LOCAL_GCP_POSTGRES"
            ) from None
        with connection:
            self._host, self._port = connection.info.host, str(connection.info.port)
            with suppress(psycopg.errors.DuplicateObject):
                connection.execute(CREATE_ADMINISTRATORS)
            connection.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(ADMINISTRATORS)))
