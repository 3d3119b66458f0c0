"""The pool of connections and the named queries.

Every connection commits each statement by itself: an append is one statement, a page of a read is one.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final, LiteralString

import psycopg
from psycopg_pool import AsyncConnectionPool

from event_store.database_errors import domain_errors
from event_store.environment import Environment
from event_store.login import Login
from event_store.named_queries import load_queries

Row = tuple[Any, ...]
_POOL_TIMEOUT_SECONDS: Final = 5.0
# Beyond these somebody hangs, not works: an append takes milliseconds, a page of a read some more.
_TIMEOUTS: Final = {
    "statement_timeout": "15s",
    "lock_timeout": "5s",
    "idle_in_transaction_session_timeout": "15s",
}


queries: Final[Mapping[str, LiteralString]] = load_queries("event_store", "queries.sql")


class Database:
    """The database, as the service's tasks share it.

    Args:
        environment: Says how to log in.
        connections: How many connections to open at the most.
        is_replica: Whether it is the replica that the environment names.
    """

    def __init__(self, environment: Environment, connections: int, *, is_replica: bool = False) -> None:
        self.login = Login(environment, to_replica=is_replica, **_TIMEOUTS)
        self._pool: AsyncConnectionPool[psycopg.AsyncConnection[Row]] = AsyncConnectionPool(
            kwargs=self._parameters,
            min_size=1,
            max_size=connections,
            timeout=_POOL_TIMEOUT_SECONDS,
            open=False,
            name="event-store",
        )

    async def open(self) -> None:
        """Begin to connect; does not wait for the database."""
        await self._pool.open()

    async def close(self) -> None:
        """Close every connection. Closing twice is harmless."""
        await self._pool.close()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[psycopg.AsyncConnection[Row]]:
        """Lend a connection; if it was lost meanwhile, look after the others too.

        Raises:
            EventStoreError: Whatever went wrong within, see `domain_errors`.
        """
        with domain_errors():
            async with self._pool.connection() as connection:
                try:
                    yield connection
                finally:
                    if connection.closed:
                        await self._pool.check()

    async def _parameters(self) -> dict[str, Any]:
        return {**await self.login.parameters_async(), "autocommit": True}
