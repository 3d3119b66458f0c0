"""Events as lines of JSON, in the form in which `event-store read --json` writes them."""

import json
import sys
from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Any, Final

from event_store.errors import EventStoreError, InvalidArgumentError
from event_store.pubsub.json_members import members

_JSON: Final = ("event_data", "metadata")
_TEXTS: Final = ("aggregate_id", "aggregate_type", "event_type", "occurred_at", "event_id")


def event_lines() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield of each line of standard input its place and its fields, see `parse_line`."""
    for number, line in enumerate(sys.stdin.buffer, 1):
        yield f"line {number}: ", parse_line(number, line)


def parse_line(number: int, line: bytes) -> dict[str, Any]:
    """Return the fields of a line; JSON values stay as they are written, digit for digit.

    Raises:
        EventStoreError: The line is no JSON object.
    """
    try:
        fields = json.loads(line)
        texts = members(line.decode()) if isinstance(fields, dict) else {}
    except (ValueError, RecursionError) as error:
        raise EventStoreError(f"line {number}: this is no JSON: {error}") from None
    if not isinstance(fields, dict):
        raise EventStoreError(f"line {number}: this is no JSON object: write one event a line")
    return fields | {name: texts[name].encode() for name in _JSON if name in texts}


def check_fields(fields: dict[str, Any], required: Collection[str], optional: Collection[str]) -> None:
    """Check which fields an event has, and that texts are texts.

    Raises:
        InvalidArgumentError: One is missing, unknown or no text.
    """
    known = (*required, *optional)
    for name in required:
        if name not in fields:
            raise InvalidArgumentError.of(name, "is missing")
    for name, value in fields.items():
        if name not in known:
            raise InvalidArgumentError.of(name, f"is unknown: known are {', '.join(known)}")
        if name in _TEXTS and not isinstance(value, str):
            raise InvalidArgumentError.of(name, "is no text")


def moment(text: str) -> datetime:
    """Return the time of `occurred_at`.

    Raises:
        InvalidArgumentError: It is none.
    """
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise InvalidArgumentError.of(
            "occurred_at", f"is {text!r}: write a time such as 2025-08-09T12:00:00Z"
        ) from None
