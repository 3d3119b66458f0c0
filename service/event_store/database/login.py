"""Log in to the database.

libpq reads its own variables (`PGHOST`, `PGUSER` …). With `EVENT_STORE_DATABASE_LOGIN=iam` the password is a
Google access token, which is refreshed shortly before it expires.
"""

import asyncio
import os
import shutil
import tempfile
import weakref
from pathlib import Path
from typing import Any, Final

import psycopg

from event_store.database.connection import ANSWER_SECONDS, Connection
from event_store.database.errors import domain_errors
from event_store.environment import Environment
from event_store.errors import UnavailableError

# For logins to Cloud SQL and AlloyDB only.
_SCOPES: Final = (
    "https://www.googleapis.com/auth/sqlservice.login",
    "https://www.googleapis.com/auth/alloydb.login",
)
_TOKEN_SECONDS: Final = 10.0
_CONNECT_TIMEOUT_SECONDS: Final = 5  # for each address of the host
# Longer statements hang: an append takes milliseconds, a page of a read somewhat more.
TIMEOUTS: Final = {
    "statement_timeout": "15s",
    "lock_timeout": "5s",
    "idle_in_transaction_session_timeout": "15s",
}
# In addition to the limits of `connection.py`, and alone for a migration: the kernel closes a connection
# whose peer does not acknowledge for half a minute. It cannot detect a server process that hangs.
_LIVENESS: Final = {
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,  # milliseconds
}
# Times are sent as text: these fix PostgreSQL's format, whatever the server's own settings are.
_SESSION: Final = {"timezone": "UTC", "datestyle": "ISO", "default_transaction_isolation": "read\\ committed"}


class Login:
    """Makes the parameters of new connections.

    Args:
        environment: The kind of login, and the certificate to trust.
        to_replica: Whether to connect to the environment's replica, with the same identity.
        session: Server settings of each connection, as in `{"statement_timeout": "10s"}`.
    """

    def __init__(self, environment: Environment, *, to_replica: bool = False, **session: str) -> None:
        self._access: Any = None
        if environment.database_login == "iam":
            from event_store import credentials  # noqa: PLC0415 # slow to load, and only `iam` needs it

            self._access = credentials.AccessToken("the database's login", _SCOPES)
        settings = " ".join(f"-c {name}={value}" for name, value in {**_SESSION, **session}.items())
        self._fixed: dict[str, Any] = {
            "application_name": "event-store",
            "client_encoding": "UTF8",
            "connect_timeout": _CONNECT_TIMEOUT_SECONDS,
            **_LIVENESS,
            "options": f"{os.environ.get('PGOPTIONS', '')} {settings}".strip(),
        }
        if to_replica:
            self._fixed |= {"host": environment.replica_host, "port": environment.replica_port}
        if ca := environment.replica_ca if to_replica else environment.database_ca:
            # libpq reads a certificate from a file only; the directory is private and deleted with this
            # object.
            directory = tempfile.mkdtemp(prefix="event-store-")
            weakref.finalize(self, shutil.rmtree, directory, ignore_errors=True)
            certificate = Path(directory) / "server-ca.pem"
            certificate.write_text(ca)
            self._fixed["sslrootcert"] = str(certificate)
            self._fixed["sslmode"] = os.environ.get("PGSSLMODE", "verify-ca")

    def parameters(self) -> dict[str, Any]:
        """Return the parameters of `psycopg.connect`; may block for seconds to fetch a token.

        Raises:
            UnavailableError: No token could be fetched.
        """
        return {**self._fixed, "password": self._access.current()} if self._access else self._fixed

    async def parameters_async(self) -> dict[str, Any]:
        """Return the parameters of `psycopg.connect` without blocking the event loop.

        Raises:
            UnavailableError: No token could be fetched within `_TOKEN_SECONDS`.
        """
        if self._access is None:
            return self._fixed
        try:
            async with asyncio.timeout(_TOKEN_SECONDS):
                return await asyncio.to_thread(self.parameters)
        except TimeoutError:
            raise UnavailableError(f"no {self._access.name} within {_TOKEN_SECONDS:g} s") from None

    async def connect_async(self, answer_seconds: float = ANSWER_SECONDS) -> Connection:
        """Open a connection with autocommit, for a loop with a connection of its own.

        Args:
            answer_seconds: The time limit of an exchange with the server, see `connection.py`.

        Raises:
            EventStoreError: The database is unreachable or rejects the login.
        """
        with domain_errors():
            return await Connection.connect(
                **await self.parameters_async(), autocommit=True, answer_seconds=answer_seconds
            )

    def connect(self, database: str | None = None) -> psycopg.Connection:
        """Open a connection for a command.

        Args:
            database: The database; None for the environment's.

        Raises:
            UnavailableError: The database is unreachable or rejects the login.
        """
        with domain_errors():
            return psycopg.connect(**self.parameters(), dbname=database)
