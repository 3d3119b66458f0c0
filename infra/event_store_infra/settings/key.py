"""The keys of a stack's configuration: meaning, allowed values and parsing.

A settings class is a frozen dataclass whose fields are declared by `key`. `parse` turns a mapping into one,
refuses every key that it does not know and every value that the key does not allow, and says how to fix it.
"""

import difflib
import re
import types
import typing
from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, field, fields, is_dataclass
from typing import Any, Final, TypeVar

from event_store.errors import ConfigurationError

S = TypeVar("S")
KINDS: Final = {bool: "true or false", int: "a whole number", str: "a text"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """The meaning and the allowed values of a key.

    Attributes:
        about: Its meaning, as a noun phrase.
        unit: The unit of a number; empty for none.
        lowest: The least number allowed; true and false are 1 and 0.
        highest: The greatest number allowed.
        choices: The allowed texts; empty for any text.
        pattern: The regular expression that a text, or each text of a list, must match; empty for any.
        allowed: The pattern in words.
        changed: Effect of another value on a deployed stack; empty for an update in place.
    """

    about: str
    unit: str = ""
    lowest: int = 0
    highest: int = 1
    choices: tuple[str, ...] = ()
    pattern: str = ""
    allowed: str = ""
    changed: str = ""


def key(about: str, *, default: Any = MISSING, **limits: Any) -> Any:
    """Declare a field of a settings class; a key without a default is required.

    Args:
        about: Its meaning, as a noun phrase.
        default: Its value if the configuration does not set it.
        limits: The other attributes of `Key`.
    """
    metadata = {"key": Key(about=about, **limits)}
    if callable(default):
        return field(default_factory=default, metadata=metadata)
    return field(default=default, metadata=metadata)


def parse(cls: type[S], values: object, path: str, **given: object) -> S:
    """Parse a mapping into a settings class.

    Args:
        cls: The class, whose fields are declared by `key`.
        values: The mapping.
        path: The path of the mapping, as in `event-store:database`.
        given: Fields that are not keys.

    Raises:
        ConfigurationError: A key is unknown or missing, or a value is not allowed.
    """
    if not isinstance(values, Mapping):
        raise ConfigurationError(
            f"{path} is {values!r}, but must be a mapping of {', '.join(sorted(_keys(cls)))}"
        )
    known = _keys(cls)
    separator = "" if path.endswith(":") else "."
    for name in values:
        if name not in known:
            raise ConfigurationError(
                f"{path}{separator}{name} is not a setting{_suggestion(name, known)}; "
                f"known are {', '.join(sorted(known))}"
            )
    hints = typing.get_type_hints(cls)
    parsed = {
        name: _value(known[name].metadata["key"], hints[name], value, f"{path}{separator}{name}")
        for name, value in values.items()
    }
    for name, each in known.items():
        if name not in parsed and each.default is MISSING and each.default_factory is MISSING:
            about = each.metadata["key"].about
            raise ConfigurationError(f"{path}{separator}{name} is missing ({about}): set it")
    return cls(**given, **parsed)


def within(namespace: str, config: Mapping[str, str]) -> dict[str, str]:
    """Return the keys of a namespace, as in `event-store:`, without it."""
    return {name.removeprefix(namespace): text for name, text in config.items() if name.startswith(namespace)}


def _value(declared: Key, hint: Any, value: object, path: str) -> Any:
    if isinstance(hint, types.UnionType):  # Optional: only ever a settings class or None
        hint = next(each for each in hint.__args__ if each is not types.NoneType)
    origin = typing.get_origin(hint)
    if is_dataclass(hint):
        return parse(typing.cast("type[Any]", hint), value, path)
    if origin is tuple:
        if not isinstance(value, list):
            raise ConfigurationError(f"{path} is {value!r}, but must be a list")
        (kind, *_) = typing.get_args(hint)
        return tuple(_value(declared, kind, item, f"{path}[{index}]") for index, item in enumerate(value))
    if origin is not None:
        if not isinstance(value, Mapping):
            raise ConfigurationError(f"{path} is {value!r}, but must be a mapping")
        return {name: _value(declared, str, item, f"{path}.{name}") for name, item in value.items()}
    if type(value) is not hint:
        raise ConfigurationError(f"{path} is {value!r}, but must be {KINDS[hint]}")
    _check(declared, value, path)
    return value


def _check(declared: Key, value: object, path: str) -> None:
    if isinstance(value, int) and not declared.lowest <= value <= declared.highest:
        unit = f" {declared.unit}" if declared.unit else ""
        raise ConfigurationError(
            f"{path} is {value}, but must be {declared.lowest} to {declared.highest}{unit}"
        )
    if isinstance(value, str):
        if declared.choices and value not in declared.choices:
            raise ConfigurationError(
                f"{path} is {value!r}{_suggestion(value, declared.choices)}; "
                f"allowed are {', '.join(declared.choices)}"
            )
        if declared.pattern and not re.fullmatch(declared.pattern, value):
            raise ConfigurationError(f"{path} is {value!r}, but must be {declared.allowed}")


def _suggestion(name: object, known: typing.Iterable[str]) -> str:
    near = difflib.get_close_matches(str(name), list(known), n=1)
    return f" (did you mean {near[0]}?)" if near else ""


def _keys(cls: type[Any]) -> dict[str, Field[Any]]:
    return {each.name: each for each in fields(cls) if "key" in each.metadata}
