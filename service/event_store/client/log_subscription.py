"""Subscribe to the log, and resume the subscription when its connection is lost.

Invariants:

- The checkpoint is the last one that the service sent, and all events sent with it were yielded. A new
  connection begins at the checkpoint, so no event is lost or repeated.
- A call without a message for `SILENCE_SECONDS` is ended and repeated, because the service sends a keep-alive
  before. The channel is replaced, too, unless other calls have received something on it.
- After a failure the service must answer within the client's timeout.
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
    """Yield every event after a checkpoint that passes a filter, and the markers between, without an end.

    Args:
        calls: The calls of the client.
        after_position: The checkpoint, exclusive.
        event_filter: The events to yield.
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
            error = UnavailableError(f"the service sent nothing for {SILENCE_SECONDS:.0f} seconds")
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
