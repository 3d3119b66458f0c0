"""The method Pull of google.pubsub.v1.Subscriber."""

import asyncio
from typing import Any

import grpc

from pubsub_emulator import wire
from pubsub_emulator.access.permissions import Admit
from pubsub_emulator.api.rpc import abort, serialize
from pubsub_emulator.broker.catalog import Catalog
from pubsub_emulator.broker.dispatch.receiver import Receiver
from pubsub_emulator.broker.limits import PULL_MESSAGES, check_range
from pubsub_emulator.errors import PubSubError

WAIT_SECONDS = 20.0  # for the first message; Google: "a bounded amount of time"; clients' default: 60 s
MARGIN_SECONDS = 0.1  # before the caller's deadline: do not lease a message to a caller that has just left


def pull_handler(catalog: Catalog, admit: Admit) -> grpc.RpcMethodHandler:
    """Return the gRPC handler of Pull."""

    async def call(request: Any, context: Any) -> Any:
        try:
            admit(request, context)
            return await pull(catalog, request, context.time_remaining())
        except PubSubError as error:
            await abort(context, error)

    return grpc.unary_unary_rpc_method_handler(
        call, request_deserializer=wire.PullRequest.FromString, response_serializer=serialize
    )


async def pull(catalog: Catalog, request: Any, remaining_seconds: float | None) -> Any:
    """Return waiting messages, or wait for the first one; return an empty response after a time limit.

    Args:
        catalog: The resources.
        request: The PullRequest.
        remaining_seconds: Seconds until the caller's deadline; None if there is none.
    """
    check_range("max_messages", request.max_messages, (1, 2**31 - 1), "messages")
    subscription = catalog.subscription(request.subscription)
    limit = min(request.max_messages, PULL_MESSAGES)
    response = wire.PullResponse()
    wait_seconds = min(WAIT_SECONDS, (remaining_seconds or WAIT_SECONDS) - MARGIN_SECONDS)
    consumer = Receiver(stays=False)
    subscription.open(consumer)
    try:
        async with asyncio.timeout(wait_seconds):
            while not (taken := subscription.take(consumer, limit)) and not request.return_immediately:
                await consumer.woken()
    except TimeoutError:
        return response
    finally:
        subscription.close(consumer)
    subscription.write(taken, response.received_messages)
    return response
