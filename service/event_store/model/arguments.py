"""Values that a caller gives to the client, checked before anything is sent.

One place for both faces of the client: a method raises what these raise, an option of a command is parsed by
them (see `cli.options`).
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
    """Return a whole number of a range.

    Args:
        value: What was given; a bool is not a number.
        field: What the error calls it.
        lowest: The lowest number that is allowed.
        highest: The highest one.
        instead: What may be given instead of a number.

    Raises:
        InvalidArgumentError: It is not one.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not lowest <= value <= highest:
        raise InvalidArgumentError.of(
            field, f"is {_shown(value)}: give {instead}a whole number from {lowest} to {highest}"
        )
    return value


def seconds(value: object, field: str) -> float:
    """Return a time in seconds, above 0 and at most a week.

    Raises:
        InvalidArgumentError: It is out of this range, NaN or infinite.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= LONGEST_SECONDS:
        raise InvalidArgumentError.of(
            field, f"is {_shown(value)}: give seconds, above 0 and at most {LONGEST_SECONDS:.0f}"
        )
    return float(value)


def text(value: object, field: str) -> str:
    """Return a text.

    Raises:
        InvalidArgumentError: It is not one, or has a lone surrogate, which UTF-8 cannot say.
    """
    if not isinstance(value, str):
        raise InvalidArgumentError.of(field, f"is {_shown(value)}: give a text")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise InvalidArgumentError.of(field, "has a lone surrogate, which is not Unicode text") from None
    return value


def of_kind(value: object, kind: type[Value], field: str) -> Value:
    """Return a value of a class.

    Raises:
        InvalidArgumentError: It is of another one.
    """
    if not isinstance(value, kind):
        raise InvalidArgumentError.of(field, f"is {_shown(value)}: give {kind.__name__}")
    return value


def several(values: Iterable[Value], field: str, kind: str) -> Iterable[Value]:
    """Return several values; a text, which would be taken as its letters, is not several.

    Raises:
        InvalidArgumentError: It is a text, or cannot be gone through.
    """
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        raise InvalidArgumentError.of(field, f"is {_shown(values)}: give a list of {kind}")
    return values


def texts(values: Iterable[str], field: str) -> tuple[str, ...]:
    """Return several texts.

    Raises:
        InvalidArgumentError: It is one text, whose letters would be taken, or not all of it is text.
    """
    found = tuple(several(values, field, "texts"))
    for index, each in enumerate(found):
        text(each, f"{field}[{index}]")
    return found


def check_size(size_bytes: int, most_bytes: int, field: str = "") -> None:
    """Check the size of a message, since gRPC gives no error of ours for one that is too large.

    Raises:
        InvalidArgumentError: It is larger than is allowed.
    """
    if size_bytes > most_bytes:
        raise InvalidArgumentError.of(field, f"it is {size_bytes} bytes, at most {most_bytes} are allowed")


def _shown(value: object) -> str:
    try:
        shown = repr(value)
    except ValueError:  # Python's, of a number with thousands of digits
        return "a number of too many digits"
    return shown if len(shown) <= _MOST_SHOWN_CHARACTERS else f"{shown[:_MOST_SHOWN_CHARACTERS]}…"
