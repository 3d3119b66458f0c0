"""The properties of a resource type, read from the input types of the Pulumi SDK that the program uses."""

import difflib
import importlib
import inspect
import threading
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from pulumi import _types  # the SDK's own reader of these types; there is no public one

from local_gcp.resource.properties import UNKNOWN, Path

_PACKAGES = {"gcp": "pulumi_gcp", "docker-build": "pulumi_docker_build"}
# A module of the SDK loads itself when it is first used, and a second thread would see half of it.
_loading = threading.Lock()


@dataclass(frozen=True, slots=True)
class SdkSchema:
    """The properties of a resource, or of a nested object.

    Attributes:
        hints: The SDK's type of each property.
        required: The properties that must not be left out.
    """

    hints: Mapping[str, Any]
    required: frozenset[str]

    def problems(self, values: Mapping[str, Any], path: Path = ()) -> Iterator[tuple[Path, str]]:
        """Yield each problem of the known values: an unknown property, a missing one or a wrong type."""
        for name, value in values.items():
            if name in self.hints:
                yield from _mismatches(self.hints[name], value, (*path, name))
            else:
                near = difflib.get_close_matches(name, self.hints, n=1)
                yield (*path, name), f"is not a property{f': did you mean {near[0]}?' if near else ''}"
        for name in sorted(self.required - values.keys()):
            yield (*path, name), "is required"


def schema_of(resource_type: str) -> SdkSchema:
    """Return the properties of a resource type such as `gcp:pubsub/topic:Topic`."""
    package, module, name = resource_type.split(":")
    folder = module.split("/")[0]
    with _loading:
        sdk = importlib.import_module(_PACKAGES[package] + ("" if folder == "index" else f".{folder}"))
        return schema_of_input(getattr(sdk, f"{name}Args"))


@cache
def schema_of_input(args: type) -> SdkSchema:
    """Return the properties of one of the SDK's input types, such as that of a nested block."""
    names = _types.input_type_py_to_pulumi_names(args)
    signature = inspect.signature(args.__init__)  # type: ignore[misc] # of a class, not of an instance
    required = {
        names.get(name, name)
        for name, parameter in signature.parameters.items()
        if parameter.kind is parameter.KEYWORD_ONLY and parameter.default is parameter.empty
    }
    return SdkSchema(_types.input_type_types(args), frozenset(required))


def _mismatches(hint: Any, value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    hint = _plain(hint)
    origin = typing.get_origin(hint)
    if value == UNKNOWN:
        return
    if isinstance(hint, type) and _types.is_input_type(hint):
        if isinstance(value, Mapping):
            yield from schema_of_input(hint).problems(value, path)
        else:
            yield path, "must be an object"
    elif origin in (Sequence, list) and isinstance(value, list):
        for index, item in enumerate(value):
            yield from _mismatches(typing.get_args(hint)[0], item, (*path, index))
    else:
        fits, wanted = _wanted(hint, origin)
        if not fits(value):
            yield path, f"must be {wanted}"


def _wanted(hint: Any, origin: Any) -> tuple[Callable[[Any], bool], str]:
    """Return a test for values and a description of accepted values; a number is accepted as a text."""
    if origin in (Sequence, list):
        return lambda value: isinstance(value, list), "a list"
    if origin in (Mapping, dict):
        return lambda value: isinstance(value, Mapping), "a mapping"
    if hint is bool:
        return lambda value: isinstance(value, bool), "true or false"
    if hint is int:
        return _is_whole, "a whole number"
    return lambda value: not isinstance(value, Mapping | list), "a single value"


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _plain(hint: Any) -> Any:
    """Return the plain type of a hint that also allows an Output or an awaitable of it."""
    return _types.unwrap_type(hint) if typing.get_origin(hint) is typing.Union else hint
