"""Parse events from lines of JSON, in the form that `event-store read --json` writes."""

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
    """Yield each line of standard input, as a prefix for errors and its fields; see `parse_line`."""
    for number, line in enumerate(sys.stdin.buffer, 1):
        yield f"line {number}: ", parse_line(number, line)


def parse_line(number: int, line: bytes) -> dict[str, Any]:
    """Parse the fields of a line; `event_data` and `metadata` stay JSON text, with every digit.

    Raises:
        EventStoreError: The line is not a JSON object.
    """
    try:
        fields = json.loads(line)
        texts = members(line.decode()) if isinstance(fields, dict) else {}
    except (ValueError, RecursionError) as error:
        raise EventStoreError(f"line {number}: not JSON ({error}): write one JSON object per line") from None
    if not isinstance(fields, dict):
        raise EventStoreError(f"line {number}: not a JSON object: write one JSON object per line")
    return fields | {name: texts[name].encode() for name in _JSON if name in texts}


def check_fields(fields: dict[str, Any], required: Collection[str], optional: Collection[str]) -> None:
    """Check that an event has the required fields and no unknown ones, and that text fields are strings.

    Raises:
        InvalidArgumentError: A field is missing, unknown or not a string.
    """
    known = (*required, *optional)
    for name in required:
        if name not in fields:
            raise InvalidArgumentError.of(name, "is missing")
    for name, value in fields.items():
        if name not in known:
            raise InvalidArgumentError.of(name, f"unknown field: use {', '.join(known)}")
        if name in _TEXTS and not isinstance(value, str):
            raise InvalidArgumentError.of(name, f"invalid value {value!r:.50}: use a string")


def moment(text: str) -> datetime:
    """Parse the time of `occurred_at`.

    Raises:
        InvalidArgumentError: The text is not an ISO 8601 time.
    """
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise InvalidArgumentError.of(
            "occurred_at", f"invalid time {text!r}: use ISO 8601 with a time zone, as 2025-08-09T12:00:00Z"
        ) from None
