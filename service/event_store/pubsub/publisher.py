"""Publish requests to Pub/Sub, and the only place that turns its errors into ours.

The raw method is called with protobuf messages: of Google's two clients, the high-level one starts a thread
per batch, waits without limit when ordered and pauses keys that it cannot list, and the generated one spends
more time wrapping a request of few messages than sending it.
"""

from collections.abc import Sequence
from typing import Any, Final

import grpc

from event_store.errors import InvalidArgumentError, UnavailableError
from event_store.pubsub.channel import open_channel
from event_store.pubsub.messages_pb2 import PublishRequest, PublishResponse

# Google's limits: https://cloud.google.com/pubsub/quotas#resource_limits
REQUEST_MESSAGES: Final = 1000
REQUEST_BYTES: Final = 9_900_000  # 10 MB, less the request's own fields

# The service answers thus when it will never take this request, however often it comes.
_REFUSALS: Final = (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.OUT_OF_RANGE)


class Publisher:
    """A connection to Pub/Sub to publish on."""

    def __init__(self) -> None:
        self._channel: grpc.aio.Channel | None = None
        self._publish: Any = None

    async def open(self) -> None:
        """Prepare the connection, which is made by the first request. Opening twice is harmless.

        Raises:
            ConfigurationError: There are no credentials.
        """
        if self._channel is not None:
            return
        self._channel = await open_channel()
        self._publish = self._channel.unary_unary(
            "/google.pubsub.v1.Publisher/Publish",
            request_serializer=PublishRequest.SerializeToString,
            response_deserializer=PublishResponse.FromString,
        )

    async def close(self) -> None:
        """Drop the connection. Closing twice is harmless."""
        channel, self._channel = self._channel, None
        if channel is not None:
            await channel.close()

    async def publish(self, topic: str, messages: Sequence[Any], timeout_seconds: float) -> None:
        """Publish messages of one ordering key, all or none.

        Args:
            topic: `projects/PROJECT/topics/NAME`.
            messages: `PubsubMessage`s, 1 to 1,000, of one ordering key.
            timeout_seconds: After this long it is unknown whether they were published.

        Raises:
            InvalidArgumentError: At least one of them can never be published.
            UnavailableError: They may be published later: Pub/Sub is away, is overloaded, or refuses what an
                operator can change, such as a missing topic or role.
        """
        request = PublishRequest(topic=topic, messages=messages)
        _refuse_oversize(request)
        try:
            await self._publish(
                request, timeout=timeout_seconds, metadata=(("x-goog-request-params", f"topic={topic}"),)
            )
        except grpc.aio.AioRpcError as failure:
            said = f"{failure.code().name}: {failure.details()}"
            if failure.code() in _REFUSALS:
                raise InvalidArgumentError.of("message", f"Pub/Sub refuses it ({said})") from None
            raise UnavailableError(f"Pub/Sub does not take messages for {topic} ({said})") from None


def _refuse_oversize(request: Any) -> None:
    # Only data can be too large: schema and `event_message.py` keep attributes and keys below their limits.
    size_bytes = request.ByteSize()
    if size_bytes > REQUEST_BYTES:
        raise InvalidArgumentError.of(
            "message", f"has {size_bytes} bytes with its attributes, above {REQUEST_BYTES}"
        )
