"""Wrap plain methods as gRPC handlers; the only place that turns errors into statuses."""

from collections.abc import Callable, Mapping
from typing import Any

import grpc
import grpc.aio

from pubsub_emulator.access.permissions import Admit
from pubsub_emulator.errors import PubSubError

Method = Callable[[Any], Any]
Methods = Mapping[str, tuple[Any, Method]]
"""The request class and the handler function of each method, by name."""


def serialize(message: Any) -> bytes:
    """Serialize a protobuf message."""
    return bytes(message.SerializeToString())


async def abort(context: Any, error: PubSubError) -> None:
    """End a call with an error's status, message and details."""
    await context.abort(error.code, str(error), error.trailing_metadata())


def unary(request_class: Any, method: Method, admit: Admit) -> grpc.RpcMethodHandler:
    """Return a handler that calls `admit` and `method`, and turns their errors into a status."""

    async def call(request: Any, context: Any) -> Any:
        try:
            admit(request, context)
            return method(request)
        except PubSubError as error:
            await abort(context, error)

    return grpc.unary_unary_rpc_method_handler(
        call, request_deserializer=request_class.FromString, response_serializer=serialize
    )
