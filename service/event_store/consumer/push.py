"""Handle one push request of Pub/Sub, in any web framework: answer 204 for True and 503 for False.

Google pushes one message of an ordering key at a time, so an endpoint keeps the order.
"""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

from event_store.consumer.streaming_pull import EventHandler
from event_store.errors import EventStoreError
from event_store.pubsub.received import pushed_event

logger = logging.getLogger(__name__)


async def handle_push(body: bytes | str | Mapping[str, Any], handler: EventHandler) -> bool:
    """Handle one Pub/Sub push request; return whether to answer 2xx.

    It raises nothing but a cancellation of the endpoint's own task: errors of the body and of the handler are
    logged.

    Args:
        body: The body of the request, as JSON text or parsed; any content is allowed.
        handler: A coroutine function that receives an event and the number of its delivery attempt, such as
            `Projection.handle`.

    Returns:
        True to answer 2xx, which acknowledges the message; False to answer 5xx, so that Pub/Sub delivers it
        again.
    """
    try:
        event, attempt = pushed_event(body)
    except EventStoreError as error:
        logger.error("push request rejected: %s", error)  # noqa: TRY400 # no traceback for a stranger's request
        return False
    said = {"event_id": event.event_id, "attempt": attempt}
    try:
        await handler(event, attempt)
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise  # the endpoint was cancelled, not a call of the handler
        logger.exception("event rejected", extra=said)
        return False
    except Exception:  # whatever the user's code raises
        logger.exception("event rejected", extra=said)
        return False
    return True
