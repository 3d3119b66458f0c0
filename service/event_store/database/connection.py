"""Connect to PostgreSQL with a time limit on every wait.

PostgreSQL's own limits, such as `statement_timeout`, end slow statements. They do not help if the server does
not answer: after a failover, or on a frozen host, a connection may stay established forever.

Invariants:

- `connect` ends within `CONNECT_SECONDS`, for any number of addresses of the host.
- An exchange ends within `answer_seconds`. After that the socket is shut down: a waiting caller gets an
  `OperationalError`, as for a lost connection, and the connection is closed.
- A cancelled statement has `CANCEL_SECONDS` to end; after that the socket is shut down, too.
- Closing does not wait.
"""

import asyncio
import os
import socket
from contextlib import suppress
from typing import Any, Final, Self

import psycopg

CONNECT_SECONDS: Final = 10.0
CANCEL_SECONDS: Final = 2.0
# For loops with a connection of their own; above the server's `statement_timeout`, see `login.py`.
ANSWER_SECONDS: Final = 20.0


class Connection(psycopg.AsyncConnection[Any]):
    """A connection that closes itself when the server does not answer.

    Attributes:
        answer_seconds: The time limit of an exchange with the server.
        opened_at: When the connection was opened, in seconds of the event loop's clock.
    """

    answer_seconds: float = ANSWER_SECONDS
    opened_at: float = 0.0
    _expiry: asyncio.TimerHandle | None = None
    _is_expired = False

    @classmethod
    async def connect(  # type: ignore[override] # psycopg's named parameters go through
        cls, conninfo: str = "", *, answer_seconds: float = ANSWER_SECONDS, **parameters: Any
    ) -> Self:
        """Open a connection, see `psycopg.AsyncConnection.connect`.

        Args:
            conninfo: libpq's connection string.
            answer_seconds: The time limit of an exchange with the server.
            parameters: Parameters of psycopg and libpq.

        Raises:
            psycopg.OperationalError: The server is unreachable, rejects the login or does not answer.
        """
        opened_at = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                connection = await super().connect(conninfo, **parameters)
        except TimeoutError:
            raise psycopg.errors.ConnectionTimeout(f"no connection within {CONNECT_SECONDS:g} s") from None
        connection.answer_seconds, connection.opened_at = answer_seconds, opened_at
        return connection

    async def wait(self, gen: Any, *arguments: Any, **named: Any) -> Any:
        """Run one exchange with the server; every statement of psycopg uses this method.

        Raises:
            psycopg.OperationalError: The server did not answer in time, and the connection is closed.
        """
        # A wait for notifications has a timeout of its own, which may pass without one.
        self._give_up_after((named.get("timeout") or 0.0) + self.answer_seconds)
        try:
            return await super().wait(gen, *arguments, **named)
        except psycopg.OperationalError as error:
            if not self._is_expired:
                raise
            raise psycopg.OperationalError(f"no answer within {self.answer_seconds:g} s") from error
        finally:
            if self._expiry is not None:
                self._expiry.cancel()

    async def cancel_safe(self, *, timeout: float = CANCEL_SECONDS) -> None:  # noqa: ASYNC109 # psycopg's name
        """Ask the server to cancel the current statement.

        Args:
            timeout: The time limit in seconds, at most `CANCEL_SECONDS`.
        """
        self._give_up_after(CANCEL_SECONDS)
        async with asyncio.timeout(CANCEL_SECONDS):
            await super().cancel_safe(timeout=min(timeout, CANCEL_SECONDS))

    def give_up(self) -> None:
        """Shut the socket down, so that every wait ends as for a lost connection. Repeating is harmless."""
        # Closing it would free its number: a waiting caller might then wait on another connection's socket.
        with suppress(OSError, psycopg.OperationalError), socket.socket(fileno=os.dup(self.fileno())) as end:
            end.shutdown(socket.SHUT_RDWR)

    def _give_up_after(self, seconds: float) -> None:
        if self._expiry is not None:
            self._expiry.cancel()
        self._expiry = asyncio.get_running_loop().call_later(seconds, self._expire)

    def _expire(self) -> None:
        self._is_expired = True
        self.give_up()
