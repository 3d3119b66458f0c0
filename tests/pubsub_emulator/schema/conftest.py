"""A client of the schema service of each server."""

from collections.abc import AsyncIterator

import grpc.aio
import pytest

from tests.pubsub_emulator.bus import Bus
from tests.pubsub_emulator.schema.schema_client import SchemaClient


@pytest.fixture
async def schemas(bus: Bus) -> AsyncIterator[SchemaClient]:
    """A client of the schema service of each server."""
    async with grpc.aio.insecure_channel(bus.address) as channel:
        yield SchemaClient(bus, channel)
