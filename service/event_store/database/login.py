"""How each new connection to the database logs in.

libpq reads its own variables (`PGHOST`, `PGUSER` …). With `EVENT_STORE_DATABASE_LOGIN=iam` the password is a
Google access token, made anew shortly before the last one expires.
"""

import asyncio
import os
import shutil
import tempfile
import threading
import weakref
from pathlib import Path
from typing import Any, Final

import psycopg

from event_store.database.connection import ANSWER_SECONDS, Connection
from event_store.database.errors import domain_errors
from event_store.environment import Environment
from event_store.errors import UnavailableError

# To log in to Cloud SQL, and to AlloyDB; the token is good for nothing else.
_SCOPES: Final = (
    "https://www.googleapis.com/auth/sqlservice.login",
    "https://www.googleapis.com/auth/alloydb.login",
)
_TOKEN_SECONDS: Final = 10.0
_CONNECT_TIMEOUT_SECONDS: Final = 5  # for each address of the host
# Beyond these somebody hangs, not works: an append takes milliseconds, a page of a read some more.
TIMEOUTS: Final = {
    "statement_timeout": "15s",
    "lock_timeout": "5s",
    "idle_in_transaction_session_timeout": "15s",
}
# Behind the limits of `connection.py`, and alone for a migration: the kernel gives up a wire that takes
# nothing within half a minute. It cannot tell a server that hangs from one that works.
_LIVENESS: Final = {
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,  # milliseconds
}
# Times travel as text: these say how PostgreSQL writes them, whatever the server's own settings are.
_SESSION: Final = {"timezone": "UTC", "datestyle": "ISO", "default_transaction_isolation": "read\\ committed"}


class Login:
    """Makes the parameters of new connections.

    Args:
        environment: Says how to log in, and which certificate to trust.
        to_replica: Whether to the replica that it names, with the same identity.
        session: Server settings of each connection, as in `{"statement_timeout": "10s"}`.
    """

    def __init__(self, environment: Environment, *, to_replica: bool = False, **session: str) -> None:
        self._uses_token = environment.database_login == "iam"
        self._refreshing = threading.Lock()
        self._access: Any = None
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
            # libpq takes a certificate as a file only; private, and gone with this object.
            directory = tempfile.mkdtemp(prefix="event-store-")
            weakref.finalize(self, shutil.rmtree, directory, ignore_errors=True)
            certificate = Path(directory) / "server-ca.pem"
            certificate.write_text(ca)
            self._fixed["sslrootcert"] = str(certificate)
            self._fixed["sslmode"] = os.environ.get("PGSSLMODE", "verify-ca")

    def parameters(self) -> dict[str, Any]:
        """Return `psycopg.connect`'s parameters; may block for seconds while a token is made.

        Raises:
            UnavailableError: There is no token.
        """
        return {**self._fixed, "password": self._token()} if self._uses_token else self._fixed

    async def parameters_async(self) -> dict[str, Any]:
        """Return what `parameters` returns, without blocking the event loop.

        Raises:
            UnavailableError: There is no token within `_TOKEN_SECONDS`.
        """
        if not self._uses_token:
            return self._fixed
        try:
            async with asyncio.timeout(_TOKEN_SECONDS):
                return await asyncio.to_thread(self.parameters)
        except TimeoutError:
            raise _no_token() from None

    async def connect_async(self, answer_seconds: float = ANSWER_SECONDS) -> Connection:
        """Open a connection in autocommit, for a loop that keeps one to itself.

        Args:
            answer_seconds: How long to wait for the end of an answer, see `connection.py`.

        Raises:
            EventStoreError: The database is away or refuses the login.
        """
        with domain_errors():
            return await Connection.connect(
                **await self.parameters_async(), autocommit=True, answer_seconds=answer_seconds
            )

    def connect(self, database: str | None = None) -> psycopg.Connection:
        """Open a connection for a command.

        Args:
            database: Another database than the environment's.

        Raises:
            UnavailableError: The database is away or refuses the login.
        """
        with domain_errors():
            return psycopg.connect(**self.parameters(), dbname=database)

    def _token(self) -> str:
        if not self._refreshing.acquire(timeout=_TOKEN_SECONDS):  # no thread waits forever behind another
            raise _no_token()
        try:
            if self._access is None:
                from event_store import credentials  # noqa: PLC0415 # slow to load, and only `iam` needs it

                self._access = credentials.AccessToken("the database's login", _SCOPES)
            return str(self._access.current())
        finally:
            self._refreshing.release()


def _no_token() -> UnavailableError:
    return UnavailableError(f"no access token for the database's login within {_TOKEN_SECONDS:g} s")
