"""Detect another source under the name of an import, by comparing the last stored event."""

import json
from decimal import Decimal
from typing import Any, Final

from event_store.v1 import event_store_pb2 as pb

_MICROSECOND_NANOS: Final = 1000


def find_difference(given: pb.ImportedEvent, stored: pb.RecordedEvent) -> str:
    """Return the first field in which a source's event differs from the stored one; empty if they are equal.

    JSON is compared by value. The event_id does not count, as a source without ids has new ones each time.
    """
    event = given.event
    pairs: dict[str, tuple[Any, Any]] = {
        "aggregate_id": (given.aggregate_id.lower(), stored.aggregate_id),
        "aggregate_type": (given.aggregate_type, stored.aggregate_type),
        "event_version": (given.event_version, stored.event_version),
        "event_type": (event.event_type, stored.event_type),
        "occurred_at": (
            (event.occurred_at.seconds, event.occurred_at.nanos // _MICROSECOND_NANOS),
            (stored.occurred_at.seconds, stored.occurred_at.nanos // _MICROSECOND_NANOS),
        ),
        "event_data": (_value(event.event_data), _value(stored.event_data)),
        "metadata": (_value(event.metadata or b"{}"), _value(stored.metadata)),
    }
    return next((field for field, (ours, theirs) in pairs.items() if ours != theirs), "")


def _value(text: bytes) -> Any:
    """Parse a JSON text with every digit; return any other text unchanged, which equals no value."""
    try:
        return json.loads(text, parse_float=Decimal, parse_int=Decimal)
    except (ValueError, RecursionError):
        return text
