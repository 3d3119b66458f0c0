"""Validate values in Avro's binary encoding.

https://avro.apache.org/docs/1.11.1/specification/#binary-encoding. fastavro's reader recurses in C
without a limit, so a message of a recursive schema could crash the process. This reader is bounded by
Python's recursion limit, which rejects such a message.
"""

from collections.abc import Mapping
from typing import Any, Final

_VARINT_BYTES: Final = 10  # of 64 bits, 7 in each
_SIZES: Final = {"float": 4, "double": 8}
_INT_RANGE: Final = range(-(2**31), 2**31)


def is_value(schema: Any, named: Mapping[str, Any], data: bytes) -> bool:
    """Return whether `data` is exactly one value of a schema.

    Args:
        schema: A definition as fastavro parses it.
        named: The schema's named types.
        data: The bytes to validate.
    """
    reader = _Reader(named, data)
    try:
        reader.skip(schema)
    except (ValueError, RecursionError):
        return False
    return reader.offset == len(data)


class _Reader:
    """Read values without keeping them; each method raises ValueError if the data does not fit.

    Attributes:
        offset: How many bytes have been read.
    """

    def __init__(self, named: Mapping[str, Any], data: bytes) -> None:
        self.offset = 0
        self._named = named
        self._data = data

    def skip(self, schema: Any) -> None:
        """Read one value of a schema."""
        if isinstance(schema, list):
            self.skip(schema[self._index(len(schema))])
            return
        kind = schema if isinstance(schema, str) else schema["type"]
        if kind in self._named:
            self.skip(self._named[kind])
        elif not self._skip_primitive(kind):
            self._skip_complex(kind, schema)

    def _skip_primitive(self, kind: str) -> bool:
        """Read one value of a primitive type; return False if the type is not primitive."""
        match kind:
            case "null":
                pass
            case "boolean":
                if self._take(1) not in (b"\0", b"\1"):
                    raise ValueError("no boolean")
            case "int":
                if self._long() not in _INT_RANGE:
                    raise ValueError("no int")
            case "long":
                self._long()
            case "float" | "double":
                self._take(_SIZES[kind])
            case "bytes":
                self._take(self._long())
            case "string":
                self._take(self._long()).decode()
            case _:
                return False
        return True

    def _skip_complex(self, kind: str, schema: Any) -> None:
        match kind:
            case "fixed":
                self._take(schema["size"])
            case "enum":
                self._index(len(schema["symbols"]))
            case "array":
                self._blocks(schema["items"])
            case "map":
                self._blocks("string", schema["values"])
            case _:
                for field in schema["fields"]:
                    self.skip(field["type"])

    def _blocks(self, *item: Any) -> None:
        """Read the blocks of an array or a map; a negative count is followed by the block's size in bytes."""
        while count := self._long():
            ends = None
            if count < 0:
                ends = self._long() + self.offset
                count = -count
            for _ in range(count):
                start = self.offset
                for schema in item:
                    self.skip(schema)
                if self.offset == start:
                    break  # items of zero bytes: all others are the same
            if ends not in (None, self.offset):
                raise ValueError("a block of another size")

    def _index(self, length: int) -> int:
        index = self._long()
        if not 0 <= index < length:
            raise ValueError("no such branch or symbol")
        return index

    def _long(self) -> int:
        zigzag = 0
        for shift in range(0, 7 * _VARINT_BYTES, 7):
            (byte,) = self._take(1)
            zigzag |= (byte & 0x7F) << shift
            if not byte & 0x80:
                if zigzag >= 2**64:
                    break
                return (zigzag >> 1) ^ -(zigzag & 1)
        raise ValueError("no long")

    def _take(self, size: int) -> bytes:
        if not 0 <= size <= len(self._data) - self.offset:
            raise ValueError("data ends too early")
        taken = self._data[self.offset : self.offset + size]
        self.offset += size
        return taken
