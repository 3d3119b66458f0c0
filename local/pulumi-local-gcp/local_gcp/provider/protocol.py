"""The calls of Pulumi's provider protocol, implemented by the local Google Cloud.

Secrets arrive as plain values, since no answer to `Configure` asks for marked ones; the engine keeps them
secret in its state by itself.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from google.protobuf.empty_pb2 import Empty
from pulumi.runtime.proto import plugin_pb2
from pulumi.runtime.proto import provider_pb2 as pb

from local_gcp.provider.cloud import Cloud
from local_gcp.provider.data_sources import look_up
from local_gcp.provider.diff import changes, deletes_first
from local_gcp.resource import Limits
from local_gcp.resource.errors import CloudError
from local_gcp.resource.place import Place
from local_gcp.resource.properties import Properties, from_struct, is_known, to_struct
from local_gcp.rights.asked import CONFIGURE, GONE_WITHOUT_RIGHTS, LOOKED_UP, Call, asked
from local_gcp.rights.callers import service_account
from local_gcp.rights.rights import DeniedError
from local_gcp.rights.sessions import Sessions

Answer = Callable[[Any, str], Awaitable[Any]]  # takes a request and its connection

_NONE: Final = pb.DiffResponse.DIFF_NONE
_SOME: Final = pb.DiffResponse.DIFF_SOME
_VERSION: Final = "10.2.0"  # of the real provider
_SUFFIX_DIGITS: Final = 7


class ProviderCalls:
    """The engine's calls.

    Args:
        cloud: Executes the calls.
        sessions: Identify the caller of each connection.
    """

    def __init__(self, cloud: Cloud, sessions: Sessions) -> None:
        self._cloud = cloud
        self._sessions = sessions

    @property
    def all(self) -> Mapping[str, tuple[Any, Answer]]:
        """The request message and the implementation of each call, by the protocol's names."""
        return {
            "Handshake": (pb.ProviderHandshakeRequest, self._handshake),
            "Attach": (plugin_pb2.PluginAttach, self._attach),
            "GetPluginInfo": (Empty, self._plugin_info),
            "GetSchema": (pb.GetSchemaRequest, self._schema),
            "CheckConfig": (pb.CheckRequest, self._check_config),
            "DiffConfig": (pb.DiffRequest, self._diff_config),
            "Configure": (pb.ConfigureRequest, self._configure),
            "Invoke": (pb.InvokeRequest, self._invoke),
            "Check": (pb.CheckRequest, self._check),
            "Diff": (pb.DiffRequest, self._diff),
            "Create": (pb.CreateRequest, self._create),
            "Read": (pb.ReadRequest, self._read),
            "Update": (pb.UpdateRequest, self._update),
            "Delete": (pb.DeleteRequest, self._delete),
        }

    async def _handshake(self, _request: Any, _peer: str) -> Any:
        return pb.ProviderHandshakeResponse()

    async def _attach(self, _request: Any, _peer: str) -> Any:
        return Empty()

    async def _plugin_info(self, _request: Any, _peer: str) -> Any:
        return plugin_pb2.PluginInfo(version=_VERSION)

    async def _schema(self, _request: Any, _peer: str) -> Any:
        return pb.GetSchemaResponse(schema="{}")

    async def _check_config(self, request: Any, _peer: str) -> Any:
        return pb.CheckResponse(inputs=request.news)

    async def _diff_config(self, request: Any, _peer: str) -> Any:
        return pb.DiffResponse(changes=_NONE if request.old_inputs == request.news else _SOME)

    async def _configure(self, request: Any, peer: str) -> Any:
        config = from_struct(request.args)
        caller = self._sessions.configure(peer, config)
        if "project" in config or "region" in config:  # not docker-build's
            self._cloud.records.place = Place(str(config.get("project", "")), str(config.get("region", "")))
            for permission in CONFIGURE:
                self._cloud.rights.warn(caller, permission, f"projects/{config.get('project', '')}")
        return pb.ConfigureResponse(supportsPreview=True)

    async def _invoke(self, request: Any, peer: str) -> Any:
        response = pb.InvokeResponse()
        arguments, caller = from_struct(request.args), self._sessions.caller(peer)
        project = f"projects/{self._cloud.records.place.of(arguments).project}"
        for permission in LOOKED_UP.get(request.tok, ()):
            self._cloud.rights.check(caller, permission, project)
        answer = look_up(request.tok, arguments, self._cloud.records, knows_others=self._cloud.knows_others)
        getattr(response, "return").CopyFrom(to_struct(answer))
        return response

    async def _check(self, request: Any, _peer: str) -> Any:
        limits = self._cloud.kind(_type(request)).limits
        named = _with_name(limits, request, from_struct(request.olds), from_struct(request.news))
        inputs, failures = await asyncio.to_thread(limits.check, named)  # its first call loads the SDK
        return pb.CheckResponse(
            inputs=to_struct(inputs),
            failures=[pb.CheckFailure(property=each.path, reason=each.reason) for each in failures],
        )

    async def _diff(self, request: Any, _peer: str) -> Any:
        kind = self._cloud.kind(_type(request))
        if record := self._cloud.records.find(_type(request), request.id):
            self._cloud.records.confirm(record)
        old, new = from_struct(request.old_inputs), from_struct(request.news)
        found = changes(kind.limits, old, new)
        drifted: tuple[str, ...] = ()
        if is_known(new):
            drifted = await asyncio.to_thread(kind.drifted, from_struct(request.olds), new)
        replaces = [change.path for change in found if change.replaces]
        return pb.DiffResponse(
            changes=_SOME if found or drifted else _NONE,
            diffs=sorted({*drifted, *(change.path.split(".")[0].split("[")[0] for change in found)}),
            replaces=replaces,
            deleteBeforeReplace=bool(replaces) and deletes_first(kind.limits, old, new),
            detailedDiff={
                **{name: pb.PropertyDiff(kind=pb.PropertyDiff.UPDATE) for name in drifted},
                **{change.path: pb.PropertyDiff(kind=_kind(change), inputDiff=True) for change in found},
            },
            hasDetailedDiff=True,
        )

    async def _create(self, request: Any, peer: str) -> Any:
        inputs = from_struct(request.properties)
        if request.preview:
            planned = self._cloud.kind(_type(request)).planned(inputs)
            return pb.CreateResponse(properties=to_struct(planned))
        kind = self._cloud.kind(_type(request))
        self._judge(
            peer, "create", kind.limits.type, kind.identify(inputs, self._cloud.records.place), inputs
        )
        record = await self._cloud.create(kind.limits.type, request.urn, inputs)
        return pb.CreateResponse(id=record.id, properties=to_struct(record.outputs))

    async def _read(self, request: Any, peer: str) -> Any:
        found = self._cloud.records.find(_type(request), request.id)
        if found is not None:
            try:
                self._judge(peer, "read", found.type, found.id, found.inputs)
            except DeniedError:
                if found.type not in GONE_WITHOUT_RIGHTS:
                    raise
                return pb.ReadResponse()
        record = await self._cloud.read(_type(request), request.id)
        if record is None:
            return pb.ReadResponse()
        return pb.ReadResponse(
            id=record.id, properties=to_struct(record.outputs), inputs=to_struct(record.inputs)
        )

    async def _update(self, request: Any, peer: str) -> Any:
        inputs = from_struct(request.news)
        if request.preview:
            planned = self._cloud.kind(_type(request)).planned(inputs, from_struct(request.olds))
            return pb.UpdateResponse(properties=to_struct(planned))
        record = self._cloud.records.find(_type(request), request.id)
        if record is None:
            raise CloudError(
                f"googleapi: Error 404: {request.id} is not there: run `pulumi refresh`, notFound"
            )
        self._judge(peer, "update", record.type, record.id, inputs)
        updated = await self._cloud.update(record, inputs)
        return pb.UpdateResponse(properties=to_struct(updated.outputs))

    async def _delete(self, request: Any, peer: str) -> Any:
        if record := self._cloud.records.find(_type(request), request.id):
            self._judge(peer, "delete", record.type, record.id, record.inputs)
            await self._cloud.delete(record, request.urn)
        return Empty()

    def _judge(self, peer: str, call: Call, resource_type: str, identity: str, inputs: Properties) -> None:
        """Reject a call if the caller, or a service agent that takes part in it, lacks a permission."""
        caller, place = self._sessions.caller(peer, resource_type), self._cloud.records.place
        for ask in asked(call, resource_type, identity, inputs, place):
            by = service_account(place.of(inputs).service_agent(ask.agent)) if ask.agent else caller
            self._cloud.rights.check(by, ask.permission, ask.resource, modified_roles=ask.modified_roles)


def _type(request: Any) -> str:
    """Return the resource type, which older engines send only in the URN."""
    return str(request.type or request.urn.split("::")[2].split("$")[-1])


def _kind(change: Any) -> Any:
    return pb.PropertyDiff.Kind.Value(f"{change.kind}_REPLACE" if change.replaces else change.kind)


def _with_name(limits: Limits, request: Any, old: Properties, new: Properties) -> Properties:
    """Fill in a permanent name like `net-2647f7c` if the program leaves the name to Pulumi."""
    if not limits.autonamed or limits.name in new:
        return new
    if limits.name in old:
        return {**new, limits.name: old[limits.name]}
    dice = random.Random(bytes(request.randomSeed))  # noqa: S311 # no secret, and has to be repeatable
    suffix = dice.randbytes(_SUFFIX_DIGITS).hex()[:_SUFFIX_DIGITS]
    logical = request.urn.split("::")[-1].lower()
    return {**new, limits.name: f"{logical[: limits.autonamed - _SUFFIX_DIGITS - 1]}-{suffix}"}
