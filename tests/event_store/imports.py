"""Calls of `ImportEvents`, with everything that a test does not care about filled in."""

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import grpc

from event_store.v1 import event_store_pb2 as pb
from tests.event_store.conftest import Service
from tests.event_store.requests import event

PATIENCE_SECONDS = 30.0
AGGREGATE_ID = str(uuid4())


def imported(version: int, aggregate_id: str = AGGREGATE_ID, **given: Any) -> pb.ImportedEvent:
    aggregate_type = given.pop("aggregate_type", "Vocabulary")
    return pb.ImportedEvent(
        aggregate_id=aggregate_id, aggregate_type=aggregate_type, event_version=version, event=event(**given)
    )


def history(size: int, aggregates: int = 1, data: bytes = b"{}") -> list[pb.ImportedEvent]:
    """Make a source: events of some new aggregates in turns."""
    ids = [str(uuid4()) for _ in range(aggregates)]
    return [imported(n // aggregates + 1, ids[n % aggregates], data=data) for n in range(size)]


def parts(events: Sequence[pb.ImportedEvent], size: int) -> list[pb.ImportEventsRequest]:
    return [pb.ImportEventsRequest(events=events[n : n + size]) for n in range(0, len(events), size)]


class ImportCall:
    """One call, in the steps of a test."""

    def __init__(self, stub: Any, import_id: str = "legacy") -> None:
        self.call = stub.ImportEvents()
        self._import_id = import_id

    async def begin(self) -> int:
        """Send the name; return how many events of the source are stored."""
        await self.send(pb.ImportEventsRequest(import_id=self._import_id))
        return await self.answer()

    async def send(self, *requests: pb.ImportEventsRequest) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            for each in requests:
                await self.call.write(each)

    async def answer(self) -> int:
        """Return the next answer's number of stored events."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            response = await self.call.read()
        assert response is not grpc.aio.EOF
        return int(response.stored_events)

    async def end(self) -> list[int]:
        """Send no more; return the answers that are left."""
        answers = []
        async with asyncio.timeout(PATIENCE_SECONDS):
            await self.call.done_writing()
            while (response := await self.call.read()) is not grpc.aio.EOF:
                answers.append(response.stored_events)
        return answers

    async def error(self) -> grpc.aio.AioRpcError:
        """Return why the service ended the call."""
        try:
            while True:
                await self.answer()
        except grpc.aio.AioRpcError as error:
            return error


async def run_import(service: Service, events: Sequence[pb.ImportedEvent], size: int = 1000) -> list[int]:
    """Import a whole source in a call of its own; return the answers."""
    caller = ImportCall(service.stub)
    stored = await caller.begin()
    await caller.send(*parts(events[stored:], size))
    return [stored, *await caller.end()]
