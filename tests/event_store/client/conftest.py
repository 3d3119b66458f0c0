"""What the tests of the client stand on: a real service on a database of the test's own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from event_store.client.client import Client
from event_store.environment import Environment
from event_store.server.server import Server


@pytest.fixture
def variables(database: Any, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The variables of libpq for the runtime's login to the test's database, set for this process."""
    variables: dict[str, str] = database.variables()
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return variables


@asynccontextmanager
async def serving(port: int = 0, stream_seconds: int = 0) -> AsyncIterator[Server]:
    """A service without a routing: it stores everything and publishes nothing."""
    server = Server(replace(Environment(), port=port, stream_seconds=stream_seconds), None)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


@pytest.fixture
async def server(variables: dict[str, str]) -> AsyncIterator[Server]:  # noqa: ARG001 # names the database
    """A service."""
    async with serving() as server:
        yield server


@pytest.fixture
async def client(server: Server) -> AsyncIterator[Client]:
    """A client of the service."""
    async with Client(f"127.0.0.1:{server.port}", timeout_seconds=20) as client:
        yield client
