"""Take messages from Pub/Sub: the other side of `publisher.py`, by the raw methods for the same reasons."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import grpc
from google.protobuf.timestamp_pb2 import Timestamp

from event_store.errors import ConfigurationError, EventStoreError, UnavailableError
from event_store.pubsub import messages_pb2
from event_store.pubsub.channel import open_channel
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


class Subscriber:
    """A connection to Pub/Sub to take messages from.

    Subscriptions are named in full, `projects/PROJECT/subscriptions/NAME`.
    """

    def __init__(self) -> None:
        self._channel: grpc.aio.Channel | None = None

    async def open(self) -> None:
        """Prepare the connection, which is made by the first request. Opening twice is harmless.

        Raises:
            ConfigurationError: There are no credentials.
        """
        if self._channel is None:
            self._channel = await open_channel()

    async def close(self) -> None:
        """Drop the connection. Closing twice is harmless."""
        channel, self._channel = self._channel, None
        if channel is not None:
            await channel.close()

    async def pull(self, subscription: str, messages: int, timeout_seconds: float) -> Sequence[Any]:
        """Return what there is, or the first that comes, as `ReceivedMessage`s; none after the timeout.

        Args:
            subscription: The subscription.
            messages: How many at the most, 1 to 1,000.
            timeout_seconds: How long to wait if there is none.

        Raises:
            ConfigurationError: There is no such subscription, or no right to it.
            UnavailableError: Pub/Sub is away.
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
        """Be done with messages.

        Raises:
            EventStoreError: As for `pull`.
        """
        await self._settle("Acknowledge", subscription, ack_ids)

    async def hold(self, subscription: str, ack_ids: Sequence[str], seconds: int) -> None:
        """Keep messages from being delivered again for 0 to 600 seconds from now; 0 gives them back.

        Raises:
            EventStoreError: As for `pull`.
        """
        await self._settle("ModifyAckDeadline", subscription, ack_ids, ack_deadline_seconds=seconds)

    async def seek(self, subscription: str, moment: datetime) -> None:
        """Give everything again that was published at a time or later; all before it counts as acknowledged.

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
        """Return a new call of StreamingPull."""
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
        # All but Pull answer with nothing, of which any message can be read.
        response = messages_pb2.PullResponse
        call = self._opened().unary_unary(
            _SERVICE + method,
            request_serializer=type(request).SerializeToString,
            response_deserializer=response.FromString,
        )
        routing = (("x-goog-request-params", f"subscription={subscription}"),)
        return await call(request, timeout=timeout_seconds, metadata=routing)

    def _opened(self) -> grpc.aio.Channel:
        if self._channel is None:
            raise EventStoreError("the subscriber is not connected: open it first")
        return self._channel


def to_error(failure: grpc.aio.AioRpcError, subscription: str) -> EventStoreError:
    """Return our error for one of Pub/Sub's."""
    said = f"{failure.code().name}: {failure.details()}"
    if failure.code() in _OPERATOR:
        return ConfigurationError(
            f"Pub/Sub gives nothing of {subscription} ({said}): see that it exists in this project "
            "and that you have the role roles/pubsub.subscriber"
        )
    return UnavailableError(f"Pub/Sub does not serve {subscription} ({said})")
