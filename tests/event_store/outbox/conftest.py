"""What the tests of the relay stand on: a real log, a running Pub/Sub, and relays that are always stopped."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from event_store.database.login import Login
from event_store.environment import Environment
from event_store.log.appender import Appender
from event_store.outbox.relay import Relay
from event_store.server.server import Server
from event_store.topology import Routing
from tests.conftest import Addresses
from tests.event_store.outbox.bus import PATIENCE_SECONDS, Bus, bus_at
from tests.event_store.outbox.gate import Gate
from tests.event_store.outbox.log import Log

StartRelay = Callable[[Routing], Awaitable[Relay]]


@pytest.fixture
async def bus(addresses: Addresses, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bus]:
    """A project of the embedded Pub/Sub, with the topics and subscriptions of the tests."""
    address = await addresses("embedded")
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", address)
    async with bus_at(address) as bus:
        yield bus


@pytest.fixture(params=["embedded", "official"])
async def any_bus(
    addresses: Addresses,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Bus]:
    """The same, once of the embedded Pub/Sub and once of Google's emulator where that is installed."""
    address = await addresses(request.param)
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", address)
    async with bus_at(address) as bus:
        yield bus


@pytest.fixture
async def gate(bus: Bus, addresses: Addresses, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Gate]:  # noqa: ARG001 # after the bus, which names the Pub/Sub itself
    """A gate that relays go through, and the tests do not."""
    async with Gate(await addresses("embedded")) as gate:
        monkeypatch.setenv("PUBSUB_EMULATOR_HOST", gate.address)
        yield gate
        await gate.open()


@pytest.fixture
def login(database: Any, monkeypatch: pytest.MonkeyPatch) -> Login:
    """The runtime's login to the test's database."""
    for name, value in database.variables().items():
        monkeypatch.setenv(name, value)
    return Login(Environment())


@pytest.fixture
async def log(database: Any, login: Login) -> AsyncIterator[Log]:
    """The test's log."""
    appender = Appender(login, on_appended=lambda: None)
    task = asyncio.create_task(appender.run())
    yield Log(appender, database.superuser)
    appender.stop()
    await task


@pytest.fixture
async def start_relay(login: Login) -> AsyncIterator[StartRelay]:
    """Start relays in this process; they are stopped in the end."""
    relays: list[tuple[Relay, asyncio.Task[None]]] = []

    async def start(routing: Routing) -> Relay:
        relay = Relay(login, routing)
        relays.append((relay, asyncio.create_task(relay.run())))
        return relay

    yield start
    for relay, _ in relays:
        relay.stop()
    async with asyncio.timeout(PATIENCE_SECONDS):
        for _, task in relays:
            await task


@pytest.fixture
async def address(log: Log, bus: Bus) -> AsyncIterator[str]:  # noqa: ARG001 # the log names the database
    """A service on the test's log that does not relay; its address."""
    server = Server(replace(Environment(), port=0, relay="off"), bus.routing())
    await server.start()
    yield f"127.0.0.1:{server.port}"
    await server.stop()
