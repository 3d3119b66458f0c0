"""Schemas of the embedded Pub/Sub: a topic takes what its schema takes, and nothing else."""

import json
from collections.abc import AsyncIterator
from typing import Any

import grpc.aio
import pytest
from google.api_core.exceptions import AlreadyExists, InvalidArgument, MethodNotImplemented, NotFound
from google.pubsub_v1 import SchemaServiceAsyncClient
from google.pubsub_v1.services.schema_service.transports import SchemaServiceGrpcAsyncIOTransport
from google.pubsub_v1.types import Encoding, Schema

from local.pubsub.avro import Avro
from tests.pubsub.bus import PROJECT, Bus, texts

WORD = {
    "type": "record",
    "name": "Word",
    "fields": [
        {"name": "text", "type": "string"},
        {"name": "count", "type": "int"},
        {"name": "tags", "type": {"type": "map", "values": "string"}},
        {"name": "note", "type": ["null", "string"]},
    ],
}
RIGHT: dict[str, Any] = {"text": "Haus", "count": 1, "tags": {"a": "b"}, "note": None}


@pytest.fixture
async def schemas(timed_bus: Bus) -> AsyncIterator[SchemaServiceAsyncClient]:
    """A client of the schema service."""
    async with grpc.aio.insecure_channel(timed_bus.address) as channel:
        yield SchemaServiceAsyncClient(transport=SchemaServiceGrpcAsyncIOTransport(channel=channel))


async def _word(schemas: SchemaServiceAsyncClient) -> str:
    request = Schema(type_=Schema.Type.AVRO, definition=json.dumps(WORD))
    return str((await schemas.create_schema(parent=PROJECT, schema_id="word", schema=request)).name)


async def test_a_topic_takes_what_its_schema_takes(timed_bus: Bus, schemas: SchemaServiceAsyncClient) -> None:
    """What does not fit is refused with its whole request; the rest says which schema it was held to."""
    schema = await _word(schemas)
    topic = await timed_bus.topic(schema_settings={"schema": schema, "encoding": Encoding.JSON})
    subscription = await timed_bus.subscription(topic)

    with pytest.raises(InvalidArgument, match="failed schema validation"):
        await timed_bus.publish(topic, json.dumps(RIGHT), json.dumps(RIGHT | {"count": "one"}))
    await timed_bus.publish(topic, json.dumps(RIGHT))

    (received,) = await timed_bus.consume(subscription, 1)
    assert texts([received]) == [json.dumps(RIGHT)]
    assert received.message.attributes["googclient_schemaname"] == schema
    assert received.message.attributes["googclient_schemaencoding"] == "JSON"


async def test_another_revision_holds_from_then_on(timed_bus: Bus, schemas: SchemaServiceAsyncClient) -> None:
    """A revision is committed to the same schema; the topic follows it."""
    schema = await _word(schemas)
    topic = await timed_bus.topic(schema_settings={"schema": schema, "encoding": Encoding.JSON})
    revision = {**WORD, "fields": WORD["fields"][:1]}

    made = await schemas.commit_schema(
        name=schema,
        schema=Schema(name=schema, type_=Schema.Type.AVRO, definition=json.dumps(revision)),
    )
    await timed_bus.publish(topic, json.dumps({"text": "Haus"}))

    assert (await schemas.get_schema(name=schema)).revision_id == made.revision_id
    with pytest.raises(InvalidArgument):
        await timed_bus.publish(topic, json.dumps(RIGHT))


async def test_a_topic_without_its_schema_takes_nothing(
    timed_bus: Bus, schemas: SchemaServiceAsyncClient
) -> None:
    """As Google has it: the topic names the schema that was deleted, and refuses."""
    schema = await _word(schemas)
    topic = await timed_bus.topic(schema_settings={"schema": schema, "encoding": Encoding.JSON})

    await schemas.delete_schema(name=schema)

    assert (await timed_bus.publisher.get_topic(topic=topic)).schema_settings.schema == "_deleted-schema_"
    with pytest.raises(InvalidArgument):
        await timed_bus.publish(topic, json.dumps(RIGHT))
    with pytest.raises(NotFound):
        await timed_bus.topic(schema_settings={"schema": schema})


async def test_schemas_are_listed_checked_and_named_once(schemas: SchemaServiceAsyncClient) -> None:
    """What is no definition is refused, and of Protocol Buffers it is said that they are not here."""
    schema = await _word(schemas)

    assert [each.name async for each in await schemas.list_schemas(parent=PROJECT)] == [schema]
    with pytest.raises(AlreadyExists):
        await _word(schemas)
    with pytest.raises(InvalidArgument, match="no Avro definition"):
        await schemas.validate_schema(parent=PROJECT, schema=Schema(type_=Schema.Type.AVRO, definition="{}"))
    with pytest.raises(MethodNotImplemented, match="Protocol Buffers"):
        await schemas.validate_schema(
            parent=PROJECT, schema=Schema(type_=Schema.Type.PROTOCOL_BUFFER, definition="message A {}")
        )
    with pytest.raises(InvalidArgument, match="failed schema validation"):
        await schemas.validate_message(
            {"parent": PROJECT, "name": schema, "message": b"{}", "encoding": Encoding.JSON}
        )


@pytest.mark.parametrize(
    ("change", "fits"),
    [
        ({}, True),
        ({"note": {"string": "x"}}, True),
        ({"note": "x"}, False),
        ({"note": {"int": 1}}, False),
        ({"tags": {}}, True),
        ({"tags": {"a": 1}}, False),
        ({"tags": []}, False),
        ({"count": 2**31 - 1}, True),
        ({"count": 2**31}, False),
        ({"count": True}, False),
        ({"count": 1.5}, False),
        ({"text": None}, False),
        ({"more": 1}, False),
    ],
)
def test_avros_json_is_read_as_its_specification_has_it(change: dict[str, Any], fits: bool) -> None:
    """Types, ranges and named branches of unions; no field may be missing or unknown."""
    assert Avro(json.dumps(WORD)).takes_json(json.dumps(RIGHT | change).encode()) is fits


@pytest.mark.parametrize(
    ("definition", "right", "wrong"),
    [
        ({"type": "enum", "name": "E", "symbols": ["A", "B"]}, "A", "C"),
        ({"type": "fixed", "name": "F", "size": 2}, "ab", "abc"),
        ({"type": "array", "items": "double"}, [1, 1.5], ["1"]),
        (
            {
                "type": "record",
                "name": "Node",
                "fields": [{"name": "next", "type": ["null", "Node"]}],
            },
            {"next": {"Node": {"next": None}}},
            {"next": {"Node": {}}},
        ),
        ("boolean", True, 1),
        ("long", 2**63 - 1, 2**63),
    ],
)
def test_every_kind_of_definition_is_understood(definition: Any, right: Any, wrong: Any) -> None:
    """One that fits and one that does not, for each."""
    avro = Avro(json.dumps(definition))

    assert avro.takes_json(json.dumps(right).encode())
    assert not avro.takes_json(json.dumps(wrong).encode())


def test_the_binary_encoding_is_read_to_its_end() -> None:
    """A message is one value and nothing behind it."""
    avro = Avro('{"type": "record", "name": "A", "fields": [{"name": "a", "type": "string"}]}')

    assert avro.takes_binary(b"\x04ab")
    assert not avro.takes_binary(b"\x04a")
    assert not avro.takes_binary(b"\x04abc")
