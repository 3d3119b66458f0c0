"""A transaction is committed, or it raises: a COMMIT that rolls back is never silent."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Final

import psycopg
import pytest

from event_store.database.transaction import RolledBackError, transaction
from event_store.errors import ConfigurationError
from tests.conftest import TestDatabase

Connection = psycopg.AsyncConnection[Any]
INSERT: Final = "INSERT INTO facts VALUES (1)"


async def _caught(connection: Connection) -> None:
    with suppress(psycopg.Error):
        await connection.execute("SELECT 1 / 0")


async def _rolled_back(_: Connection) -> None:
    raise psycopg.Rollback


BLOCKS: Final[dict[str, Callable[[Connection], Awaitable[object]]]] = {
    "an error that was caught": _caught,
    "psycopg.Rollback": _rolled_back,
    "ROLLBACK": lambda connection: connection.execute("ROLLBACK"),
}


async def _connect(database: TestDatabase, *, autocommit: bool) -> Connection:
    connection = await psycopg.AsyncConnection.connect(database.superuser, autocommit=autocommit)
    await connection.execute("CREATE TABLE facts (fact int)")
    if not autocommit:
        await connection.commit()
    return connection


async def _count(connection: Connection) -> int:
    await connection.rollback()
    row = await (await connection.execute("SELECT count(*)::int FROM facts")).fetchone()
    assert row
    count: int = row[0]
    return count


@pytest.mark.parametrize("autocommit", [True, False])
@pytest.mark.parametrize("name", BLOCKS)
async def test_a_transaction_is_committed_or_raises(
    database: TestDatabase, name: str, autocommit: bool
) -> None:
    """Whatever the block does, the caller knows what became of it."""
    async with await _connect(database, autocommit=autocommit) as connection:

        async def run() -> None:
            async with transaction(connection):
                await connection.execute(INSERT)
                await BLOCKS[name](connection)

        with pytest.raises(RolledBackError):
            await run()
        assert await _count(connection) == 0
        await connection.rollback()
        async with transaction(connection):
            await connection.execute(INSERT)
            with suppress(psycopg.Error):
                async with connection.transaction():  # a savepoint
                    await connection.execute("SELECT 1 / 0")
        assert await _count(connection) == 1


async def test_a_transaction_within_another_is_refused(database: TestDatabase) -> None:
    """Its commit would be that of the outer one, which may never come."""
    async with await _connect(database, autocommit=False) as connection:
        await connection.execute(INSERT)
        with pytest.raises(ConfigurationError, match="already in a transaction"):
            async with transaction(connection):
                pass
