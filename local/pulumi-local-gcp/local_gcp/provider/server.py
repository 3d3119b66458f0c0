"""The gRPC server that Pulumi's engine uses in place of the providers gcp and docker-build.

The engine attaches to this server through PULUMI_DEBUG_PROVIDERS and speaks the protocol of
https://github.com/pulumi/pulumi/blob/master/proto/pulumi/provider.proto: see `protocol.py`.

Invariant: every open call is a task in `_running`. `Cancel` cancels all of them, and gRPC cancels those of an
engine whose connection is lost.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final, Self

import grpc
import grpc.aio
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.empty_pb2 import Empty
from google.rpc.status_pb2 import Status
from pulumi.runtime.proto import provider_pb2

from local_gcp.errors import LocalGcpError
from local_gcp.provider.cloud import Cloud
from local_gcp.provider.protocol import Answer, ProviderCalls
from local_gcp.resource.errors import NotReadyError
from local_gcp.resource.properties import to_struct
from local_gcp.rights.callers import OWNER, Caller
from local_gcp.rights.sessions import Sessions

STOP_SECONDS: Final = 1.0
_SERVICE: Final = "pulumirpc.ResourceProvider"
_PROVIDERS: Final = ("gcp", "docker-build")
_OPTIONS: Final = (
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    ("grpc.so_reuseport", 0),
)


class Provider:
    """One server for both providers: `async with Provider(cloud) as provider: ... provider.attachment`.

    Args:
        cloud: The cloud behind the calls.
        handlers: Further gRPC services of the server.
        caller: The identity of the credentials in the environment of the engine that is given this address.
        docker: The identity that Docker is logged in as; by default `caller`.
    """

    def __init__(
        self,
        cloud: Cloud,
        *handlers: grpc.GenericRpcHandler,
        caller: Caller = OWNER,
        docker: Caller | None = None,
    ) -> None:
        self._cloud = cloud
        self._calls = ProviderCalls(cloud, Sessions(cloud.rights, cloud.tokens, caller, docker or caller))
        self._handlers = handlers
        self._server: Any = None
        self._running: set[asyncio.Task[Any]] = set()
        self._reading: asyncio.Future[None] | None = None
        self.attachment = ""

    async def __aenter__(self) -> Self:
        # Done while the engine and the program start, so that the first resources need not wait for it.
        self._reading = asyncio.ensure_future(asyncio.to_thread(self._cloud.read_schemas))
        methods = {
            name: _method(request, self._answer(call)) for name, (request, call) in self._calls.all.items()
        }
        methods["Cancel"] = _method(Empty, self._cancel)
        self._server = grpc.aio.server(options=_OPTIONS)
        self._server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler(_SERVICE, methods), *self._handlers)
        )
        port = self._server.add_insecure_port("127.0.0.1:0")
        await self._server.start()
        self.attachment = ",".join(f"{name}:{port}" for name in _PROVIDERS)  # for PULUMI_DEBUG_PROVIDERS
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._cancel()
        await self._server.stop(STOP_SECONDS)
        if self._reading is not None:
            await self._reading

    def _answer(self, call: Answer) -> Callable[[Any, Any], Awaitable[Any]]:
        """Return a handler that turns our errors into the engine's."""

        async def handle(request: Any, context: Any) -> Any:
            task = asyncio.ensure_future(call(request, context.peer()))
            self._running.add(task)
            try:
                return await task
            except asyncio.CancelledError:
                if self._is_leaving():
                    raise
                await context.abort(grpc.StatusCode.ABORTED, "the update was cancelled")
            except NotReadyError as error:
                await context.abort(grpc.StatusCode.UNKNOWN, str(error), _partly(error))
            except (LocalGcpError, OSError) as error:
                await context.abort(grpc.StatusCode.UNKNOWN, str(error))
            finally:
                self._running.discard(task)

        return handle

    @staticmethod
    def _is_leaving() -> bool:
        """Tell whether the handler itself was cancelled, so that nobody waits for its answer."""
        task = asyncio.current_task()
        return task is not None and task.cancelling() > 0

    async def _cancel(self, *_: object) -> Empty:
        for task in tuple(self._running):
            task.cancel()
        return Empty()


def _method(request: Any, handler: Callable[[Any, Any], Awaitable[Any]]) -> grpc.RpcMethodHandler:
    return grpc.unary_unary_rpc_method_handler(
        handler,
        request_deserializer=request.FromString,
        response_serializer=lambda message: message.SerializeToString(),
    )


def _partly(error: NotReadyError) -> tuple[tuple[str, bytes], ...]:
    """Return the trailing metadata that makes the engine keep the resource, and retry next time."""
    detail = AnyMessage()
    detail.Pack(
        provider_pb2.ErrorResourceInitFailed(
            id=error.identity,
            properties=to_struct(error.outputs),
            inputs=to_struct(error.inputs),
            reasons=[str(error)],
        )
    )
    status = Status(code=grpc.StatusCode.UNKNOWN.value[0], message=str(error), details=[detail])
    return (("grpc-status-details-bin", status.SerializeToString()),)
