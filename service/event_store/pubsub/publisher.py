"""Publish messages to Pub/Sub, and convert its errors.

This calls the raw method with protobuf messages. Google's high-level client starts a thread per batch, waits
without limit when ordered, and pauses keys that it cannot list. The generated client spends more time
wrapping a request of few messages than sending it.
"""

from collections.abc import Sequence
from typing import Any, Final

import grpc

from event_store.errors import InvalidArgumentError, UnavailableError
from event_store.pubsub.channel import PubsubConnection
from event_store.pubsub.messages_pb2 import PublishRequest, PublishResponse

# Google's limits: https://cloud.google.com/pubsub/quotas#resource_limits
REQUEST_MESSAGES: Final = 1000
REQUEST_BYTES: Final = 9_900_000  # 10 MB, less the request's own fields

# With these codes the service rejects a request for good: a retry cannot help.
_REFUSALS: Final = (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.OUT_OF_RANGE)


class Publisher(PubsubConnection):
    """Publishes messages over one connection to Pub/Sub."""

    def __init__(self) -> None:
        super().__init__()
        self._publish: Any = None

    async def open(self) -> None:
        """Prepare the connection; the first request connects. Opening twice is harmless.

        Raises:
            ConfigurationError: There are no credentials.
            UnavailableError: The metadata server issues no token now.
        """
        await super().open()
        self._publish = self._opened().unary_unary(
            "/google.pubsub.v1.Publisher/Publish",
            request_serializer=PublishRequest.SerializeToString,
            response_deserializer=PublishResponse.FromString,
        )

    async def publish(self, topic: str, messages: Sequence[Any], timeout_seconds: float) -> None:
        """Publish messages of one ordering key, all or none.

        Args:
            topic: `projects/PROJECT/topics/NAME`.
            messages: 1 to 1,000 `PubsubMessage`s of one ordering key.
            timeout_seconds: The time limit; after it, the messages may have been published or not.

        Raises:
            InvalidArgumentError: Pub/Sub rejects at least one message for good.
            UnavailableError: A retry can help: Pub/Sub is unreachable or overloaded, or an operator has to
                add a missing topic or role.
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
                raise InvalidArgumentError.of("message", f"rejected by Pub/Sub ({said})") from None
            raise UnavailableError(f"cannot publish to {topic} ({said})") from None


def _refuse_oversize(request: Any) -> None:
    # Only the data can be too large: schema and `event_message.py` keep attributes and keys within limits.
    size_bytes = request.ByteSize()
    if size_bytes > REQUEST_BYTES:
        raise InvalidArgumentError.of(
            "message", f"has {size_bytes} bytes with its attributes, at most {REQUEST_BYTES} are allowed"
        )
