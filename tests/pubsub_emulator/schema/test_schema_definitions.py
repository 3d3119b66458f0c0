"""Definitions of schemas in Avro and in Protocol Buffers, and which messages they take."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from google.api_core.exceptions import InvalidArgument
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto, FileDescriptorSet
from google.protobuf.timestamp_pb2 import Timestamp
from google.pubsub_v1.types import CompiledProtoSchema, Encoding, Schema

from pubsub_emulator import wire
from pubsub_emulator.delivery.exports import check_exports
from pubsub_emulator.errors import UnimplementedError
from pubsub_emulator.schema.avro import Avro
from pubsub_emulator.schema.protocol_buffers import ProtocolBuffers
from tests.pubsub_emulator.bus import PROJECT, Bus
from tests.pubsub_emulator.schema.schema_client import SchemaClient

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
BYTES_AND_INT = {
    "type": "record",
    "name": "Two",
    "fields": [{"name": "a", "type": "bytes"}, {"name": "b", "type": "int"}],
}
RIGHT: dict[str, Any] = {"text": "Haus", "count": 1, "tags": {"a": "b"}, "note": None}
PROTO = 'syntax = "proto3"; package a.b; message Word { string text = 1; int32 count = 2; }'


@pytest.mark.parametrize(
    ("change", "fits"),
    [
        ({}, True),
        ({"note": {"string": "x"}}, True),
        ({"note": "x"}, False),
        ({"note": {"int": 1}}, False),
        ({"note": {"string": "x", "null": None}}, False),
        ({"tags": {}}, True),
        ({"tags": {"a": 1}}, False),
        ({"tags": []}, False),
        ({"count": 2**31 - 1}, True),
        ({"count": 2**31}, False),
        ({"count": -(2**31)}, True),
        ({"count": -(2**31) - 1}, False),
        ({"count": True}, False),
        ({"count": 1.5}, False),
        ({"text": None}, False),
        ({"more": 1}, False),
    ],
)
def test_avros_json_is_read_as_its_specification_has_it(change: dict[str, Any], fits: bool) -> None:
    """Types, ranges and named branches of unions; no field may be missing or unknown."""
    assert Avro(json.dumps(WORD)).takes_json(json.dumps(RIGHT | change).encode()) is fits


@pytest.mark.parametrize("missing", RIGHT)
def test_a_message_in_avros_json_has_every_field(missing: str) -> None:
    """A default is for readers, not for messages."""
    message = {name: value for name, value in RIGHT.items() if name != missing}

    assert not Avro(json.dumps(WORD)).takes_json(json.dumps(message).encode())


@pytest.mark.parametrize(
    ("definition", "right", "wrong"),
    [
        ({"type": "enum", "name": "E", "symbols": ["A", "B"]}, '"A"', '"C"'),
        ({"type": "fixed", "name": "F", "size": 2}, r'"a\u00ff"', '"abc"'),
        ({"type": "fixed", "name": "F", "size": 2}, '"ab"', '"aĀ"'),
        ({"type": "fixed", "name": "F", "size": 2}, '"ab"', '"a"'),
        ({"type": "array", "items": "double"}, "[1, 1.5]", '["1"]'),
        (
            {"type": "record", "name": "Node", "fields": [{"name": "next", "type": ["null", "Node"]}]},
            '{"next": {"Node": {"next": null}}}',
            '{"next": {"Node": {}}}',
        ),
        (
            {
                "type": "record",
                "name": "Node",
                "namespace": "x.y",
                "fields": [{"name": "next", "type": ["null", "Node"]}],
            },
            '{"next": {"x.y.Node": {"next": null}}}',
            '{"next": {"Node": {"next": null}}}',
        ),
        ("boolean", "true", "1"),
        ("long", str(2**63 - 1), str(2**63)),
        ("long", str(-(2**63)), str(-(2**63) - 1)),
        ("bytes", r'"\u00ff"', '"Ā"'),
        ("bytes", '""', "[]"),
        ("float", "1", "true"),
        ("double", "1e9", "NaN"),
        ("float", "-1.5", "Infinity"),
        ("null", "null", "0"),
        ({"type": "string", "logicalType": "uuid"}, '"x"', "1"),
    ],
)
def test_every_kind_of_avro_is_understood_in_json(definition: Any, right: str, wrong: str) -> None:
    """One message that fits and one that does not, for each."""
    avro = Avro(json.dumps(definition))

    assert avro.takes_json(right.encode())
    assert not avro.takes_json(wrong.encode())


@pytest.mark.parametrize(
    ("definition", "right", "wrong"),
    [
        ("null", b"", b"\0"),
        ("boolean", b"\1", b"\2"),
        ("int", b"\xfe\xff\xff\xff\x0f", b"\x80\x80\x80\x80\x10"),
        ("int", b"\xff\xff\xff\xff\x0f", b"\x81\x80\x80\x80\x10"),
        ("long", b"\xff" * 9 + b"\x01", b"\xff" * 9 + b"\x02"),
        ("long", b"\0", b"\x80" * 10 + b"\0"),
        ("float", b"\0" * 4, b"\0" * 3),
        ("double", b"\0" * 8, b"\0" * 7),
        ("bytes", b"\x04a\xff", b"\x04a"),
        ("bytes", b"\0", b"\1"),
        (BYTES_AND_INT, b"\0\1", b"\1"),  # a size of -1 would let the next field read it again
        ("string", b"\x04ab", b"\x04a\xff"),
        ({"type": "fixed", "name": "F", "size": 2}, b"ab", b"abc"),
        ({"type": "enum", "name": "E", "symbols": ["A", "B"]}, b"\2", b"\4"),
        ({"type": "enum", "name": "E", "symbols": ["A", "B"]}, b"\0", b"\1"),
        (["null", "string"], b"\2\2a", b"\4\2a"),
        ({"type": "array", "items": "int"}, b"\4\2\2\0", b"\4\2\2"),
        ({"type": "array", "items": "int"}, b"\3\4\2\2\0", b"\3\6\2\2\0"),
        ({"type": "array", "items": "null"}, b"\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01\0", b"\2"),
        ({"type": "map", "values": "int"}, b"\2\2a\2\0", b"\2\2a\0"),
        (WORD, b"\x02a\x02\0\0", b"\x02a\x02\0\0\0"),
        (
            {"type": "record", "name": "Node", "fields": [{"name": "next", "type": ["null", "Node"]}]},
            b"\2\2\0",
            b"\2" * 1_000_000 + b"\0",  # deeper than anything that recurses may go
        ),
    ],
)
def test_every_kind_of_avro_is_understood_in_binary(definition: Any, right: bytes, wrong: bytes) -> None:
    """A message is one value, with nothing behind it; one that does not fit is refused and harms nobody."""
    avro = Avro(json.dumps(definition))

    assert avro.takes_binary(right)
    assert not avro.takes_binary(wrong)


@pytest.mark.parametrize("data", [b"", b"{", b"\xff", b"[" * 100_000, b'{"text": "x"} x'])
def test_what_is_no_json_fits_no_definition(data: bytes) -> None:
    """It is refused as any other message that does not fit."""
    assert not Avro(json.dumps(WORD)).takes_json(data)
    assert not ProtocolBuffers.from_text(PROTO).takes_json(data)


@pytest.mark.parametrize(
    "definition",
    [
        *("{}", "[", '"nothing"', "[" * 100_000, '{"type": "record", "name": "A"}'),
        '{"type": "record", "name": "A", "fields": [%s, %s]}' % (('{"name": "b", "type": "int"}',) * 2),
        '{"type": "enum", "name": "A", "symbols": ["B", "B"]}',
        '{"type": "enum", "name": "A", "symbols": ["b-c"]}',
        '["null", {"type": "fixed", "name": "b-c", "size": 1}]',
    ],
)
def test_what_is_no_avro_is_refused(definition: str) -> None:
    """ValueError, whatever is wrong."""
    with pytest.raises(ValueError, match="Avro"):
        Avro(definition)


@pytest.mark.parametrize(
    ("data", "fits"),
    [
        (b'{"text": "x", "count": 1}', True),
        (b"{}", True),
        (b'{"count": "1"}', True),
        (b'{"count": 1.5}', False),
        (b'{"count": 2147483648}', False),
        (b'{"more": 1}', False),
        (b"[]", False),
    ],
)
def test_protocol_buffers_json_is_read_as_its_mapping_has_it(data: bytes, fits: bool) -> None:
    """Fields may be missing, and none may be unknown."""
    assert ProtocolBuffers.from_text(PROTO).takes_json(data) is fits


def test_a_required_field_is_required_in_both_encodings() -> None:
    """In proto2, which Google supports as it does proto3."""
    schema = ProtocolBuffers.from_text('syntax = "proto2"; message A { required string a = 1; }')

    assert schema.takes_json(b'{"a": "x"}')
    assert schema.takes_binary(b"\n\x01x")
    assert not schema.takes_json(b"{}")
    assert not schema.takes_binary(b"")
    assert not schema.takes_binary(b"\n\x02x")


@pytest.mark.parametrize(
    ("definition", "reason"),
    [
        ("message A {", "protoc refuses it: .*schema.proto:1"),
        (PROTO + " message B {}", "one top-level type, .* not Word, B"),
        (PROTO + " enum B { C = 0; }", "one top-level type, .* not Word, B"),
        ('syntax = "proto3";', "one top-level type, .* not none"),
        ('syntax = "proto3"; import "google/protobuf/timestamp.proto"; message A {}', "no import"),
        ('syntax = "proto3"; import "other.proto"; message A {}', "other.proto"),
    ],
)
def test_a_definition_of_protocol_buffers_that_google_refuses_is_refused(
    definition: str, reason: str
) -> None:
    """One top-level type and no import; the message has what the compiler says."""
    with pytest.raises(ValueError, match=reason):
        ProtocolBuffers.from_text(definition)


def test_types_within_the_one_type_are_accepted() -> None:
    """Messages and enumerations may be nested."""
    schema = ProtocolBuffers.from_text(
        'syntax = "proto3"; message A { enum B { C = 0; } message D { B b = 1; } D d = 1; }'
    )

    assert schema.takes_json(b'{"d": {"b": "C"}}')


@pytest.mark.parametrize(
    ("make", "extra"),
    [
        (lambda: ProtocolBuffers.from_text(PROTO), "schema"),
        (lambda: Avro('"string"'), "schema"),
        (lambda: check_exports(_avro_export()), "export"),
    ],
    ids=["protocol buffers", "avro", "export"],
)
def test_what_is_not_installed_is_refused_by_its_extra(
    monkeypatch: pytest.MonkeyPatch, make: Callable[[], object], extra: str
) -> None:
    """A definition or an export that needs a package, which is not needed to run the server."""
    monkeypatch.setattr("pubsub_emulator.extras.find_spec", lambda _: None)

    with pytest.raises(UnimplementedError, match=rf"install pubsub-emulator\[{extra}\]"):
        make()


def _avro_export() -> wire.Subscription:
    config = wire.Subscription(name="projects/p/subscriptions/words", topic="projects/p/topics/words")
    config.cloud_storage_config.bucket = "bucket"
    config.cloud_storage_config.avro_config.SetInParent()
    return config


def _compiled() -> FileDescriptorSet:
    word = FileDescriptorProto(name="word.proto", package="a", syntax="proto3")
    field = word.message_type.add(name="Word").field.add(name="text", number=1)
    field.type, field.label = FieldDescriptorProto.TYPE_STRING, FieldDescriptorProto.LABEL_OPTIONAL
    return FileDescriptorSet(file=[word])


def test_a_compiled_schema_is_held_to() -> None:
    """A FileDescriptorSet with the name of its root message, in the place of a definition."""
    schema = ProtocolBuffers.from_compiled(_compiled().SerializeToString(), "a.Word")

    assert schema.takes_json(b'{"text": "x"}')
    assert not schema.takes_json(b'{"count": 1}')
    assert schema.takes_binary(b"\n\x01x")
    with pytest.raises(ValueError, match=r"'a\.Other'"):
        ProtocolBuffers.from_compiled(_compiled().SerializeToString(), "a.Other")
    with pytest.raises(ValueError, match="FileDescriptorSet"):
        ProtocolBuffers.from_compiled(b"\xff", "a.Word")
    with pytest.raises(ValueError, match="no message type"):
        ProtocolBuffers.from_compiled(Timestamp(seconds=1).SerializeToString(), "a.Word")


async def test_protocol_buffers_are_held_to_on_publish(bus: Bus, schemas: SchemaClient) -> None:
    """In JSON and in binary, with a definition in text or compiled, which take each other's place."""
    proto = Schema.Type.PROTOCOL_BUFFER
    compiled = CompiledProtoSchema(root_message="a.Word", compiled_bytes=_compiled().SerializeToString())
    name = bus.name("schemas")
    schema_id = name.rpartition("/")[2]
    first = await schemas.client.create_schema(
        parent=PROJECT, schema_id=schema_id, schema=Schema(type_=proto, definition=PROTO)
    )
    second = Schema(name=name, type_=proto, compiled_proto_schema=compiled)
    settings = {"schema": name, "first_revision_id": first.revision_id, "last_revision_id": first.revision_id}
    texts = await bus.topic(schema_settings={**settings, "encoding": Encoding.JSON})
    binary = await bus.topic(schema_settings={"schema": name, "encoding": Encoding.BINARY})

    await bus.publish(texts, '{"count": 1}')
    for topic, wrong in ((texts, '{"count": "x"}'), (binary, "\x08")):
        with pytest.raises(InvalidArgument):
            await bus.publish(topic, wrong)
    assert (await schemas.client.commit_schema(name=name, schema=second)).compiled_proto_schema == compiled
    basic = await schemas.client.get_schema({"name": name, "view": "BASIC"})
    assert "compiled_proto_schema" not in basic
    await bus.publish(binary, "\x0a\x01x")
    for wrong_schema in (
        Schema(second, definition=PROTO),
        Schema(type_=Schema.Type.AVRO, compiled_proto_schema=compiled),
        Schema(type_=proto, compiled_proto_schema={"root_message": "a.Word"}),
    ):
        with pytest.raises(InvalidArgument):
            await schemas.client.validate_schema(parent=PROJECT, schema=wrong_schema)
    with pytest.raises(InvalidArgument):  # a schema keeps its type
        await schemas.commit(name, json.dumps(WORD))
