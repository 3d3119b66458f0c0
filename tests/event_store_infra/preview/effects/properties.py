"""Every property that the SDK has of a type, as the tables of effects name it."""

import typing
from collections.abc import Iterator, Sequence
from typing import Any

from pulumi import _types  # its own reader of these types; there is no public one

from local_gcp.resource.sdk_schema import SdkSchema, schema_of, schema_of_input


def properties_of(resource_type: str) -> frozenset[str]:
    """Return the properties of a type, of its blocks and of those in its lists, as in `settings.tier`."""
    return frozenset(_below(schema_of(resource_type)))


def _below(schema: SdkSchema, prefix: str = "") -> Iterator[str]:
    for name, hint in schema.hints.items():
        block = _block(hint)
        inside = schema_of_input(block) if block is not None else None
        if inside is None or not inside.hints:  # a value, or a block that has nothing in it
            yield prefix + name
        else:
            yield from _below(inside, f"{prefix}{name}.")


def _block(hint: Any) -> type | None:
    """Return the input type of a block or of those in a list; None for a value, or a mapping of values."""
    plain = _types.unwrap_type(hint) if typing.get_origin(hint) is typing.Union else hint
    if typing.get_origin(plain) in (Sequence, list):
        return _block(typing.get_args(plain)[0])
    return plain if isinstance(plain, type) and _types.is_input_type(plain) else None
