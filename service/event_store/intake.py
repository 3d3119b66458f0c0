"""One stream of a consumer: from opening it until it ends or the consumer stops. See `consumer.py`."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Final, NoReturn
from uuid import uuid4

import grpc

from event_store.backoff import Backoff
from event_store.errors import EventStoreError, OverloadedError, UnavailableError
from event_store.events import RecordedEvent
from event_store.received import recorded_event
from event_store.subscriber import StreamingPullRequest, Subscriber, to_error

# Google's shortest: what a consumer that died has held comes again after this.
DEADLINE_SECONDS: Final = 10
RENEWAL_SECONDS: Final = 3.0
HELD_MESSAGES: Final = 1000
HELD_BYTES: Final = 32 << 20
LONGEST_SECONDS: Final = 600.0
DRAIN_SECONDS: Final = 8.0  # Cloud Run gives a process ten to end
_FIRST_WAIT_SECONDS: Final = 0.1
_LONGEST_WAIT_SECONDS: Final = 5.0

EventHandler = Callable[[RecordedEvent, int], Awaitable[None]]

logger = logging.getLogger(__name__)


class Intake:
    """Takes messages from a stream and handles them.

    A lane is the messages of one ordering key. It is in the queue of ready lanes or held by one worker, so
    one message of it is handled at a time; it ends when it is empty. A message without a key has a lane of
    its own.
    """

    def __init__(
        self, subscriber: Subscriber, subscription: str, handler: EventHandler, concurrency: int
    ) -> None:
        self.has_received = False
        self._subscriber = subscriber
        self._subscription = subscription
        self._handler = handler
        self._concurrency = concurrency
        self._lanes: dict[str, deque[Any]] = {}
        self._ready: asyncio.Queue[str] = asyncio.Queue()
        self._held: set[str] = set()
        self._done: list[str] = []
        self._refused: list[str] = []
        self._has_settled = asyncio.Event()
        self._in_hand = 0
        self._is_idle = asyncio.Event()
        self._is_idle.set()

    async def run(self, stopping: asyncio.Event) -> None:
        """Take messages until told to stop; then let those in hand end and acknowledge them.

        Raises:
            ConfigurationError: There is no such subscription, or no right to it.
            UnavailableError: The stream ended.
        """
        stop = asyncio.create_task(stopping.wait())
        reader = asyncio.create_task(self._read())
        loops = [asyncio.create_task(self._settle_and_renew())]
        loops += [asyncio.create_task(self._work()) for _ in range(self._concurrency)]
        try:
            done, _ = await asyncio.wait((stop, reader, *loops), return_when=asyncio.FIRST_COMPLETED)
            reader.cancel()
            if stop in done:
                self._lanes.clear()  # a lane in hand ends with its message
                with suppress(TimeoutError):
                    async with asyncio.timeout(DRAIN_SECONDS):
                        await self._is_idle.wait()
            else:
                for task in done:
                    task.result()
        finally:
            for task in (stop, reader, *loops):
                task.cancel()
            await asyncio.gather(stop, reader, *loops, return_exceptions=True)
            with suppress(EventStoreError):  # what cannot be acknowledged comes again and is a duplicate
                await self._settle()

    async def _read(self) -> NoReturn:
        call = self._subscriber.stream()
        try:
            await call.write(
                StreamingPullRequest(
                    subscription=self._subscription,
                    stream_ack_deadline_seconds=DEADLINE_SECONDS,
                    client_id=str(uuid4()),
                    max_outstanding_messages=HELD_MESSAGES,
                    max_outstanding_bytes=HELD_BYTES,
                )
            )
            while (response := await call.read()) is not grpc.aio.EOF:
                self.has_received = True
                for received in response.received_messages:
                    self._add(received)
            status = await call.code()
        except grpc.aio.AioRpcError as failure:
            raise to_error(failure, self._subscription) from None
        finally:
            call.cancel()
        raise UnavailableError(f"Pub/Sub ended the stream of {self._subscription} ({status.name})")

    def _add(self, received: Any) -> None:
        self._held.add(received.ack_id)
        key = received.message.ordering_key or received.ack_id
        lane = self._lanes.get(key)
        if lane is not None:
            lane.append(received)
            return
        self._lanes[key] = deque((received,))
        self._ready.put_nowait(key)

    async def _work(self) -> NoReturn:
        while True:
            key = await self._ready.get()
            lane = self._lanes.get(key)
            if lane is None:
                continue  # it is stopping
            self._in_hand += 1
            self._is_idle.clear()
            try:
                is_done = await self._handle(lane[0])
            finally:
                self._in_hand -= 1
                if not self._in_hand:
                    self._is_idle.set()
            (self._done if is_done else self._refused).append(lane[0].ack_id)
            self._has_settled.set()
            gone = [lane.popleft()] if is_done else [*lane]
            self._held.difference_update(received.ack_id for received in gone)
            if is_done and lane:
                self._ready.put_nowait(key)
            else:
                self._lanes.pop(key, None)

    async def _handle(self, received: Any) -> bool:
        """Return whether to acknowledge a message."""
        backoff = Backoff(_FIRST_WAIT_SECONDS, _LONGEST_WAIT_SECONDS)
        place = {"event_id": received.message.attributes.get("event_id", "")}
        try:
            event = recorded_event(received.message.data)
            while True:
                try:
                    async with asyncio.timeout(LONGEST_SECONDS):
                        await self._handler(event, received.delivery_attempt)
                except (UnavailableError, OverloadedError) as error:
                    logger.warning("cannot handle an event, trying again: %s", error, extra=place)
                    await asyncio.sleep(backoff.next_seconds())
                else:
                    return True
        except Exception as error:  # whatever the user's code raises
            said = {**place, "attempt": received.delivery_attempt}
            logger.exception("refused an event: %r", error, extra=said)  # noqa: TRY401 # in the line itself
            return False

    async def _settle_and_renew(self) -> NoReturn:
        """Acknowledge and refuse what is settled, at once, and keep what is not, in time."""
        loop = asyncio.get_running_loop()
        renewal = loop.time() + RENEWAL_SECONDS
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout_at(renewal):
                    await self._has_settled.wait()
            await self._settle()
            if loop.time() >= renewal:
                renewal = loop.time() + RENEWAL_SECONDS
                await self._subscriber.hold(self._subscription, list(self._held), DEADLINE_SECONDS)

    async def _settle(self) -> None:
        self._has_settled.clear()
        done, self._done = self._done, []
        refused, self._refused = self._refused, []
        try:
            await self._subscriber.acknowledge(self._subscription, done)
            await self._subscriber.hold(self._subscription, refused, 0)
        except asyncio.CancelledError:  # Pub/Sub may not have heard it: `run` says it again as it ends
            self._done += done
            self._refused += refused
            raise
