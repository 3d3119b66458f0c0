"""What the tests of replays stand on: a log, a Pub/Sub with a topic for replays, and services."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from event_store.client.client import Client
from event_store.database.login import Login
from event_store.environment import Environment
from event_store.replay.replayer import Replayer
from event_store.server.server import Server
from event_store.topology import Ordering, RoutedTopic, Routing
from tests.conftest import Addresses
from tests.event_store.outbox.bus import PATIENCE_SECONDS, Bus, bus_at
from tests.event_store.outbox.conftest import gate, log, login
from tests.event_store.outbox.log import Log

__all__ = ["gate", "log", "login"]  # the fixtures

StartReplayer = Callable[[Routing], Awaitable[Replayer]]
AGAIN = "again"  # the topic for replays, and its subscription


def routing_of(bus: Bus, ordering: Ordering | None = None) -> Routing:
    """The routes of the relay's tests, and a topic that none of them leads to."""
    routing = bus.routing()
    topic = RoutedTopic(AGAIN, f"projects/{bus.project}/topics/{AGAIN}", ordering or Ordering())
    return replace(routing, topics={**routing.topics, AGAIN: topic})


@pytest.fixture
async def bus(addresses: Addresses, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bus]:
    """A project of the embedded Pub/Sub."""
    address = await addresses("embedded")
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", address)
    async with bus_at(address) as bus:
        await bus.create(AGAIN)
        yield bus


@pytest.fixture(params=["embedded", "official"])
async def any_bus(
    addresses: Addresses, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Bus]:
    """The same, once of the embedded Pub/Sub and once of Google's emulator where that is installed."""
    address = await addresses(request.param)
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", address)
    async with bus_at(address) as bus:
        await bus.create(AGAIN)
        yield bus


@asynccontextmanager
async def serving(
    routing: Routing | None, *, relay: str = "on", port: int = 0
) -> AsyncIterator[tuple[Client, Server]]:
    """A service, and a client of it."""
    server = Server(replace(Environment(), port=port, relay=relay), routing)
    await server.start()
    try:
        async with Client(f"127.0.0.1:{server.port}", timeout_seconds=20) as client:
            yield client, server
    finally:
        await server.stop()
    for task in server._tasks:  # none of them failed unseen
        assert task.cancelled() or task.exception() is None


@pytest.fixture
async def client(bus: Bus, log: Log) -> AsyncIterator[Client]:  # noqa: ARG001 # the log's login
    """A client of a service that relays and replays."""
    async with serving(routing_of(bus)) as (client, _):
        yield client


@pytest.fixture
async def idle_client(bus: Bus, log: Log) -> AsyncIterator[Client]:  # noqa: ARG001 # the log's login
    """A client of a service that leaves relay and replays to other processes."""
    async with serving(routing_of(bus), relay="off") as (client, _):
        yield client


@pytest.fixture
async def start_replayer(login: Login) -> AsyncIterator[StartReplayer]:
    """Start replayers in this process; they are stopped in the end."""
    replayers: list[tuple[Replayer, asyncio.Task[None]]] = []

    async def start(routing: Routing) -> Replayer:
        replayer = Replayer(login, routing)
        replayers.append((replayer, asyncio.create_task(replayer.run())))
        return replayer

    yield start
    for replayer, _ in replayers:
        replayer.stop()
    async with asyncio.timeout(PATIENCE_SECONDS):
        for _, task in replayers:
            await task
