"""What the tests of consumers stand on: a running Pub/Sub."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest

from event_store.errors import ConfigurationError
from local.emulator import Emulator, find_jar, find_java
from local.pubsub import PubSubServer
from tests.pubsub.bus import Bus, bus_at

Addresses = Callable[[str], Awaitable[str]]


@pytest.fixture(scope="session")
async def addresses() -> AsyncIterator[Addresses]:
    """Start a Pub/Sub at its first use: the embedded one, or Google's emulator where that is installed."""
    running: dict[str, str] = {}
    async with AsyncExitStack() as stack:

        async def start(kind: str) -> str:
            if kind not in running:
                if kind == "embedded":
                    running[kind] = (await stack.enter_async_context(PubSubServer())).address
                else:
                    running[kind] = (await stack.enter_async_context(Emulator())).address
            return running[kind]

        yield start


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
    if request.param == "official":
        try:
            find_java(), find_jar()
        except ConfigurationError as missing:
            pytest.skip(str(missing))
    address = await addresses(request.param)
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", address)
    async with bus_at(address) as bus:
        yield bus
