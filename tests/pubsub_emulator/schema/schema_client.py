"""A client of the schema service, with names that no other test uses, and definitions for it."""

import json
from collections.abc import Sequence
from typing import Any

import grpc.aio
from google.api_core.exceptions import InvalidArgument
from google.pubsub_v1 import SchemaServiceAsyncClient
from google.pubsub_v1.services.schema_service.transports import SchemaServiceGrpcAsyncIOTransport
from google.pubsub_v1.types import (
    Encoding,
    ListSchemaRevisionsRequest,
    Schema,
    SchemaView,
)

from tests.pubsub_emulator.bus import PROJECT, Bus

OTHER_PROJECT = "projects/other"


def word(*names: str) -> str:
    """A definition in Avro: a record of texts."""
    fields = [{"name": name, "type": "string"} for name in names]
    return json.dumps({"type": "record", "name": "Word", "fields": fields})


def text(*names: str) -> str:
    """A message that fits `word(*names)` and no other."""
    return json.dumps(dict.fromkeys(names, "x"))


class SchemaClient:
    """A client of the schema service, with names that no other test uses."""

    def __init__(self, bus: Bus, channel: grpc.aio.Channel) -> None:
        self.client = SchemaServiceAsyncClient(transport=SchemaServiceGrpcAsyncIOTransport(channel=channel))
        self._bus = bus

    async def create(self, definition: str, parent: str = PROJECT) -> Schema:
        """Create a schema in Avro."""
        schema_id = self._bus.name("schemas").rpartition("/")[2]
        schema = Schema(type_=Schema.Type.AVRO, definition=definition)
        return await self.client.create_schema(parent=parent, schema_id=schema_id, schema=schema)

    async def commit(self, name: str, definition: str) -> Schema:
        """Commit a revision in Avro."""
        schema = Schema(name=name, type_=Schema.Type.AVRO, definition=definition)
        return await self.client.commit_schema(name=name, schema=schema)

    async def evolve(self, *definitions: str) -> list[Schema]:
        """Create a schema and commit further revisions; gives all of them."""
        first = await self.create(definitions[0])
        return [first, *[await self.commit(first.name, each) for each in definitions[1:]]]

    async def revisions(self, name: str, view: Any = SchemaView.FULL) -> list[Schema]:
        """Every revision, as it is listed."""
        request = ListSchemaRevisionsRequest(name=name, view=view)
        return [each async for each in await self.client.list_schema_revisions(request)]


async def topic_of(bus: Bus, schema: str, first: str = "", last: str = "") -> str:
    """Make a topic whose messages fit a range of revisions; return its name."""
    settings = {"schema": schema, "encoding": Encoding.JSON}
    return await bus.topic(schema_settings={**settings, "first_revision_id": first, "last_revision_id": last})


async def taken_of(bus: Bus, topic: str, data: Sequence[str]) -> list[str]:
    """Publish each message; return those that the topic takes."""
    taken: list[str] = []
    for each in data:
        try:
            await bus.publish(topic, each)
        except InvalidArgument:
            continue
        taken.append(each)
    return taken
