"""The method StreamingPull of google.pubsub.v1.Subscriber: deliver messages on a stream.

Two tasks per stream: one reads the client's requests, one writes messages and confirmations.
The stream ends when the reader ends, for any reason; when the client disconnects, both are cancelled.

Invariants:
- When a stream ends, its leases end at once, even while a response to it cannot be written.
- After a nack the stream is handed nothing for `REST_SECONDS`, unless it sends another request first. So a
  client that nacks its messages and then closes does not receive them again.
- A client of protocol version >= 1 considers a silent stream dead. So the request that opens the stream
  and each empty request (a keep-alive) are answered at once.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import grpc

from pubsub_emulator import wire
from pubsub_emulator.access.permissions import Admit
from pubsub_emulator.api.rpc import abort, serialize
from pubsub_emulator.broker.catalog import Catalog
from pubsub_emulator.broker.dispatch.receiver import Receiver
from pubsub_emulator.broker.limits import ACK_DEADLINE_SECONDS, MODIFY_DEADLINE_SECONDS, check_range
from pubsub_emulator.broker.subscription import Subscription
from pubsub_emulator.errors import STALE, UNORDERED, InvalidArgumentError, PubSubError

if TYPE_CHECKING:
    from pubsub_emulator.broker.dispatch.ordering_lane import QueuedMessage

BATCH_MESSAGES = 1_000  # of one response
KEEP_ALIVE_VERSION = 1  # of the protocol; the clients for Go and Java speak it
REST_SECONDS = 0.05  # a nack by another call and the end of the stream arrive about a millisecond apart
_ONLY_FIRST = ("subscription", "max_outstanding_messages", "max_outstanding_bytes", "protocol_version")


def streaming_pull_handler(catalog: Catalog, admit: Admit) -> grpc.RpcMethodHandler:
    """Return the gRPC handler of StreamingPull."""

    async def call(requests: AsyncIterator[Any], context: Any) -> None:
        try:
            first = await anext(requests)
            admit(first, context)
            subscription = catalog.subscription(first.subscription)
            await Stream(subscription, first).run(requests, context)
        except PubSubError as error:
            await abort(context, error)
        except StopAsyncIteration:
            return

    return grpc.stream_stream_rpc_method_handler(
        call, request_deserializer=wire.StreamingPullRequest.FromString, response_serializer=serialize
    )


class Stream:
    """One StreamingPull call.

    Args:
        subscription: The subscription to pull from.
        first: The request that opened the stream, with its flow control.

    Raises:
        InvalidArgumentError: The stream's ack deadline is out of its range.
    """

    def __init__(self, subscription: Subscription, first: Any) -> None:
        self._subscription = subscription
        self._first = first
        self._deadline_seconds = _checked_deadline(first.stream_ack_deadline_seconds)
        self._consumer = Receiver(
            max_messages=first.max_outstanding_messages,
            max_bytes=first.max_outstanding_bytes,
            on_refusal=self._rest,
        )
        self._answer = wire.StreamingPullResponse()  # confirmations to send, with the next messages or alone
        self._has_answer = first.protocol_version >= KEEP_ALIVE_VERSION
        self._resting: asyncio.TimerHandle | None = None
        self._read_to_end = False

    async def run(self, requests: AsyncIterator[Any], context: Any) -> None:
        """Serve until the client closes or cancels the stream, or the subscription ends."""
        self._subscription.open(self._consumer)
        reader = asyncio.create_task(self._read(requests))
        try:
            while not self._read_to_end:
                response = self._next_response()
                if response is None:
                    await self._consumer.woken()
                else:
                    await context.write(response)
            if self._consumer.failure is not None:
                raise self._consumer.failure
        finally:
            self._subscription.close(self._consumer)
            self._go_on()
            reader.cancel()
            await asyncio.gather(reader, return_exceptions=True)

    async def _read(self, requests: AsyncIterator[Any]) -> None:
        try:
            self._obey(self._first)
            async for request in requests:
                self._go_on()
                if any(getattr(request, field) for field in _ONLY_FIRST):
                    raise InvalidArgumentError(
                        f"Only the first request of a stream may set {', '.join(_ONLY_FIRST)}."
                    )
                if request.stream_ack_deadline_seconds:
                    self._deadline_seconds = _checked_deadline(request.stream_ack_deadline_seconds)
                self._obey(request)
                if self._first.protocol_version >= KEEP_ALIVE_VERSION and not _settles(request):
                    self._has_answer = True
                    self._consumer.wake()
        except PubSubError as error:
            self._consumer.fail(error)
        finally:
            self._read_to_end = True
            self._subscription.close(self._consumer)
            self._consumer.wake()

    def _obey(self, request: Any) -> None:
        """Apply a request's acknowledgements and deadlines, and queue the confirmations asked for."""
        if len(request.modify_deadline_seconds) != len(request.modify_deadline_ack_ids):
            raise InvalidArgumentError(
                "modify_deadline_seconds and modify_deadline_ack_ids must have the same length."
            )
        for seconds in request.modify_deadline_seconds:
            check_range("modify_deadline_seconds", seconds, MODIFY_DEADLINE_SECONDS)
        subscription = self._subscription
        failures = subscription.acknowledge(request.ack_ids)
        modify_failures: dict[str, str] = {}
        for ack_id, seconds in zip(
            request.modify_deadline_ack_ids, request.modify_deadline_seconds, strict=True
        ):
            modify_failures |= subscription.modify_deadline((ack_id,), seconds)
        if subscription.settings.exactly_once and _settles(request):
            acknowledged = self._answer.acknowledge_confirmation
            _confirm(acknowledged, request.ack_ids, failures)
            acknowledged.unordered_ack_ids.extend(_failed(failures, UNORDERED))
            modified = self._answer.modify_ack_deadline_confirmation
            _confirm(modified, request.modify_deadline_ack_ids, modify_failures)
            self._has_answer = True
            self._consumer.wake()

    def _rest(self) -> None:
        """Pause delivery for `REST_SECONDS` after a nack: the client may be about to close."""
        if self._resting is None:
            self._resting = asyncio.get_running_loop().call_later(REST_SECONDS, self._go_on)

    def _go_on(self) -> None:
        if self._resting is not None:
            self._resting.cancel()
            self._resting = None
            self._consumer.wake()

    def _next_response(self) -> Any:
        """Return the next response to send; None if there is none."""
        taken: list[QueuedMessage] = []
        if self._resting is None:
            taken = self._subscription.take(self._consumer, BATCH_MESSAGES, self._deadline_seconds)
        if not taken and not self._has_answer:
            return None
        response = self._answer
        self._answer = wire.StreamingPullResponse()
        self._has_answer = False
        self._subscription.write(taken, response.received_messages)
        settings = self._subscription.settings
        response.subscription_properties.exactly_once_delivery_enabled = settings.exactly_once
        response.subscription_properties.message_ordering_enabled = settings.ordered
        return response


def _settles(request: Any) -> bool:
    """Return whether a request acknowledges messages or modifies deadlines; false for a keep-alive."""
    return bool(request.ack_ids or request.modify_deadline_ack_ids)


def _confirm(confirmation: Any, ack_ids: Iterable[str], failures: Mapping[str, str]) -> None:
    confirmation.ack_ids.extend(ack_id for ack_id in ack_ids if ack_id not in failures)
    confirmation.invalid_ack_ids.extend(_failed(failures, STALE))


def _failed(failures: Mapping[str, str], reason: str) -> list[str]:
    return [ack_id for ack_id, why in failures.items() if why == reason]


def _checked_deadline(seconds: int) -> int:
    check_range("stream_ack_deadline_seconds", seconds, ACK_DEADLINE_SECONDS)
    return seconds
