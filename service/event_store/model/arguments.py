"""Check the arguments of client methods and command options before anything is sent.

Client methods raise the errors of these functions; options of a command are parsed by them (`cli.options`).
"""

from collections.abc import Iterable
from typing import Final, TypeVar

from event_store.errors import InvalidArgumentError

__all__ = [
    "HIGHEST_POSITION",
    "HIGHEST_VERSION",
    "MOST_LIMIT",
    "check_size",
    "of_kind",
    "seconds",
    "several",
    "text",
    "texts",
    "whole",
]

HIGHEST_POSITION: Final = (1 << 63) - 1
HIGHEST_VERSION: Final = 2_147_483_647  # PostgreSQL's INTEGER
MOST_LIMIT: Final = (1 << 32) - 1
LONGEST_SECONDS: Final = 604_800.0  # a week
_MOST_SHOWN_CHARACTERS: Final = 50

Value = TypeVar("Value")


def whole(value: object, field: str, lowest: int, highest: int, *, instead: str = "") -> int:
    """Check a whole number and return it.

    Args:
        value: The argument; a bool is not a number.
        field: The name of the argument, for the error.
        lowest: The lowest number that is allowed.
        highest: The highest number that is allowed.
        instead: The alternatives to a number, for the error, such as `ANY or `.

    Raises:
        InvalidArgumentError: The value is not a whole number from `lowest` to `highest`.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not lowest <= value <= highest:
        raise InvalidArgumentError.of(
            field, f"invalid value {_shown(value)}: use {instead}a whole number from {lowest} to {highest}"
        )
    return value


def seconds(value: object, field: str) -> float:
    """Check a duration in seconds, above 0 and at most a week, and return it.

    Raises:
        InvalidArgumentError: The value is not a number, or out of this range.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= LONGEST_SECONDS:
        raise InvalidArgumentError.of(
            field,
            f"invalid value {_shown(value)}: use seconds, above 0 and at most {LONGEST_SECONDS:.0f}",
        )
    return float(value)


def text(value: object, field: str) -> str:
    """Check a string and return it.

    Raises:
        InvalidArgumentError: The value is not a string, or has a lone surrogate, which UTF-8 cannot encode.
    """
    if not isinstance(value, str):
        raise InvalidArgumentError.of(field, f"invalid value {_shown(value)}: use a string")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise InvalidArgumentError.of(field, "has a lone surrogate, which UTF-8 cannot encode") from None
    return value


def of_kind(value: object, kind: type[Value], field: str) -> Value:
    """Check that a value is an instance of a class, and return it.

    Raises:
        InvalidArgumentError: The value has another class.
    """
    if not isinstance(value, kind):
        raise InvalidArgumentError.of(field, f"invalid value {_shown(value)}: use {kind.__name__}")
    return value


def several(values: Iterable[Value], field: str, kind: str) -> Iterable[Value]:
    """Check that an argument is an iterable other than a string, and return it.

    Raises:
        InvalidArgumentError: The argument is a string or bytes, or not iterable.
    """
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        raise InvalidArgumentError.of(field, f"invalid value {_shown(values)}: use a list of {kind}")
    return values


def texts(values: Iterable[str], field: str) -> tuple[str, ...]:
    """Check a list of strings and return it as a tuple.

    Raises:
        InvalidArgumentError: The argument is a single string, or an item is not a string.
    """
    found = tuple(several(values, field, "strings"))
    for index, each in enumerate(found):
        text(each, f"{field}[{index}]")
    return found


def check_size(size_bytes: int, most_bytes: int, field: str = "") -> None:
    """Check the size of a message, because gRPC's own error for a large message does not name the limit.

    Raises:
        InvalidArgumentError: `size_bytes` is above `most_bytes`.
    """
    if size_bytes > most_bytes:
        raise InvalidArgumentError.of(
            field, f"the size is {size_bytes} bytes, at most {most_bytes} are allowed"
        )


def _shown(value: object) -> str:
    try:
        shown = repr(value)
    except ValueError:  # Python's, of a number with thousands of digits
        return "a number of too many digits"
    return shown if len(shown) <= _MOST_SHOWN_CHARACTERS else f"{shown[:_MOST_SHOWN_CHARACTERS]}…"
