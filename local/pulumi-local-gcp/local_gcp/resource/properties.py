"""Pulumi's properties: JSON-like values in camelCase, some of them unknown in a preview."""

from collections.abc import Iterator
from typing import Any, Final

from google.protobuf.json_format import MessageToDict, ParseDict
from google.protobuf.struct_pb2 import Struct

Properties = dict[str, Any]
Path = tuple[str | int, ...]  # ("containers", 0, "image")

UNKNOWN: Final = (
    "04da6b54-80e4-46f7-96ec-b56ff0331ba9"  # the engine's placeholder for a value that a preview cannot know
)
_SIGNATURE: Final = "4dabf18193072939515e22adb298388d"  # the key that marks a wrapped value
_SECRET: Final = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 # the mark of a secret, itself none


def from_struct(struct: Struct) -> Properties:
    """Read properties from a message: whole numbers as int, secrets unwrapped, nulls left out."""
    unwrapped: Properties = _unwrap(MessageToDict(struct))
    return unwrapped


def to_struct(properties: Properties) -> Struct:
    """Write properties into a message."""
    return ParseDict(properties, Struct())


def is_known(value: Any) -> bool:
    """Tell whether a value is fully known, so that no part waits for a resource that is not created yet."""
    return all(leaf != UNKNOWN for _, leaf in leaves(value))


def leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yield every value that contains no other, with its path; an empty mapping or list is one."""
    if isinstance(value, dict) and value:
        for key, each in value.items():
            yield from leaves(each, (*path, key))
    elif isinstance(value, list) and value:
        for index, each in enumerate(value):
            yield from leaves(each, (*path, index))
    else:
        yield path, value


def dotted(path: Path) -> str:
    """Return a path as Pulumi writes it: `template.containers[0].image`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def pattern(path: Path) -> str:
    """Return a path as limits name it, for any item of a list: `template.containers[].image`."""
    text = ""
    for part in path:
        text += "[]" if isinstance(part, int) else f".{part}" if text else part
    return text


def _unwrap(value: Any) -> Any:
    if isinstance(value, dict):
        if value.get(_SIGNATURE) == _SECRET:
            return _unwrap(value.get("value"))
        return {key: _unwrap(each) for key, each in value.items() if each is not None}
    if isinstance(value, list):
        return [_unwrap(each) for each in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value
