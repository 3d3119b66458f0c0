"""Run statements on a pool of connections.

Every connection has autocommit: an append is one statement, and so is a page of a read.

Invariants:

- The server ends a slow statement after `STATEMENT_SECONDS`. A statement without any answer ends after
  `ANSWER_SECONDS`, and its connection is closed, see `connection.py`.
- A statement whose connection is lost runs once more on another one, so every statement here may run twice.
  On a replica it does not: the primary has the answer, too, see `log.replica_reader`.
- When a connection is lost, all older ones are closed instead of being tried one after another.
- The pool opens connections as long as requests wait for one, so it recovers with the database.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, LiteralString

import psycopg
from psycopg_pool import AsyncConnectionPool

from event_store.database.connection import Connection
from event_store.database.errors import domain_errors
from event_store.database.login import TIMEOUTS, Login
from event_store.environment import Environment

Row = tuple[Any, ...]
STATEMENT_SECONDS: Final = 6.0
ANSWER_SECONDS: Final = 8.0  # a stream's next message is due after 10 seconds, a client waits for 30
_POOL_TIMEOUT_SECONDS: Final = 5.0
# How long the pool tries for one connection, with pauses that double. With its default of five minutes the
# connection would come minutes after the database.
_RECONNECT_SECONDS: Final = 5.0


class Database:
    """The pool of connections that the service's tasks share.

    Args:
        environment: The kind of login.
        connections: The highest number of connections.
        is_replica: Whether to connect to the environment's replica.
    """

    def __init__(self, environment: Environment, connections: int, *, is_replica: bool = False) -> None:
        self.login = Login(environment, to_replica=is_replica, **TIMEOUTS)
        self._is_replica = is_replica
        self._drained_at = 0.0
        self._pool = AsyncConnectionPool(
            connection_class=Connection,
            kwargs=self._parameters,
            min_size=1,
            max_size=connections,
            timeout=_POOL_TIMEOUT_SECONDS,
            reconnect_timeout=_RECONNECT_SECONDS,
            open=False,
            name="event-store",
        )

    async def open(self) -> None:
        """Start to connect, without waiting for the database."""
        await self._pool.open()

    async def close(self) -> None:
        """Close every connection. Closing twice is harmless."""
        await self._pool.close()

    async def execute(
        self, query: LiteralString, arguments: Sequence[Any] | Mapping[str, Any] = ()
    ) -> psycopg.AsyncCursor[Row]:
        """Run a statement, which may run twice, and return the cursor with all rows.

        Raises:
            EventStoreError: The statement failed, see `domain_errors`.
        """
        with domain_errors():
            if not self._is_replica:
                async with self._lent() as connection:
                    try:
                        return await connection.execute(query, arguments)
                    except psycopg.OperationalError:
                        if not connection.closed:
                            raise
            async with self._lent() as connection:
                return await connection.execute(query, arguments)

    @asynccontextmanager
    async def _lent(self) -> AsyncIterator[Connection]:
        """Lend a connection; if it is lost, close all older ones."""
        async with self._pool.connection() as connection:
            try:
                yield connection
            finally:
                if connection.closed and connection.opened_at > self._drained_at:
                    self._drained_at = asyncio.get_running_loop().time()
                    await self._pool.drain()

    async def _parameters(self) -> dict[str, Any]:
        parameters = await self.login.parameters_async()
        return {
            **parameters,
            "options": f"{parameters['options']} -c statement_timeout={STATEMENT_SECONDS * 1000:.0f}",
            "autocommit": True,
            "answer_seconds": ANSWER_SECONDS,
        }
