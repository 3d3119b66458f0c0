"""Avro: definitions, and messages in Avro's JSON or binary encoding that are held to them.

https://avro.apache.org/docs/1.11.1/specification/#json-encoding. Stricter than some decoders: a field that
the definition does not have is refused.
"""

import io
import json
from collections.abc import Callable, Mapping
from typing import Any, Final

import fastavro

_LOWEST_INT, _LOWEST_LONG = -(2**31), -(2**63)
_PRIMITIVES: Final[Mapping[str, Callable[[Any], bool]]] = {
    "null": lambda value: value is None,
    "boolean": lambda value: isinstance(value, bool),
    "int": lambda value: _is_whole(value) and _LOWEST_INT <= value < -_LOWEST_INT,
    "long": lambda value: _is_whole(value) and _LOWEST_LONG <= value < -_LOWEST_LONG,
    "float": lambda value: _is_whole(value) or isinstance(value, float),
    "double": lambda value: _is_whole(value) or isinstance(value, float),
    "string": lambda value: isinstance(value, str),
    "bytes": lambda value: isinstance(value, str),
}


class Avro:
    """A definition.

    Args:
        definition: Its JSON.

    Raises:
        ValueError: It is none.
    """

    def __init__(self, definition: str) -> None:
        self._named: dict[str, Any] = {}
        try:
            # Of the library only the parsing: its JSON decoder takes texts for numbers and unknown fields.
            self._parsed: Any = fastavro.parse_schema(json.loads(definition), self._named)
        except (ValueError, TypeError, KeyError, LookupError, fastavro.schema.SchemaParseException) as error:
            raise ValueError(f"this is no Avro definition: {error!r}") from error

    def takes_json(self, data: bytes) -> bool:
        """Whether this is a message in the JSON encoding."""
        try:
            return self._fits(self._parsed, json.loads(data))
        except (ValueError, RecursionError):
            return False

    def takes_binary(self, data: bytes) -> bool:
        """Whether this is a message in the binary encoding, and nothing after it."""
        stream = io.BytesIO(data)
        try:
            fastavro.schemaless_reader(stream, self._parsed)
        except (ValueError, EOFError, IndexError, LookupError, TypeError, OverflowError, MemoryError):
            return False
        return stream.tell() == len(data)

    def _fits(self, schema: Any, value: Any) -> bool:
        if isinstance(schema, list):
            return self._fits_union(schema, value)
        kind = schema if isinstance(schema, str) else schema["type"]
        if not isinstance(kind, str):
            return self._fits(kind, value)
        if kind in _PRIMITIVES:
            return _PRIMITIVES[kind](value)
        if kind in self._named:
            return self._fits(self._named[kind], value)
        return self._fits_compound(kind, schema, value)

    def _fits_compound(self, kind: str, schema: Any, value: Any) -> bool:
        match kind:
            case "enum":
                return value in schema["symbols"]
            case "fixed":
                return isinstance(value, str) and len(value) == schema["size"]
            case "array":
                return isinstance(value, list) and all(self._fits(schema["items"], each) for each in value)
            case "map":
                return isinstance(value, dict) and self._fits(
                    {"type": "array", "items": schema["values"]}, [*value.values()]
                )
            case _:
                return self._fits_record(schema["fields"], value)

    def _fits_record(self, fields: list[Any], value: Any) -> bool:
        if not isinstance(value, dict) or value.keys() != {field["name"] for field in fields}:
            return False
        return all(self._fits(field["type"], value[field["name"]]) for field in fields)

    def _fits_union(self, branches: list[Any], value: Any) -> bool:
        """A branch is named, but for null."""
        if value is None:
            return "null" in branches
        if not isinstance(value, dict) or len(value) != 1:
            return False
        ((name, inner),) = value.items()
        return any(_branch(each) == name and self._fits(each, inner) for each in branches)


def _branch(schema: Any) -> str:
    if isinstance(schema, str):
        return schema
    return str(schema.get("name") or schema["type"])


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
