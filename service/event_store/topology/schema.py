"""Read the schemas of `topology.yaml`, against which Pub/Sub checks every message of a topic."""

from dataclasses import dataclass
from typing import Final

from event_store.topology.document import Value

NAME_CHARACTERS: Final = 255
TYPES: Final = ("AVRO", "PROTOCOL_BUFFER")
ENCODINGS: Final = ("JSON", "BINARY")
_DEFINITION_BYTES: Final = 300_000  # https://cloud.google.com/pubsub/quotas#resource_limits


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """A message schema of Pub/Sub.

    Attributes:
        name: The name, 3 to 255 characters.
        type: `AVRO` or `PROTOCOL_BUFFER`.
        definition: The text of the schema, at most 300,000 bytes. A message is the event as JSON, see
            docs/howto/consumers.md.
    """

    name: str
    type: str
    definition: str

    @classmethod
    def read(cls, value: Value) -> "Schema":
        """Read an entry of `schemas`.

        Raises:
            TopologyError: The entry is invalid.
        """
        keys = value.mapping(("name", "type", "definition"), ())
        definition = keys["definition"].text()
        size_bytes = len(definition.encode())
        if size_bytes > _DEFINITION_BYTES:
            raise keys["definition"].error(
                f"has {size_bytes} bytes", f"at most {_DEFINITION_BYTES} are allowed"
            )
        return cls(
            name=keys["name"].resource_name(NAME_CHARACTERS),
            type=keys["type"].choice(TYPES),
            definition=definition,
        )
