"""Pull, acknowledge and hold messages of Pub/Sub, and seek; by the raw methods, as in `publisher.py`."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import grpc
from google.protobuf.timestamp_pb2 import Timestamp

from event_store.errors import ConfigurationError, EventStoreError, UnavailableError
from event_store.pubsub import messages_pb2
from event_store.pubsub.channel import PubsubConnection
from event_store.pubsub.messages_pb2 import StreamingPullRequest, StreamingPullResponse

_SERVICE: Final = "/google.pubsub.v1.Subscriber/"
_REQUEST_SECONDS: Final = 10.0
_SEEK_SECONDS: Final = 60.0
# Google's limit is on the request's bytes, 512 KiB: https://cloud.google.com/pubsub/quotas#resource_limits
_REQUEST_ACK_IDS: Final = 1000
_OPERATOR: Final = (
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.PERMISSION_DENIED,
    grpc.StatusCode.UNAUTHENTICATED,
)


class Subscriber(PubsubConnection):
    """Pulls messages over one connection to Pub/Sub.

    Subscriptions have their full name, `projects/PROJECT/subscriptions/NAME`.
    """

    async def pull(self, subscription: str, messages: int, timeout_seconds: float) -> Sequence[Any]:
        """Pull `ReceivedMessage`s, or wait for the first ones; return none after the timeout.

        Args:
            subscription: The full name of the subscription.
            messages: The highest number of messages, 1 to 1,000.
            timeout_seconds: How long to wait if there are none.

        Raises:
            ConfigurationError: The subscription does not exist, or this identity may not pull from it.
            UnavailableError: Pub/Sub is unreachable.
        """
        try:
            response = await self._call("Pull", timeout_seconds, subscription, max_messages=messages)
        except grpc.aio.AioRpcError as failure:
            if failure.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
                return ()
            raise to_error(failure, subscription) from None
        received: Sequence[Any] = response.received_messages
        return received

    async def acknowledge(self, subscription: str, ack_ids: Sequence[str]) -> None:
        """Acknowledge messages, so that they are not delivered again.

        Raises:
            EventStoreError: As for `pull`.
        """
        await self._settle("Acknowledge", subscription, ack_ids)

    async def hold(self, subscription: str, ack_ids: Sequence[str], seconds: int) -> None:
        """Set the deadline of messages to 0 to 600 seconds from now; 0 returns them to Pub/Sub.

        Raises:
            EventStoreError: As for `pull`.
        """
        await self._settle("ModifyAckDeadline", subscription, ack_ids, ack_deadline_seconds=seconds)

    async def seek(self, subscription: str, moment: datetime) -> None:
        """Deliver messages again that were published at a time or later; acknowledge all earlier ones.

        Raises:
            EventStoreError: As for `pull`.
        """
        time = Timestamp()
        time.FromDatetime(moment)
        try:
            await self._call("Seek", _SEEK_SECONDS, subscription, time=time)
        except grpc.aio.AioRpcError as failure:
            raise to_error(failure, subscription) from None

    def stream(self) -> Any:
        """Start a StreamingPull call and return it."""
        return self._opened().stream_stream(
            f"{_SERVICE}StreamingPull",
            request_serializer=StreamingPullRequest.SerializeToString,
            response_deserializer=StreamingPullResponse.FromString,
        )()

    async def _settle(self, method: str, subscription: str, ack_ids: Sequence[str], **fields: Any) -> None:
        try:
            for start in range(0, len(ack_ids), _REQUEST_ACK_IDS):
                some = ack_ids[start : start + _REQUEST_ACK_IDS]
                await self._call(method, _REQUEST_SECONDS, subscription, ack_ids=some, **fields)
        except grpc.aio.AioRpcError as failure:
            raise to_error(failure, subscription) from None

    async def _call(self, method: str, timeout_seconds: float, subscription: str, **fields: Any) -> Any:
        request = getattr(messages_pb2, f"{method}Request")(subscription=subscription, **fields)
        # All methods but Pull answer with an empty message, which any message type can parse.
        response = messages_pb2.PullResponse
        call = self._opened().unary_unary(
            _SERVICE + method,
            request_serializer=type(request).SerializeToString,
            response_deserializer=response.FromString,
        )
        routing = (("x-goog-request-params", f"subscription={subscription}"),)
        return await call(request, timeout=timeout_seconds, metadata=routing)


def to_error(failure: grpc.aio.AioRpcError, subscription: str) -> EventStoreError:
    """Convert an error of Pub/Sub."""
    said = f"{failure.code().name}: {failure.details()}"
    if failure.code() in _OPERATOR:
        return ConfigurationError(
            f"cannot pull from {subscription} ({said}): check that it exists in this project and grant this "
            "identity roles/pubsub.subscriber"
        )
    return UnavailableError(f"cannot pull from {subscription} ({said})")
