"""Parse a schema's definition, in Avro or Protocol Buffers."""

from typing import Any, Final, Protocol

from pubsub_emulator.broker import limits
from pubsub_emulator.errors import InvalidArgumentError
from pubsub_emulator.schema.avro import Avro
from pubsub_emulator.schema.protocol_buffers import ProtocolBuffers

PROTOCOL_BUFFER, AVRO = 1, 2  # Schema.Type
JSON, BINARY = 1, 2  # Encoding
ENCODINGS: Final = {JSON: "JSON", BINARY: "BINARY"}


class Definition(Protocol):
    """A parsed definition."""

    def takes_json(self, data: bytes) -> bool:
        """Return whether `data` is a message in the JSON encoding."""

    def takes_binary(self, data: bytes) -> bool:
        """Return whether `data` is a message in the binary encoding."""


def takes(definition: Definition, data: bytes, encoding: int) -> bool:
    """Return whether a message fits a definition.

    Args:
        definition: The definition to validate against.
        data: The message.
        encoding: One of `ENCODINGS`.
    """
    return definition.takes_binary(data) if encoding == BINARY else definition.takes_json(data)


def parse_definition(config: Any) -> Definition:
    """Parse the definition of a Schema message.

    Raises:
        InvalidArgumentError: The definition has no type, exceeds `limits.SCHEMA_BYTES` or is invalid.
        UnimplementedError: The definition needs a package that is not installed.
    """
    compiled = config.HasField("compiled_proto_schema")
    if compiled and (config.definition or config.type_ != PROTOCOL_BUFFER):
        raise InvalidArgumentError(
            "Invalid schema: compiled_proto_schema is for the type PROTOCOL_BUFFER, and takes the place of"
            " definition."
        )
    size_bytes = (
        len(config.compiled_proto_schema.compiled_bytes) if compiled else len(config.definition.encode())
    )
    if config.type_ not in (AVRO, PROTOCOL_BUFFER) or not 0 < size_bytes <= limits.SCHEMA_BYTES:
        raise InvalidArgumentError(
            "Invalid schema: it needs the type AVRO or PROTOCOL_BUFFER and a definition of 1 to"
            f" {limits.SCHEMA_BYTES} bytes."
        )
    try:
        if config.type_ == AVRO:
            return Avro(config.definition)
        if compiled:
            schema = config.compiled_proto_schema
            return ProtocolBuffers.from_compiled(schema.compiled_bytes, schema.root_message)
        return ProtocolBuffers.from_text(config.definition)
    except ValueError as error:
        raise InvalidArgumentError(f"Request contains an invalid schema: {error}.") from error
