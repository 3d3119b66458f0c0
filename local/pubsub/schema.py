"""One schema: its revisions, and which messages its newest one takes."""

import uuid
from typing import Any

from local.pubsub import limits, wire
from local.pubsub.avro import Avro
from local.pubsub.clock import Clock
from local.pubsub.errors import InvalidArgumentError, UnimplementedError

AVRO, PROTOCOL_BUFFER = 2, 1  # Schema.Type
JSON, BINARY = 1, 2  # Encoding
DELETED_SCHEMA = "_deleted-schema_"


class Schema:
    """A schema's state.

    Args:
        config: The Schema message.
        clock: Whose time it is.

    Raises:
        InvalidArgumentError: Its definition is none.
        UnimplementedError: It is one of Protocol Buffers.
    """

    def __init__(self, config: Any, clock: Clock) -> None:
        limits.check_name(config.name, "schemas")
        self._clock = clock
        self.revisions: list[Any] = []
        self.commit(config)

    @property
    def config(self) -> Any:
        """The Schema message of its newest revision."""
        return self.revisions[-1]

    def commit(self, config: Any) -> Any:
        """Add a revision of the same type."""
        if self.revisions and config.type_ != self.config.type_:
            raise InvalidArgumentError("A schema's type cannot change: give the new one a name of its own.")
        self._avro = definition_of(config)
        made = wire.Schema(name=config.name, type_=config.type_, definition=config.definition)
        made.revision_id = uuid.uuid4().hex[:8]
        made.revision_create_time.FromMicroseconds(int(self._clock.now() * 1e6))
        self.revisions.append(made)
        return made

    def takes(self, data: bytes, encoding: int) -> bool:
        """Whether it takes a message."""
        return self._avro.takes_binary(data) if encoding == BINARY else self._avro.takes_json(data)


def definition_of(config: Any) -> Avro:
    """Parse a Schema message's definition.

    Raises:
        InvalidArgumentError: It is none, or has no type.
        UnimplementedError: It is one of Protocol Buffers.
    """
    if config.type_ == PROTOCOL_BUFFER:
        raise UnimplementedError(
            "The local Pub/Sub has no schemas of Protocol Buffers: try them on Google Cloud."
        )
    size_bytes = len(config.definition.encode())
    if config.type_ != AVRO or not 0 < size_bytes <= limits.SCHEMA_BYTES:
        raise InvalidArgumentError(
            f"Invalid schema: it needs a type and a definition of 1 to {limits.SCHEMA_BYTES} bytes."
        )
    try:
        return Avro(config.definition)
    except ValueError as error:
        raise InvalidArgumentError(f"Request contains an invalid schema: {error}.") from error
