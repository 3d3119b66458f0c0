"""A message of the bus as the event that it carries: the way back of `message.py`.

`event_data` and `metadata` are cut out of the message's text, not parsed and written again: a number keeps
its digits.
"""

import base64
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from event_store.errors import InvalidArgumentError
from event_store.events import RecordedEvent
from event_store.json_members import members

_JSON: Final = ("event_data", "metadata")


def recorded_event(data: bytes) -> RecordedEvent:
    """Return the event in a message's data.

    Raises:
        InvalidArgumentError: The data is no event of this event store.
    """
    try:
        fields = members(data.decode())
        values = {name: json.loads(text) for name, text in fields.items() if name not in _JSON}
        return RecordedEvent(
            **values | {name: datetime.fromisoformat(values[name]) for name in ("occurred_at", "created_at")},
            event_data_json=fields["event_data"].encode(),
            metadata_json=fields["metadata"].encode(),
        )
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise InvalidArgumentError.of("message.data", f"is no event of the event store: {error!r}") from None


def pushed_event(body: bytes | str | Mapping[str, Any]) -> tuple[RecordedEvent, int]:
    """Return the event in the body of a push request, and the number of its delivery attempt, 0 if unknown.

    Raises:
        InvalidArgumentError: The body is none of Pub/Sub's, or its message no event of this event store.
    """
    try:
        request = body if isinstance(body, Mapping) else json.loads(body)
        data = base64.b64decode(request["message"]["data"], validate=True)
        attempt = int(request.get("deliveryAttempt") or 0)
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise InvalidArgumentError.of("body", f"is no push request: {error!r}") from None
    return recorded_event(data), attempt
