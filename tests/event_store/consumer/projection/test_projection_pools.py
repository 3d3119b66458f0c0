"""A projection works on whatever connections a pool lends, and shares its tables with other projections."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

import psycopg
import pytest
from psycopg.rows import dict_row, namedtuple_row, scalar_row
from psycopg_pool import AsyncConnectionPool

from event_store.client.client import Client
from event_store.consumer.checkpoints import create_projection_tables
from event_store.consumer.projection import Projection
from tests.event_store.consumer.words import POISON, Words, append, read


async def _serializable(connection: psycopg.AsyncConnection[Any]) -> None:
    await connection.set_isolation_level(psycopg.IsolationLevel.SERIALIZABLE)


async def _in_a_schema(connection: psycopg.AsyncConnection[Any]) -> None:
    await connection.execute("SET TimeZone = 'Asia/Kathmandu'")
    await connection.execute("SET synchronous_commit = off")
    await connection.commit()


POOLS: Final[dict[str, dict[str, Any]]] = {
    "rows as dicts": {"row_factory": dict_row},
    "rows as dicts, in autocommit": {"row_factory": dict_row, "autocommit": True},
    "rows as named tuples": {"row_factory": namedtuple_row},
    "rows as their first column": {"row_factory": scalar_row},
    "a cursor that binds in the client": {"cursor_factory": psycopg.AsyncClientCursor},
    "a cursor with PostgreSQL's own parameters": {"cursor_factory": psycopg.AsyncRawCursor},
    "everything prepared": {"prepare_threshold": 0},
    "nothing prepared": {"prepare_threshold": None},
    "a client encoding": {"client_encoding": "latin1"},
    "no client encoding": {"client_encoding": "sql_ascii"},
}
CONFIGURED: Final[dict[str, Callable[[psycopg.AsyncConnection[Any]], Awaitable[None]]]] = {
    "serializable": _serializable,
    "settings of the session": _in_a_schema,
}


@pytest.mark.parametrize("name", [*POOLS, *CONFIGURED])
async def test_a_projection_works_on_any_pool(client: Client, words: Words, name: str) -> None:
    """Events have their effects once; a refused one is passed over and handled later; rows are read."""
    aggregate_id = await append(client, "a", POISON, "c")
    events = await read(client, aggregate_id)

    async def handler(connection: psycopg.AsyncConnection[Any], event: Any) -> None:
        if event.event_data == POISON and not words.cured:
            raise ValueError("no word")
        await words.write(psycopg.AsyncCursor(connection), event)

    async with AsyncConnectionPool(
        words.conninfo, kwargs=POOLS.get(name), configure=CONFIGURED.get(name), min_size=1, open=False
    ) as pool:
        async with pool.connection() as connection:
            await create_projection_tables(connection)
        projection = Projection("words", client, pool.connection, handler)
        await projection.handle(events[0], 1)
        await projection.handle(events[0], 2)
        with pytest.raises(ValueError, match="no word"):
            await projection.handle(events[1], 5)
        await projection.handle(events[2], 1)
        (left,) = await projection.passed_over()
        words.cured = True
        assert await projection.retry_passed_over() == 0

    assert (left.aggregate_id, left.event_version, left.event_id) == (aggregate_id, 2, events[1].event_id)
    assert left.error == "ValueError: no word"
    assert words.effects() == {aggregate_id: ["a", "c", POISON]}


async def test_projections_in_the_same_tables_are_each_at_their_own_version(
    client: Client, words: Words
) -> None:
    """What one has handled, passed over or taken back changes nothing for the other."""
    aggregate_id = await append(client, "a", POISON, "c", "d")
    events = await read(client, aggregate_id)
    first, second = words.projection(client, "first"), words.projection(client, "second")
    for projection, count in ((second, 2), (first, 4)):
        for event in events[:count]:
            if event.event_data == POISON:
                with pytest.raises(ValueError, match="no word"):
                    await projection.handle(event, 5)
            else:
                await projection.handle(event, 1)
    words.cured = True

    assert await first.retry_passed_over() == 0
    assert len(await second.passed_over()) == 1
    for event in events[2:]:
        await second.handle(event, 1)
    assert words.effects("second") == {aggregate_id: ["a", "c", "d"]}
    assert await second.retry_passed_over() == 0

    assert words.effects("first") == words.effects("second") == {aggregate_id: ["a", "c", "d", POISON]}
