"""The gRPC face of the local Google Cloud: what Pulumi's engine takes for the providers gcp and docker-build.

The engine attaches to it through PULUMI_DEBUG_PROVIDERS and speaks the protocol of
https://github.com/pulumi/pulumi/blob/master/proto/pulumi/provider.proto. Secrets come as plain values, since
no answer to `Configure` asks for marked ones; the engine keeps them secret in its state by itself.

Invariant: every call that changes something is a task in `_running`, so `Cancel` ends them all, and so does
the loss of the engine's connection, which cancels the task that serves it.
"""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import grpc
import grpc.aio
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.empty_pb2 import Empty
from google.rpc.status_pb2 import Status
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from event_store.errors import EventStoreError
from local.changes import changes, deletes_first
from local.cloud import Cloud
from local.data_sources import look_up
from local.errors import CloudError, NotReadyError
from local.limits.table import Limits
from local.place import Place
from local.properties import Properties, from_struct, is_known, to_struct

STOP_SECONDS: Final = 1.0
_SUFFIX_DIGITS: Final = 7
_PROVIDERS: Final = ("gcp", "docker-build")
_OPTIONS: Final = (("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1))


class Provider(provider_pb2_grpc.ResourceProviderServicer):
    """One gRPC server for both providers: `async with Provider(cloud) as provider: ... provider.attachment`.

    Args:
        cloud: What it gives access to.
        handlers: More that the server answers.
    """

    def __init__(self, cloud: Cloud, *handlers: grpc.GenericRpcHandler) -> None:
        self._cloud = cloud
        self._handlers = handlers
        self._server: Any = None
        self._running: set[asyncio.Task[Any]] = set()
        self.attachment = ""

    async def __aenter__(self) -> "Provider":
        self._server = grpc.aio.server(options=_OPTIONS)
        provider_pb2_grpc.add_ResourceProviderServicer_to_server(self, self._server)
        self._server.add_generic_rpc_handlers(self._handlers)
        port = self._server.add_insecure_port("127.0.0.1:0")
        await self._server.start()
        self.attachment = ",".join(f"{name}:{port}" for name in _PROVIDERS)  # for PULUMI_DEBUG_PROVIDERS
        return self

    async def __aexit__(self, *_: object) -> None:
        self._cancel()
        await self._server.stop(STOP_SECONDS)

    async def Handshake(self, _request: Any, _context: Any) -> Any:
        return provider_pb2.ProviderHandshakeResponse()

    async def Attach(self, _request: Any, _context: Any) -> Any:
        return Empty()

    async def GetPluginInfo(self, _request: Any, _context: Any) -> Any:
        return plugin_pb2.PluginInfo(version="10.2.0")

    async def GetSchema(self, _request: Any, _context: Any) -> Any:
        return provider_pb2.GetSchemaResponse(schema="{}")

    async def CheckConfig(self, request: Any, _context: Any) -> Any:
        return provider_pb2.CheckResponse(inputs=request.news)

    async def DiffConfig(self, request: Any, _context: Any) -> Any:
        same = from_struct(request.old_inputs) == from_struct(request.news)
        return provider_pb2.DiffResponse(changes=_NONE if same else _SOME)

    async def Configure(self, request: Any, _context: Any) -> Any:
        config = from_struct(request.args)
        if "project" in config or "region" in config:  # not docker-build's
            self._cloud.place = Place(str(config.get("project", "")), str(config.get("region", "")))
        return provider_pb2.ConfigureResponse(supportsPreview=True)

    async def Invoke(self, request: Any, context: Any) -> Any:
        async with self._answering(context):
            answer = look_up(request.tok, from_struct(request.args), self._cloud.place)
            response = provider_pb2.InvokeResponse()
            getattr(response, "return").CopyFrom(to_struct(answer))
            return response

    async def Check(self, request: Any, context: Any) -> Any:
        async with self._answering(context):
            limits = self._cloud.kind(_type(request)).limits
            named = _with_name(limits, request, from_struct(request.olds), from_struct(request.news))
            inputs, failures = await asyncio.to_thread(limits.check, named)  # its first call loads the SDK
            return provider_pb2.CheckResponse(
                inputs=to_struct(inputs),
                failures=[
                    provider_pb2.CheckFailure(property=each.path, reason=each.reason) for each in failures
                ],
            )

    async def Diff(self, request: Any, context: Any) -> Any:
        async with self._answering(context):
            kind = self._cloud.kind(_type(request))
            if record := self._cloud.records.find(_type(request), request.id):
                self._cloud.records.confirm(record)
            old, new = from_struct(request.old_inputs), from_struct(request.news)
            found = changes(kind.limits, old, new)
            drifted: tuple[str, ...] = ()
            if is_known(new):
                drifted = await asyncio.to_thread(kind.drifted, from_struct(request.olds), new)
            detailed = {
                change.path: provider_pb2.PropertyDiff(
                    kind=_kind(change.kind, replaces=change.replaces), inputDiff=True
                )
                for change in found
            } | {name: provider_pb2.PropertyDiff(kind=_kind("UPDATE")) for name in drifted}
            replaces = [change.path for change in found if change.replaces]
            return provider_pb2.DiffResponse(
                changes=_SOME if detailed else _NONE,
                diffs=sorted({path.split(".")[0].split("[")[0] for path in detailed}),
                replaces=replaces,
                deleteBeforeReplace=bool(replaces) and deletes_first(kind.limits, old, new),
                detailedDiff=detailed,
                hasDetailedDiff=True,
            )

    async def Create(self, request: Any, context: Any) -> Any:
        async with self._answering(context):
            inputs = from_struct(request.properties)
            if request.preview:
                planned = self._cloud.kind(_type(request)).planned(inputs)
                return provider_pb2.CreateResponse(properties=to_struct(planned))
            record = await self._cloud.create(_type(request), request.urn, inputs)
            return provider_pb2.CreateResponse(id=record.id, properties=to_struct(record.outputs))

    async def Read(self, request: Any, context: Any) -> Any:
        async with self._answering(context):
            record = await self._cloud.read(_type(request), request.id)
            if record is None:
                return provider_pb2.ReadResponse()
            return provider_pb2.ReadResponse(
                id=record.id, properties=to_struct(record.outputs), inputs=to_struct(record.inputs)
            )

    async def Update(self, request: Any, context: Any) -> Any:
        async with self._answering(context):
            inputs = from_struct(request.news)
            if request.preview:
                planned = self._cloud.kind(_type(request)).planned(inputs, from_struct(request.olds))
                return provider_pb2.UpdateResponse(properties=to_struct(planned))
            record = self._cloud.records.find(_type(request), request.id)
            if record is None:
                raise CloudError(
                    f"googleapi: Error 404: {request.id} is not there: run `pulumi refresh`, notFound"
                )
            updated = await self._cloud.update(record, inputs)
            return provider_pb2.UpdateResponse(properties=to_struct(updated.outputs))

    async def Delete(self, request: Any, context: Any) -> Any:
        async with self._answering(context):
            if record := self._cloud.records.find(_type(request), request.id):
                await self._cloud.delete(record)
            return Empty()

    async def Cancel(self, _request: Any, _context: Any) -> Any:
        self._cancel()
        return Empty()

    def _cancel(self) -> None:
        for task in tuple(self._running):
            task.cancel()

    @asynccontextmanager
    async def _answering(self, context: Any) -> AsyncIterator[None]:
        """Turn our errors into the engine's, and make the call one that `Cancel` ends."""
        task: asyncio.Task[Any] = asyncio.current_task()  # type: ignore[assignment] # a call is always in one
        self._running.add(task)
        try:
            yield
        except NotReadyError as error:
            await context.abort(grpc.StatusCode.UNKNOWN, str(error), _partly(error))
        except EventStoreError as error:
            await context.abort(grpc.StatusCode.UNKNOWN, str(error))
        finally:
            self._running.discard(task)


_NONE: Final = provider_pb2.DiffResponse.DIFF_NONE
_SOME: Final = provider_pb2.DiffResponse.DIFF_SOME


def _type(request: Any) -> str:
    """Return the resource type that an URN ends its type chain with."""
    return str(request.type or request.urn.split("::")[2].split("$")[-1])


def _kind(change: str, *, replaces: bool = False) -> Any:
    return provider_pb2.PropertyDiff.Kind.Value(f"{change}_REPLACE" if replaces else change)


def _with_name(limits: Limits, request: Any, old: Properties, new: Properties) -> Properties:
    """Give a resource a name like `net-2647f7c` where the program leaves it to Pulumi; it keeps it for life."""
    if not limits.autonamed or limits.name in new:
        return new
    if limits.name in old:
        return {**new, limits.name: old[limits.name]}
    suffix = random.Random(bytes(request.randomSeed)).randbytes(_SUFFIX_DIGITS).hex()[:_SUFFIX_DIGITS]  # noqa: S311 # a name
    logical = request.urn.split("::")[-1].lower()
    return {**new, limits.name: f"{logical[: limits.autonamed - _SUFFIX_DIGITS - 1]}-{suffix}"}


def _partly(error: NotReadyError) -> tuple[tuple[str, bytes], ...]:
    """Return the trailing metadata that tells the engine to keep the resource, and to try again next time."""
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
