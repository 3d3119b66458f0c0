"""The method Pull of google.pubsub.v1.Subscriber."""

import asyncio
from typing import Any

import grpc

from local.pubsub import wire
from local.pubsub.catalog import Catalog
from local.pubsub.consumer import Consumer
from local.pubsub.errors import PubSubError
from local.pubsub.limits import PULL_MESSAGES, check_range
from local.pubsub.rpc import abort, serialize

WAIT_SECONDS = (
    20  # Google answers an empty pull "after a bounded amount of time"; callers have 60 s by default
)


def pull_handler(catalog: Catalog) -> grpc.RpcMethodHandler:
    """The gRPC handler of Pull."""

    async def call(request: Any, context: Any) -> Any:
        try:
            return await pull(catalog, request)
        except PubSubError as error:
            await abort(context, error)

    return grpc.unary_unary_rpc_method_handler(
        call, request_deserializer=wire.PullRequest.FromString, response_serializer=serialize
    )


async def pull(catalog: Catalog, request: Any) -> Any:
    """Answer with what waits, or with the first that comes within WAIT_SECONDS, or with nothing."""
    check_range("max_messages", request.max_messages, (1, 2**31 - 1), "messages")
    subscription = catalog.subscription(request.subscription)
    limit = min(request.max_messages, PULL_MESSAGES)
    response = wire.PullResponse()
    consumer = Consumer(stays=False)
    subscription.open(consumer)
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            while not (taken := subscription.take(consumer, limit)) and not request.return_immediately:
                await consumer.woken()
    except TimeoutError:
        return response
    finally:
        subscription.close(consumer)
    subscription.write(taken, response.received_messages)
    return response
