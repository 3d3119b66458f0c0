"""PostgreSQL, Pub/Sub or the store is killed: a test for each of their rows of the table in `projection.py`.

Those of the projection's own process are in `test_consumer.py`.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import psycopg
import pytest

from event_store.client.client import Client
from event_store.consumer.checkpoints import ProjectionVersions
from event_store.consumer.projection import Projection
from event_store.log.page import PAGE_EVENTS
from event_store.model.events import RecordedEvent
from local_gcp.system.ports import free_port
from pubsub_emulator import PubSubServer
from tests.conftest import TestDatabase, kill
from tests.event_store.consumer.conftest import serving
from tests.event_store.consumer.flow import ROUTING, TOPIC, consuming, subscribe
from tests.event_store.consumer.words import PATIENCE_SECONDS, Words, append, read
from tests.event_store.log.appending import crashing_service
from tests.mortal_pubsub import MortalPubSub
from tests.processes import until_it_dies
from tests.proxy import Proxy
from tests.pubsub_emulator.bus import bus_at


@pytest.fixture
async def mortal_words(mortal_database: TestDatabase) -> Words:
    """The tables of a projection in a PostgreSQL that may be killed, which the log is not in."""
    words = Words(mortal_database.superuser)
    await words.create()
    return words


@pytest.fixture
async def _bus(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """A Pub/Sub of a test's own, with the topic and its subscription."""
    async with PubSubServer() as pubsub:
        monkeypatch.setenv("PUBSUB_EMULATOR_HOST", pubsub.address)
        await _prepare(pubsub.address)
        yield


async def _prepare(address: str) -> None:
    async with bus_at(address) as bus:
        await bus.topic(name=TOPIC)
        await subscribe(bus)


class _Halt:
    """Halts a handler, once, when it has done its work."""

    def __init__(self, projection: Projection) -> None:
        self.reached = asyncio.Event()
        self.go_on = asyncio.Event()
        self._handler = projection._handler
        projection._handler = self._handle

    async def _handle(self, connection: psycopg.AsyncConnection[Any], event: RecordedEvent) -> None:
        await self._handler(connection, event)
        if not self.reached.is_set():
            self.reached.set()
            await self.go_on.wait()


@pytest.mark.usefixtures("_bus")
async def test_postgresql_dies_before_a_commit(
    database: TestDatabase,
    mortal_words: Words,
    mortal_database: TestDatabase,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The event has had no effect, and is handled when the database is back."""
    async with serving(database, ROUTING, monkeypatch) as (client, _):
        projection = mortal_words.projection(client)
        halt = _Halt(projection)
        async with consuming(projection.handle), asyncio.timeout(PATIENCE_SECONDS):
            aggregate_id = await append(client, "a", "b")
            await halt.reached.wait()
            kill(mortal_database.postgres)
            halt.go_on.set()
            mortal_database.postgres.start()
            await mortal_words.until(lambda effects: effects == {aggregate_id: ["a", "b"]})

        assert len(mortal_words.seen) == 3
        assert await projection.passed_over() == ()


@pytest.mark.usefixtures("_bus")
async def test_postgresql_dies_after_a_commit(
    database: TestDatabase,
    mortal_words: Words,
    mortal_database: TestDatabase,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The projection was not told, and finds that the event has had its effect."""
    save = ProjectionVersions.save
    async with (
        Proxy(mortal_database.postgres.port) as proxy,
        serving(database, ROUTING, monkeypatch) as (client, _),
    ):
        through_proxy = Words(f"{mortal_words.conninfo} port={proxy.port}")

        async def held_save(self: ProjectionVersions) -> None:
            await save(self)
            monkeypatch.setattr(ProjectionVersions, "save", save)
            proxy.hold("answers")

        monkeypatch.setattr(ProjectionVersions, "save", held_save)
        projection = through_proxy.projection(client)
        async with consuming(projection.handle):
            aggregate_id = await append(client, "a", "b")
            await proxy.until_held()
            await mortal_words.until(lambda effects: effects == {aggregate_id: ["a"]})
            kill(mortal_database.postgres)
            proxy.cut()
            mortal_database.postgres.start()
            await mortal_words.until(lambda effects: effects == {aggregate_id: ["a", "b"]})

        assert len(through_proxy.seen) == 2
        assert await projection.passed_over() == ()


@pytest.mark.parametrize("kind", ["embedded", "official"])
async def test_pubsub_dies_between_delivery_and_ack(
    kind: str, database: TestDatabase, words: Words, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it had delivered has its effect, once, and what comes next is taken from the next one."""
    async with MortalPubSub(kind) as pubsub:
        monkeypatch.setenv("PUBSUB_EMULATOR_HOST", pubsub.address)
        await _prepare(pubsub.address)
        async with serving(database, ROUTING, monkeypatch) as (client, _):
            projection = words.projection(client)
            halt = _Halt(projection)
            async with consuming(projection.handle), asyncio.timeout(2 * PATIENCE_SECONDS):
                aggregate_id = await append(client, "a", "b")
                await halt.reached.wait()
                await pubsub.kill()
                halt.go_on.set()
                await pubsub.start()
                await _prepare(pubsub.address)
                await append(client, "c", aggregate_id=aggregate_id)
                await words.until(lambda effects: effects == {aggregate_id: ["a", "b", "c"]})


async def test_the_store_dies_while_a_gap_is_filled(
    client: Client, database: TestDatabase, words: Words
) -> None:
    """What it gave is handled once, and the rest is read from the next one."""
    words_of_many_pages = [str(number) for number in range(PAGE_EVENTS + 100)]
    aggregate_id = await append(client, *words_of_many_pages)
    last = (await read(client, aggregate_id))[-1]
    port = free_port()
    async with Client(f"127.0.0.1:{port}", timeout_seconds=PATIENCE_SECONDS) as mortal:
        handling = asyncio.create_task(words.projection(mortal).handle(last, 1))
        async with crashing_service("in a read", port, database) as dying:
            await until_it_dies(dying)
        async with crashing_service("none", port, database), asyncio.timeout(PATIENCE_SECONDS):
            await handling

    assert words.effects() == {aggregate_id: words_of_many_pages}
    assert len(words.seen) == len(words_of_many_pages)
