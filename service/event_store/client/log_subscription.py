"""A subscription to the log that outlives its connection.

Invariants:

- The checkpoint is the last one that the service named, and what the service sent with it was given. When the
  connection is lost the next one begins there. So no event is lost and none given twice.
- A connection that says nothing for `SILENCE_SECONDS` is given up, and another is made unless other calls
  hear something on it: a living one has a keep-alive for it.
- From the first failure on there is the client's timeout for a connection that works.
"""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from typing import Final

import grpc

from event_store.client import messages
from event_store.client.retrying import Calls, new_backoff, pause
from event_store.contract.error_status import to_error
from event_store.errors import EventStoreError, UnavailableError
from event_store.model import arguments
from event_store.model.event_filter import EventFilter
from event_store.model.events import RecordedEvent
from event_store.model.markers import Marker
from event_store.v1 import event_store_pb2 as pb

SILENCE_SECONDS: Final = 25.0


async def subscribe(
    calls: Calls, after_position: int, event_filter: EventFilter
) -> AsyncGenerator[RecordedEvent | Marker, None]:
    """Yield every event above a checkpoint that passes a filter, and the markers between, for ever.

    Args:
        calls: To the service.
        after_position: The checkpoint, exclusive.
        event_filter: Which events.
    """
    arguments.whole(after_position, "after_position", 0, arguments.HIGHEST_POSITION)
    clock = asyncio.get_running_loop().time
    selected = messages.event_filter(event_filter)
    backoff, deadline = new_backoff(), None
    while True:
        request = pb.SubscribeRequest(after_position=after_position, filter=selected)
        call = calls.method("Subscribe")(request)
        try:
            while True:
                listening_since = clock()
                async with asyncio.timeout(SILENCE_SECONDS):
                    response = await call.read()
                calls.connection.heard()
                if response is grpc.aio.EOF:
                    error: EventStoreError = UnavailableError("the service ended the subscription")
                    break
                backoff, deadline = new_backoff(), None
                for each in _contents(response):
                    yield each
                after_position = response.last_scanned_position
        except grpc.aio.AioRpcError as failure:
            error = to_error(failure)
        except TimeoutError:
            calls.connection.timed_out(listening_since)
            error = UnavailableError("the service is silent")
        finally:
            call.cancel()
        if deadline is None:
            deadline = clock() + calls.timeout_seconds
        await pause(error, backoff, deadline)


def _contents(response: pb.SubscribeResponse) -> Iterator[RecordedEvent | Marker]:
    if response.WhichOneof("kind") == "events":
        yield from map(messages.recorded_event, response.events.events)
    else:
        yield messages.marker(response)
