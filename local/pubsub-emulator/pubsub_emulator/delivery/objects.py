"""Export to Cloud Storage: batch messages into objects, here files in the bucket's folder.

One loop per subscription. Invariants: a message is acknowledged only after its object is written completely.
An object is closed when it reaches the subscription's limit of age, size or messages, and when the loop ends.
"""

import math
import os
import uuid
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pubsub_emulator.broker.clock import Clock, Timer
from pubsub_emulator.broker.dispatch.ordering_lane import QueuedMessage
from pubsub_emulator.broker.dispatch.receiver import Receiver
from pubsub_emulator.broker.subscription import Subscription
from pubsub_emulator.delivery.exports import object_time
from pubsub_emulator.errors import PubSubError

if TYPE_CHECKING:
    from pubsub_emulator.broker.message import Message

MESSAGES_AT_ONCE = 1_000
LEASE_MARGIN_SECONDS = 60  # a lease outlives the object of its message

_NAMESPACE: Final = "com.google.pubsub"
_DATA: Final = {"name": "data", "type": "bytes"}
_PLAIN: Final[dict[str, Any]] = {
    "type": "record",
    "namespace": _NAMESPACE,
    "name": "PubsubMessage",
    "fields": [_DATA],
}
_WITH_METADATA: Final[dict[str, Any]] = {
    "type": "record",
    "namespace": _NAMESPACE,
    "name": "PubsubMessageWithMetadata",
    "fields": [
        {"name": "subscription_name", "type": "string"},
        {"name": "message_id", "type": "string"},
        {"name": "publish_time", "type": {"type": "long", "logicalType": "timestamp-micros"}},
        {"name": "attributes", "type": {"type": "map", "values": "string"}},
        _DATA,
    ],
}


class _Object:
    """Collect the messages of one object.

    Attributes:
        messages: Each message with its ack id.
        size_bytes: Total size of the messages.
        closes_at: When the object reaches its maximum age, in seconds since 1970.
    """

    def __init__(self) -> None:
        self.messages: list[tuple[str, Message]] = []
        self.size_bytes = 0
        self.closes_at = math.inf
        self._timer: Timer | None = None

    def add(
        self, deliveries: Iterable[QueuedMessage], clock: Clock, seconds: int, due: Callable[[], None]
    ) -> None:
        """Add messages; `due` is called `seconds` after the first one."""
        for delivery in deliveries:
            if self._timer is None:
                self.closes_at = clock.now() + seconds
                self._timer = clock.call_at(self.closes_at, due)
            self.messages.append((delivery.ack_id, delivery.message))
            self.size_bytes += delivery.message.size_bytes

    def room(self, config: Any) -> int:
        """Return how many more messages the object accepts at once; 0 if it is full."""
        if config.max_bytes and self.size_bytes >= config.max_bytes:
            return 0
        limit = config.max_messages - len(self.messages) if config.max_messages else MESSAGES_AT_ONCE
        return min(max(limit, 0), MESSAGES_AT_ONCE)

    def forget(self) -> None:
        """Cancel the timer."""
        if self._timer is not None:
            self._timer.cancel()


async def write_objects(subscription: Subscription, folder: Path, clock: Clock) -> None:
    """Write a subscription's messages to `folder/BUCKET/` until the subscription ends."""
    consumer = Receiver()
    subscription.open(consumer)
    current = _Object()
    try:
        while True:
            config = subscription.config.cloud_storage_config
            seconds = config.max_duration.seconds
            taken = subscription.take(consumer, current.room(config), seconds + LEASE_MARGIN_SECONDS)
            current.add(taken, clock, seconds, consumer.wake)
            if current.messages and (not current.room(config) or clock.now() >= current.closes_at):
                _close(subscription, current, folder, clock)
                current = _Object()
            elif not taken:
                await consumer.woken()
    except PubSubError:
        pass  # the subscription is gone
    finally:
        if current.messages:
            _close(subscription, current, folder, clock)
        subscription.close(consumer)


def _close(subscription: Subscription, current: _Object, folder: Path, clock: Clock) -> None:
    """Write an object and acknowledge its messages; nack them if the write fails."""
    current.forget()
    ack_ids = [ack_id for ack_id, _ in current.messages]
    try:
        _write(subscription, [message.parse() for _, message in current.messages], folder, clock)
    except OSError:
        subscription.modify_deadline(ack_ids, 0)
    else:
        subscription.acknowledge(ack_ids)


def _write(subscription: Subscription, messages: list[Any], folder: Path, clock: Clock) -> None:
    config = subscription.config.cloud_storage_config
    closed = object_time(datetime.fromtimestamp(clock.now(), UTC), config.filename_datetime_format)
    name = f"{config.filename_prefix}{closed}_{uuid.uuid4().hex[:6]}{config.filename_suffix}"
    # A name is a key, not a path: no file may be written outside of the bucket.
    parts = [part for part in name.split("/") if part not in ("", ".", "..")]
    path = folder.joinpath(config.bucket, *parts)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = folder / f".{uuid.uuid4().hex}.unfinished"
    with unfinished.open("wb") as file:
        if config.HasField("avro_config"):
            import fastavro  # noqa: PLC0415 # of an extra, which `check_exports` requires

            metadata = config.avro_config.write_metadata
            schema = _WITH_METADATA if metadata else _PLAIN
            fastavro.writer(file, schema, [_record(subscription, raw, metadata=metadata) for raw in messages])
        else:
            file.writelines(raw.data + b"\n" for raw in messages)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)


def _record(subscription: Subscription, raw: Any, *, metadata: bool) -> dict[str, Any]:
    if not metadata:
        return {"data": raw.data}
    ordering = {"orderingKey": raw.ordering_key} if raw.ordering_key else {}
    return {
        "subscription_name": subscription.name,
        "message_id": raw.message_id,
        "publish_time": raw.publish_time.ToMicroseconds(),
        "attributes": {**raw.attributes, **ordering},
        "data": raw.data,
    }
