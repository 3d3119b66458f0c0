"""The same by a push subscription: the body of a push request in, whether to answer 2xx out.

It belongs to no web framework: call it in the endpoint, and answer 204 for True and 503 for False. Google
pushes one message of an ordering key at a time, so an endpoint keeps the order without further ado.
"""

import logging
from collections.abc import Mapping
from typing import Any

from event_store.errors import EventStoreError
from event_store.intake import EventHandler
from event_store.received import pushed_event

logger = logging.getLogger(__name__)


async def handle_push(body: bytes | str | Mapping[str, Any], handler: EventHandler) -> bool:
    """Handle the event in a push request.

    Args:
        body: The request's body, JSON or parsed.
        handler: Takes an event and the number of its delivery attempt; as `Projection.handle` does.

    Returns:
        True to answer 2xx, which acknowledges the message; False to answer 5xx: it comes again. It raises
        nothing: what the handler raises and what is wrong with the body is logged.
    """
    try:
        event, attempt = pushed_event(body)
    except EventStoreError as error:
        logger.error("refused a push: %s", error)  # noqa: TRY400 # no traceback for a stranger's request
        return False
    try:
        await handler(event, attempt)
    except Exception:  # whatever the user's code raises
        logger.exception("refused an event", extra={"event_id": event.event_id, "attempt": attempt})
        return False
    return True
