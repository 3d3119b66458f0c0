"""Every rpc of the contract has an example in the documents, and it runs."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any, Final

import grpc
import grpc.aio
import pytest

from event_store.cli.emulator_bus import create_bus
from event_store.model.events import RecordedEvent
from event_store.v1 import event_store_pb2 as pb
from tests.conftest import Addresses, TestDatabase
from tests.documents import examples, run, topology_of
from tests.event_store.command import PATIENCE_SECONDS
from tests.event_store.consumer.conftest import serving

# They run in this order, on one log that is empty at first. A document with examples is a line here.
DOCUMENTS: Final = (
    "howto/appending.md",
    "howto/importing.md",
    "howto/subscriptions.md",
    "howto/replaying.md",
)
PROJECT: Final = "project-of-documents"
SERVICE: Final = pb.DESCRIPTOR.services_by_name["EventStore"]


class _Enough(Exception):  # noqa: N818 # it is no error
    """What ends an example that would run for ever."""


class _Calls(grpc.aio.ServerInterceptor):  # type: ignore[misc] # gRPC has no types
    """Takes down the rpcs of the event store that reach the service."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    async def intercept_service(
        self, continuation: Callable[[Any], Awaitable[Any]], handler_call_details: Any
    ) -> Any:
        service, _, name = handler_call_details.method.removeprefix("/").partition("/")
        if service == SERVICE.full_name:
            self.names.add(name)
        return await continuation(handler_call_details)


async def _handle(event: RecordedEvent) -> None:
    assert event.global_position


async def _keep(position: int) -> None:
    assert position
    raise _Enough


async def test_every_rpc_is_called_by_an_example(
    addresses: Addresses, database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What reaches a service while the documents' examples run is the whole contract."""
    calls = _Calls()
    monkeypatch.setattr(grpc.aio, "server", partial(grpc.aio.server, interceptors=(calls,)))
    address = await addresses("embedded")
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", address)
    topology = topology_of("howto/replaying.md")
    await asyncio.to_thread(lambda: list(create_bus(topology, PROJECT, address)))
    routing = replace(topology.routing(PROJECT), unrouted="store-only")
    async with serving(database, routing, monkeypatch) as (client, target):
        given = {"client": client, "target": target, "checkpoint": 0, "handle": _handle, "keep": _keep}
        for document in DOCUMENTS:
            names = dict(given)
            for example in examples(document):
                with suppress(_Enough):
                    async with asyncio.timeout(PATIENCE_SECONDS):
                        await run(example, names)

    assert calls.names == {method.name for method in SERVICE.methods}
