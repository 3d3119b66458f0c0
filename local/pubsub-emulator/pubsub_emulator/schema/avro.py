"""Avro: parse definitions, and validate messages in Avro's JSON or binary encoding.

https://avro.apache.org/docs/1.11.1/specification/#json-encoding. Stricter than some decoders: a field that
is not in the definition is rejected.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from pubsub_emulator.extras import check_installed
from pubsub_emulator.schema.avro_binary import is_value

_HIGHEST_BYTE: Final = "\xff"
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_RECORDS: Final = ("record", "error")
_LOWEST_INT, _LOWEST_LONG = -(2**31), -(2**63)
_PRIMITIVES: Final[Mapping[str, Callable[[Any], bool]]] = {
    "null": lambda value: value is None,
    "boolean": lambda value: isinstance(value, bool),
    "int": lambda value: _is_whole(value) and _LOWEST_INT <= value < -_LOWEST_INT,
    "long": lambda value: _is_whole(value) and _LOWEST_LONG <= value < -_LOWEST_LONG,
    "float": lambda value: _is_whole(value) or isinstance(value, float),
    "double": lambda value: _is_whole(value) or isinstance(value, float),
    "string": lambda value: isinstance(value, str),
    "bytes": lambda value: _is_bytes(value),  # noqa: PLW0108 # defined below
}


class Avro:
    """An Avro definition.

    Args:
        definition: The definition as JSON text.

    Raises:
        ValueError: The text is not a valid definition.
        UnimplementedError: fastavro is not installed.
    """

    def __init__(self, definition: str) -> None:
        check_installed("fastavro", "schema", "a schema of Avro")
        import fastavro  # noqa: PLC0415 # an extra's
        from fastavro.schema import SchemaParseException  # noqa: PLC0415 # as above

        self._named: dict[str, Any] = {}
        try:
            # Use only fastavro's parser: its JSON decoder accepts strings as numbers, and unknown fields.
            parsed = json.loads(definition)
            _check_names(parsed)
            self._parsed: Any = fastavro.parse_schema(parsed, self._named)
        except (ValueError, TypeError, LookupError, RecursionError, SchemaParseException) as error:
            raise ValueError(f"not an Avro definition: {error!r}") from error

    def takes_json(self, data: bytes) -> bool:
        """Return whether `data` is a message in the JSON encoding."""
        try:
            return self._fits(self._parsed, json.loads(data, parse_constant=_refuse))
        except (ValueError, RecursionError):
            return False

    def takes_binary(self, data: bytes) -> bool:
        """Return whether `data` is exactly one message in the binary encoding."""
        return is_value(self._parsed, self._named, data)

    def _fits(self, schema: Any, value: Any) -> bool:
        if isinstance(schema, list):
            return self._fits_union(schema, value)
        kind = schema if isinstance(schema, str) else schema["type"]
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
                return _is_bytes(value) and len(value) == schema["size"]
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
        """Return whether a value is a branch of a union: `{branch: value}`, or null."""
        if value is None:
            return "null" in branches
        if not isinstance(value, dict) or len(value) != 1:
            return False
        ((name, inner),) = value.items()
        return any(_branch(each) == name and self._fits(each, inner) for each in branches)


def _check_names(definition: Any) -> None:
    """Reject records without fields and invalid names; fastavro accepts both."""
    if isinstance(definition, list):
        for branch in definition:
            _check_names(branch)
    if not isinstance(definition, dict):
        return
    fields = definition["fields"] if definition["type"] in _RECORDS else []
    names = [field["name"] for field in fields]
    if len({*names}) < len(names):
        raise ValueError(f"a name comes twice in {names}")
    for name in (*names, *str(definition.get("name", "a")).split(".")):
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is not a name")
    for part in (*(field["type"] for field in fields), definition.get("items"), definition.get("values")):
        _check_names(part)


def _branch(schema: Any) -> str:
    if isinstance(schema, str):
        return schema
    return str(schema.get("name") or schema["type"])


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_bytes(value: Any) -> bool:
    """Return whether a value encodes bytes in JSON: a string with code points 0 to 255, one per byte."""
    return isinstance(value, str) and (value.isascii() or max(value) <= _HIGHEST_BYTE)


def _refuse(constant: str) -> Any:
    """Reject NaN and Infinity, which Python accepts although they are not JSON."""
    raise ValueError(constant)
