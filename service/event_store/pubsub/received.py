"""Convert a Pub/Sub message back to its event, the inverse of `event_message.py`.

`event_data` and `metadata` are cut out of the message's text instead of being parsed and written again, so
that numbers keep their digits.
"""

import base64
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from event_store.errors import InvalidArgumentError
from event_store.model.events import RecordedEvent
from event_store.pubsub.json_members import members

_TEXTS: Final = ("event_id", "event_type", "aggregate_id", "aggregate_type")
_NUMBERS: Final = {"event_version": 2**31 - 1, "global_position": 2**63 - 1}
_TIMES: Final = ("occurred_at", "created_at")
_JSON: Final = ("event_data", "metadata")
_MOST_CHARACTERS: Final = 300  # of a stranger's text in an error
# The errors of parsing a stranger's text: the last two for deep nesting and times out of range.
_FAULTS: Final = (ValueError, LookupError, TypeError, AttributeError, RecursionError, OverflowError)


def recorded_event(data: bytes) -> RecordedEvent:
    """Parse the event in the data of a message.

    Raises:
        InvalidArgumentError: The data is not an event of this event store.
    """
    try:
        fields = members(data.decode())
        values = {name: json.loads(text) for name, text in fields.items() if name not in _JSON}
        return RecordedEvent(
            **values | {name: _parsed(name, value) for name, value in values.items()},
            event_data_json=fields["event_data"].encode(),
            metadata_json=fields["metadata"].encode(),
        )
    except _FAULTS as error:
        raise InvalidArgumentError.of(
            "message.data", f"is not an event of the event store: {_said(error)}"
        ) from None


def pushed_event(body: bytes | str | Mapping[str, Any]) -> tuple[RecordedEvent, int]:
    """Parse the event and delivery attempt in the body of a push request; the attempt is 0 if unknown.

    Raises:
        InvalidArgumentError: The body is not a push request, or its message is not an event.
    """
    try:
        request = body if isinstance(body, Mapping) else json.loads(body)
        data = base64.b64decode(request["message"]["data"], validate=True)
        attempt = int(request.get("deliveryAttempt") or 0)
    except _FAULTS as error:
        raise InvalidArgumentError.of("body", f"is not a push request: {_said(error)}") from None
    return recorded_event(data), attempt


def _parsed(name: str, value: Any) -> Any:
    if name in _TIMES:
        return datetime.fromisoformat(value)
    if name in _TEXTS and not isinstance(value, str):
        raise TypeError(f"{name} is not a string")
    if name in _NUMBERS and not (type(value) is int and 1 <= value <= _NUMBERS[name]):
        raise ValueError(f"{name} is not a number from 1 to {_NUMBERS[name]}")
    return value


def _said(error: Exception) -> str:
    return ascii(error)[:_MOST_CHARACTERS]
