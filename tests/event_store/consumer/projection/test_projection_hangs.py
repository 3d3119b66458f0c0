"""A projection waits no longer than its limit for a database that says nothing."""

import asyncio

import pytest

from event_store.client.client import Client
from event_store.consumer import projection as module
from event_store.errors import UnavailableError
from tests.conftest import TestDatabase
from tests.event_store.consumer.words import PATIENCE_SECONDS, Words, append, read
from tests.proxy import Proxy


async def test_a_database_that_hangs_is_given_up(
    client: Client, words: Words, database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The event is kept meanwhile, and is handled on the next connection."""
    monkeypatch.setattr(module, "_ANSWER_SECONDS", 0.2)
    aggregate_id = await append(client, "a")
    (event,) = await read(client, aggregate_id)
    async with Proxy(database.postgres.port) as proxy:
        hanging = Words(f"{words.conninfo} port={proxy.port} connect_timeout=60")
        projection = hanging.projection(client, timeout_seconds=0.2)
        proxy.hold("answers")
        async with asyncio.timeout(PATIENCE_SECONDS):
            with pytest.raises(UnavailableError, match="did not answer in time"):
                await projection.handle(event, 5)
            with pytest.raises(UnavailableError, match="did not answer in time"):
                await projection.passed_over()

    await words.projection(client).handle(event, 5)
    assert words.effects() == {aggregate_id: ["a"]}
