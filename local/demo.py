"""The main job, shown: append events through gRPC and receive them from a subscription."""

import asyncio
import uuid
from typing import Any, Final

import grpc.aio
from google.api_core import exceptions
from google.pubsub_v1.services.subscriber import SubscriberAsyncClient
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcAsyncIOTransport

from event_store import Client, ExpectedVersion, NewEvent
from event_store.errors import ConfigurationError
from local.properties import Properties

SUBSCRIPTION: Final = "vocabulary-projection"
RECEIVE_SECONDS: Final = 20.0
_PULL_SECONDS: Final = 2.0
_MESSAGES: Final = 100
_CALL_SECONDS: Final = 10.0


async def show(endpoints: Properties) -> None:
    """Append a few vocabulary events and print them as they arrive.

    Args:
        endpoints: As the daemon tells them.

    Raises:
        EventStoreError: They cannot be appended, or do not arrive.
    """
    vocabulary = str(uuid.uuid4())
    events = [
        NewEvent("VocabularyAdded", {"name": "First steps", "language": "cs"}),
        NewEvent("WordAdded", {"word": "ahoj", "meaning": "hello"}),
        NewEvent("WordAdded", {"word": "děkuji", "meaning": "thank you"}),
    ]
    print(f"\nAppending {len(events)} events to {endpoints['service']} (gRPC AppendEvents):")
    async with Client(endpoints["service"]) as client:
        result = await client.append(
            vocabulary, "Vocabulary", events, expected_version=ExpectedVersion.NO_STREAM
        )
    first, last = result.first_global_position, result.last_global_position
    print(f"  stored at positions {first} to {last}")
    print(f"Receiving from {SUBSCRIPTION}:")
    missing = await _receive(endpoints, {event.event_id for event in events})
    if missing:
        raise ConfigurationError(
            f"{len(missing)} of {len(events)} events did not arrive on {SUBSCRIPTION} within "
            f"{RECEIVE_SECONDS:.0f} s. If a consumer of yours reads from it, it has them; "
            "else `event-store status` tells how far the relay is"
        )


async def _receive(endpoints: Properties, wanted: set[str]) -> set[str]:
    """Print and acknowledge the wanted events; return those that did not come in time."""
    options = (("grpc.enable_http_proxy", 0),)
    path = f"projects/{endpoints['project']}/subscriptions/{SUBSCRIPTION}"
    missing = set(wanted)
    async with grpc.aio.insecure_channel(endpoints["pubsub_emulator_host"], options=options) as channel:
        subscriber: Any = SubscriberAsyncClient(transport=SubscriberGrpcAsyncIOTransport(channel=channel))
        try:
            async with asyncio.timeout(RECEIVE_SECONDS):
                while missing:
                    await _pull(subscriber, path, missing)
        except TimeoutError:
            pass
    return missing


async def _pull(subscriber: Any, path: str, missing: set[str]) -> None:
    """Pull once; what is not ours goes back."""
    try:
        answer = await subscriber.pull(
            subscription=path, max_messages=_MESSAGES, retry=None, timeout=_PULL_SECONDS
        )
    except exceptions.DeadlineExceeded:
        return
    ours, others = [], []
    for received in answer.received_messages:
        attributes = received.message.attributes
        if attributes["event_id"] in missing:
            ours.append(received.ack_id)
            missing.discard(attributes["event_id"])
            print(
                f"  event_type={attributes['event_type']} aggregate_id={attributes['aggregate_id']} "
                f"global_position={attributes['global_position']}"
            )
        else:
            others.append(received.ack_id)
    call = {"retry": None, "timeout": _CALL_SECONDS}
    if ours:
        await subscriber.acknowledge(subscription=path, ack_ids=ours, **call)
    if others:
        await subscriber.modify_ack_deadline(
            subscription=path, ack_ids=others, ack_deadline_seconds=0, **call
        )
