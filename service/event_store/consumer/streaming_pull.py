"""Run one stream of a consumer, until it ends or the consumer stops; see `consumer.py`."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, Final, NoReturn
from uuid import uuid4

import grpc

from event_store.backoff import Backoff
from event_store.consumer.acknowledgements import DEADLINE_SECONDS, Acknowledgements
from event_store.consumer.outage import Outage
from event_store.consumer.suspects import GATHER_SECONDS, Suspects
from event_store.consumer.verdict import NOT_NOW
from event_store.errors import ConfigurationError, EventStoreError, UnavailableError
from event_store.model.events import RecordedEvent
from event_store.pubsub.messages_pb2 import StreamingPullRequest
from event_store.pubsub.received import recorded_event
from event_store.pubsub.subscriber import Subscriber, to_error

# One in hand and one behind it, so that no worker waits for Pub/Sub. Each held message of a killed process
# loses a delivery attempt, so a process holds no more.
HELD_PER_WORKER: Final = 2
HELD_BYTES: Final = 32 << 20
# The ConfigurationErrors of an event, while others are handled, after which it is rejected itself.
MOST_STRIKES: Final = 5
LONGEST_SECONDS: Final = 600.0
DRAIN_SECONDS: Final = 8.0  # Cloud Run gives a process ten seconds to end
_FIRST_WAIT_SECONDS: Final = 0.1
_LONGEST_WAIT_SECONDS: Final = 5.0

EventHandler = Callable[[RecordedEvent, int], Awaitable[None]]

logger = logging.getLogger(__name__)


class _Outcome(Enum):
    DONE = auto()
    REFUSED = auto()
    NOT_NOW = auto()


@dataclass(slots=True)
class _Lane:
    """The messages of one ordering key, or one message without a key.

    Attributes:
        messages: The messages in order; the first one is in hand or waits.
        backoff: The waits between retries of the first message.
        timer: The timer of the next retry; None if the first message does not wait for one.
        strikes: The ConfigurationErrors of the first message while others were handled.
        passes: The number of handled messages at the last strike; None before the first.
    """

    messages: deque[Any]
    backoff: Backoff = field(default_factory=lambda: Backoff(_FIRST_WAIT_SECONDS, _LONGEST_WAIT_SECONDS))
    timer: asyncio.TimerHandle | None = None
    strikes: int = 0
    passes: int | None = None


class Intake:
    """Receives messages from one stream and handles them.

    A lane is in the queue of ready lanes, in the hands of one worker, or waits for its next retry. So one
    message of a lane is handled at a time. An empty lane is deleted. Only `_work_alone` takes a lane whose
    first message is a suspect. A waiting lane blocks no worker. If its message raises ConfigurationError
    while others are handled, it is rejected after MOST_STRIKES.
    """

    def __init__(
        self,
        subscriber: Subscriber,
        subscription: str,
        handler: EventHandler,
        concurrency: int,
        outage: Outage,
        suspects: Suspects,
    ) -> None:
        self.has_received = False
        self._subscriber = subscriber
        self._subscription = subscription
        self._handler = handler
        self._concurrency = concurrency
        self._outage = outage
        self._suspects = suspects
        self._acknowledgements = Acknowledgements(subscriber, subscription)
        self._lanes: dict[str, _Lane] = {}
        self._ready: asyncio.Queue[str] = asyncio.Queue()
        self._in_hand = 0
        self._is_idle = asyncio.Event()
        self._is_idle.set()
        self._may_begin = asyncio.Event()
        self._may_begin.set()

    async def run(self, stopping: asyncio.Event) -> None:
        """Receive and handle messages until told to stop; then finish and acknowledge those in hand.

        Raises:
            ConfigurationError: The subscription does not exist, or this identity may not pull from it.
            UnavailableError: The stream ended.
        """
        stop = asyncio.create_task(stopping.wait())
        reader = asyncio.create_task(self._read())
        own = (self._acknowledgements.run(), self._work_alone())
        loops = [asyncio.create_task(loop) for loop in own]
        loops += [asyncio.create_task(self._work()) for _ in range(self._concurrency)]
        try:
            done, _ = await asyncio.wait((stop, reader, *loops), return_when=asyncio.FIRST_COMPLETED)
            reader.cancel()
            if stop in done:
                self._forget_lanes()  # a lane in hand ends with its message
                with suppress(TimeoutError):
                    async with asyncio.timeout(DRAIN_SECONDS):
                        await self._is_idle.wait()
            else:
                for task in done:
                    _raise_its_end(task)
        finally:
            self._forget_lanes()
            for task in (stop, reader, *loops):
                task.cancel()
            await asyncio.gather(stop, reader, *loops, return_exceptions=True)
            with suppress(EventStoreError):  # an unacknowledged event is delivered again, as a duplicate
                await self._acknowledgements.tell()

    def _forget_lanes(self) -> None:
        for lane in self._lanes.values():
            if lane.timer:
                lane.timer.cancel()
        self._lanes.clear()
        self._suspects.clear()

    async def _read(self) -> NoReturn:
        call = self._subscriber.stream()
        try:
            await call.write(
                StreamingPullRequest(
                    subscription=self._subscription,
                    stream_ack_deadline_seconds=DEADLINE_SECONDS,
                    client_id=str(uuid4()),
                    max_outstanding_messages=self._most_streamed,
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

    @property
    def _most_streamed(self) -> int:
        return HELD_PER_WORKER * self._concurrency

    def _add(self, received: Any) -> None:
        key = received.message.ordering_key or received.ack_id
        if key in self._acknowledgements.refused_keys:
            return  # sent before Pub/Sub processed the rejection: it is delivered again behind that message
        self._acknowledgements.held.add(received.ack_id)
        lane = self._lanes.get(key)
        if lane is not None:
            lane.messages.append(received)
            return
        self._lanes[key] = lane = _Lane(deque((received,)))
        self._enqueue(key, lane)

    async def _work(self) -> NoReturn:
        while True:
            key = await self._ready.get()
            await self._outage.pause()
            await self._may_begin.wait()
            await self._take(key)

    async def _work_alone(self) -> NoReturn:
        """Handle suspects while nothing else is in hand and all earlier messages are settled."""
        while True:
            await self._suspects.wait()
            self._may_begin.clear()
            await self._is_idle.wait()
            await asyncio.sleep(GATHER_SECONDS)
            for key in self._suspects.take():
                await self._acknowledgements.tell()
                await self._take(key)
            await self._acknowledgements.tell()
            self._may_begin.set()

    async def _take(self, key: str) -> None:
        lane = self._lanes.get(key)
        if lane is None:
            return  # it is stopping
        self._in_hand += 1
        self._is_idle.clear()
        try:
            outcome = await self._handle(lane)
        finally:
            self._in_hand -= 1
            if not self._in_hand:
                self._is_idle.set()
        self._settle(key, lane, outcome)

    def _enqueue(self, key: str, lane: _Lane) -> None:
        lane.timer = None
        if self._suspects.is_one(lane.messages[0]):
            self._suspects.add(key, lane.messages[0])
        else:
            self._ready.put_nowait(key)

    def _settle(self, key: str, lane: _Lane, outcome: _Outcome) -> None:
        is_known = self._lanes.get(key) is lane  # else it is stopping
        match outcome:
            case _Outcome.DONE:
                self._acknowledgements.acknowledge(lane.messages.popleft().ack_id)
                lane.backoff.reset()
                lane.strikes, lane.passes = 0, None
                if lane.messages and is_known:
                    self._enqueue(key, lane)
                    return
            case _Outcome.REFUSED:
                self._acknowledgements.refuse(key, [received.ack_id for received in lane.messages])
            case _Outcome.NOT_NOW if is_known:
                loop = asyncio.get_running_loop()
                lane.timer = loop.call_later(lane.backoff.next_seconds(), self._enqueue, key, lane)
                return
        if is_known:
            del self._lanes[key]

    async def _handle(self, lane: _Lane) -> _Outcome:
        """Call the handler with the lane's first message; return the outcome."""
        received = lane.messages[0]
        place = {"event_id": received.message.attributes.get("event_id", "")}
        try:
            event = recorded_event(received.message.data)
            async with asyncio.timeout(LONGEST_SECONDS):
                await self._handler(event, received.delivery_attempt)
        except NOT_NOW as error:
            if isinstance(error, ConfigurationError) and self._strikes(lane) >= MOST_STRIKES:
                return self._refused(received, error)
            logger.warning("cannot handle an event, retrying: %s", error, extra=place)
            self._outage.failed(error)
            return _Outcome.NOT_NOW
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            return self._refused(received, error)
        except Exception as error:  # noqa: BLE001 # whatever the user's code raises
            return self._refused(received, error)
        finally:
            self._suspects.survived(received)
        self._outage.passed()
        return _Outcome.DONE

    def _strikes(self, lane: _Lane) -> int:
        """Count a strike if another message was handled since the last one; return the number of strikes."""
        if lane.passes is not None and self._outage.passes > lane.passes:
            lane.strikes += 1
        lane.passes = self._outage.passes
        return lane.strikes

    def _refused(self, received: Any, error: BaseException) -> _Outcome:
        said = {
            "event_id": received.message.attributes.get("event_id", ""),
            "attempt": received.delivery_attempt,
        }
        logger.error("event rejected: %r", error, extra=said, exc_info=error)
        self._outage.refused(received.message.message_id)
        return _Outcome.REFUSED


def _raise_its_end(task: asyncio.Task[Any]) -> None:
    """Raise the reason why a task of a stream ended; none ends without an error."""
    if task.cancelled():  # by a cancelled call, or by a handler that cancels its own task
        raise UnavailableError("a task of the stream was cancelled")
    task.result()
