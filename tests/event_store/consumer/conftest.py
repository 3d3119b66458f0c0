"""What the tests of consumers stand on: a running Pub/Sub."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from event_store.client.client import Client
from event_store.environment import Environment
from event_store.server.server import Server
from event_store.topology import Routing
from tests.conftest import Addresses, TestDatabase
from tests.event_store.consumer.words import Words
from tests.pubsub_emulator.bus import Bus, bus_at


@pytest.fixture
async def bus(addresses: Addresses, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bus]:
    """The embedded Pub/Sub, named by the environment."""
    address = await addresses("embedded")
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", address)
    async with bus_at(address) as bus:
        yield bus


@pytest.fixture(params=["embedded", "official"])
async def any_bus(
    addresses: Addresses, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Bus]:
    """The same, once of the embedded Pub/Sub and once of Google's emulator."""
    address = await addresses(request.param)
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", address)
    async with bus_at(address) as bus:
        yield bus


@pytest.fixture
async def client(database: TestDatabase, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Client]:
    """A client of a service that publishes nothing."""
    async with serving(database, None, monkeypatch) as (client, _):
        yield client


@pytest.fixture
async def words(database: TestDatabase) -> Words:
    """The tables of a projection."""
    words = Words(database.superuser)
    await words.create()
    return words


@asynccontextmanager
async def serving(
    database: TestDatabase, routing: Routing | None, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[Client, str]]:
    """A service with its relay: a client of it, and its address."""
    for name, value in database.variables().items():
        monkeypatch.setenv(name, value)
    server = Server(Environment(port=0), routing)
    await server.start()
    try:
        target = f"127.0.0.1:{server.port}"
        async with Client(target, timeout_seconds=20) as client:
            yield client, target
    finally:
        await server.stop()
