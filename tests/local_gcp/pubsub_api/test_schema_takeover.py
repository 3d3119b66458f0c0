"""A schema in Pub/Sub that the local Google Cloud has no record of is taken over."""

from collections.abc import AsyncIterator

import pytest_asyncio

from local_gcp.pubsub_api.broker import Broker
from local_gcp.pubsub_api.schemas import SchemaKind
from local_gcp.resource.kind import Draft
from local_gcp.resource.place import Place
from local_gcp.system.ports import free_port

NAME = "projects/p-1/schemas/orders"


@pytest_asyncio.fixture
async def bus() -> AsyncIterator[Broker]:
    """A Pub/Sub of the test's own."""
    async with Broker("embedded", free_port()) as bus:
        yield bus


async def _revisions(bus: Broker) -> int:
    return len([revision async for revision in await bus.schemas.list_schema_revisions(name=NAME)])


def _draft(field: str) -> Draft:
    definition = f'{{"type": "record", "name": "Order", "fields": [{{"name": "{field}", "type": "string"}}]}}'
    inputs = {"name": "orders", "type": "AVRO", "definition": definition}
    return Draft(id=NAME, inputs=inputs, place=Place("p-1"))


async def test_a_schema_with_the_wanted_definition_gets_no_revision(bus: Broker) -> None:
    """Taking over a schema of the same type and definition commits nothing."""
    await SchemaKind(bus).create(_draft("number"))
    await SchemaKind(bus).create(_draft("number"))

    assert await _revisions(bus) == 1


async def test_a_schema_with_another_definition_gets_a_revision(bus: Broker) -> None:
    """Taking over a schema commits the wanted definition if it differs."""
    await SchemaKind(bus).create(_draft("number"))
    await SchemaKind(bus).create(_draft("total"))

    assert await _revisions(bus) == 2
