"""Deliver messages to push endpoints, with Google's standard JSON wrapper and without an OIDC token.

One loop per push subscription takes messages like any consumer. Each message is one request, with at
most REQUESTS_AT_ONCE requests in flight, and one per ordering key. A status of 102, 200, 201, 202 or
204 acknowledges the message. Any other status, or no answer within the ack deadline, nacks it; it is
redelivered after its backoff. A loop ends with its subscription, or when it is replaced or stopped.
"""

import asyncio
import base64
import json
import re
import ssl
from typing import Any
from urllib.parse import SplitResult, urlsplit

from pubsub_emulator.broker.dispatch.ordering_lane import QueuedMessage
from pubsub_emulator.broker.dispatch.receiver import Receiver
from pubsub_emulator.broker.subscription import Subscription
from pubsub_emulator.errors import PubSubError

REQUESTS_AT_ONCE = 16
ACCEPTED = frozenset((102, 200, 201, 202, 204))
_HEADER_NAME = re.compile(r"[\w!#$%&'*+.^`|~-]+", re.ASCII)  # RFC 9110, a token
LEASE_MARGIN_SECONDS = 5  # a lease outlives its request, so that the response decides


async def push(subscription: Subscription) -> None:
    """Deliver a subscription's messages to its endpoint until the subscription ends."""
    consumer = Receiver(max_messages=REQUESTS_AT_ONCE, one_per_key=True)
    subscription.open(consumer)
    try:
        async with asyncio.TaskGroup() as requests:
            while True:
                lease_seconds = subscription.settings.ack_deadline_seconds + LEASE_MARGIN_SECONDS
                for delivery in subscription.take(consumer, REQUESTS_AT_ONCE, lease_seconds):
                    requests.create_task(_deliver(subscription, delivery))
                await consumer.woken()
    except* PubSubError:
        pass  # the subscription is gone
    finally:
        subscription.close(consumer)


async def _deliver(subscription: Subscription, delivery: QueuedMessage) -> None:
    ack_id = delivery.ack_id
    settings = subscription.settings
    try:
        async with asyncio.timeout(settings.ack_deadline_seconds):
            status = await _post(settings.push_endpoint, *_request(subscription, delivery))
    except (OSError, TimeoutError, ValueError):  # no connection, no answer, no HTTP
        status = 0
    if status in ACCEPTED:
        subscription.acknowledge([ack_id])
    else:
        subscription.modify_deadline([ack_id], 0)


def _request(subscription: Subscription, delivery: QueuedMessage) -> tuple[dict[str, str], bytes]:
    """Return the headers and the body of a message's request."""
    raw = delivery.message.parse()
    config = subscription.config.push_config
    if config.HasField("no_wrapper"):
        return _metadata(subscription, raw) if config.no_wrapper.write_metadata else {}, raw.data
    message: dict[str, Any] = {
        "data": base64.b64encode(raw.data).decode(),
        "messageId": raw.message_id,
        "message_id": raw.message_id,
        "publishTime": raw.publish_time.ToJsonString(),
        "publish_time": raw.publish_time.ToJsonString(),
    }
    if raw.attributes:
        message["attributes"] = dict(raw.attributes)
    if raw.ordering_key:
        message["orderingKey"] = raw.ordering_key
    body: dict[str, Any] = {"message": message, "subscription": subscription.name}
    if subscription.tells_attempts:
        body["deliveryAttempt"] = delivery.attempt
    return {"Content-Type": "application/json"}, json.dumps(body).encode()


def _metadata(subscription: Subscription, raw: Any) -> dict[str, str]:
    """Return the headers of an unwrapped message, without attributes whose key is not a header name."""
    headers = {key: value for key, value in raw.attributes.items() if _HEADER_NAME.fullmatch(key)}
    headers["x-goog-pubsub-subscription-name"] = subscription.name
    headers["x-goog-pubsub-message-id"] = raw.message_id
    headers["x-goog-pubsub-publish-time"] = raw.publish_time.ToJsonString()
    if raw.ordering_key:
        headers["x-goog-pubsub-ordering-key"] = raw.ordering_key
    return headers


async def _post(url: str, headers: dict[str, str], body: bytes) -> int:
    """Send one HTTP/1.1 request and return the status of its response."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(
        parts.hostname,
        parts.port or (443 if parts.scheme == "https" else 80),
        ssl=ssl.create_default_context() if parts.scheme == "https" else None,
    )
    try:
        writer.write(_head(parts, headers, len(body)) + body)
        await writer.drain()
        status_line = await reader.readline()
        return int(status_line.split()[1]) if len(status_line.split()) > 1 else 0
    finally:
        writer.close()


def _head(parts: SplitResult, headers: dict[str, str], length: int) -> bytes:
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    lines = [
        f"POST {target} HTTP/1.1",
        f"Host: {parts.netloc}",
        "Connection: close",
        f"Content-Length: {length}",
    ]
    # A line break in a value would start a header of the publisher's choice.
    lines += [f"{name}: {' '.join(value.split())}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()
