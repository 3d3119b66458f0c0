"""Calls a store and writes down what was asked and answered, in the order of the event loop."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from itertools import count
from typing import Final

import psycopg

from event_store.client.append_stream import AppendStream
from event_store.client.client import Client
from event_store.errors import EventStoreError
from event_store.model.events import AppendResult, RecordedEvent
from tests.system.history.history import (
    NEVER,
    Answer,
    Append,
    Call,
    Event,
    Followed,
    Found,
    GetSnapshot,
    History,
    Kept,
    LoadAggregate,
    Marked,
    Operation,
    ReadAggregate,
    ReadAll,
    SaveSnapshot,
    Stored,
    StoredEvent,
    Subscribe,
    Unknown,
)
from tests.system.history.names import Names

_LOG: Final = (
    "SELECT global_position, aggregate_id::text, aggregate_type, event_version, event_id::text, event_type, "
    "event_data FROM events WHERE global_position > %s ORDER BY global_position"
)


class Recorder:
    """Writes one history down.

    Args:
        names: The names of its aggregates and events.

    Attributes:
        requests: Every append, from its invocation on.
    """

    def __init__(self, names: Names) -> None:
        self.names = names
        self.requests: list[Append] = []
        self.operations: list[Operation] = []
        self.faults: list[tuple[int, str]] = []
        self._versions: dict[str, int] = {}
        self._head = 0
        self._now = count(1)

    def version(self, aggregate: str) -> int:
        """Return the highest version of an aggregate that was acknowledged."""
        return self._versions.get(aggregate, 0)

    @property
    def head(self) -> int:
        """The highest position that was acknowledged."""
        return self._head

    def disturb(self, fault: str) -> None:
        """Note that a connection or the service is about to end."""
        self.faults.append((next(self._now), fault))

    async def append(self, name: str, client: Client, call: Append) -> None:
        """Append."""
        await self._append(name, call, client.append_all(self.names.appends(call.parts)))

    async def append_on(self, name: str, stream: AppendStream, call: Append) -> "asyncio.Task[None]":
        """Append on a stream; return what waits for the answer."""
        invoked = self._invoke(call)
        answer = await stream.append_all(self.names.appends(call.parts))
        return asyncio.create_task(self._append(name, call, answer, invoked))

    async def _append(
        self, name: str, call: Append, answer: Awaitable[tuple[AppendResult, ...]], invoked: int = 0
    ) -> None:
        async def results() -> Answer:
            stored = Stored(self.names.results(await answer))
            for part, result in zip(call.parts, stored.results, strict=True):
                self._versions[part.aggregate] = max(self.version(part.aggregate), result.version)
                self._head = max(self._head, result.last)
            return stored

        await self._record(name, call, results, invoked or self._invoke(call))

    async def read(self, name: str, client: Client, call: ReadAggregate | ReadAll) -> None:
        """Read; what lies before the history is no part of it."""
        if isinstance(call, ReadAggregate):
            events = client.read_aggregate(
                self.names.uuid(call.aggregate),
                from_version=call.from_version,
                limit=call.limit,
                backwards=call.backwards,
            )
        else:
            start = call.from_position or (0 if call.backwards else 1)
            events = client.read_all(
                from_position=self.names.base + start if start else 0,
                event_filter=call.event_filter,
                limit=call.limit,
                backwards=call.backwards,
            )

        async def found() -> Answer:
            async with aclosing(events):
                recorded = []
                async for event in events:
                    if event.global_position <= self.names.base:
                        break
                    recorded.append(self.names.recorded(event))
                return Found(tuple(recorded))

        await self._record(name, call, found)

    async def save(self, name: str, client: Client, call: SaveSnapshot) -> None:
        """Save a snapshot."""

        async def saved() -> Answer:
            uuid = self.names.uuid(call.aggregate)
            return await client.save_snapshot(uuid, call.aggregate_type, call.version, call.data)

        await self._record(name, call, saved)

    async def get(self, name: str, client: Client, call: GetSnapshot | LoadAggregate) -> None:
        """Get a snapshot, or load an aggregate."""
        uuid = self.names.uuid(call.aggregate)

        async def kept() -> Answer:
            events: Sequence[RecordedEvent] = ()
            if isinstance(call, GetSnapshot):
                snapshot = await client.get_snapshot(uuid)
            else:
                loaded = await client.load_aggregate(uuid)
                snapshot, events = loaded.snapshot, loaded.events
            recorded = tuple(map(self.names.recorded, events))
            if snapshot is None:
                return Kept(events=recorded)
            return Kept(snapshot.event_version, snapshot.snapshot_data, recorded)

        await self._record(name, call, kept)

    async def follow(self, name: str, client: Client, call: Subscribe, last_type: str) -> None:
        """Subscribe until an event of a type comes, the last of the history."""

        async def followed() -> Answer:
            items: list[tuple[int, StoredEvent | Marked]] = []
            subscription = client.subscribe(
                after_position=self.names.base + call.after_position,
                event_filter=call.event_filter,
                markers=True,
            )
            async with aclosing(subscription):
                async for item in subscription:
                    if isinstance(item, RecordedEvent):
                        items.append((next(self._now), self.names.recorded(item)))
                        if item.event_type == last_type:
                            break
                    else:
                        marked = Marked(type(item).__name__, item.position - self.names.base)
                        items.append((next(self._now), marked))
            return Followed(tuple(items))

        await self._record(name, call, followed)

    async def history(self, conninfo: str) -> History:
        """Return what was written down, and the log as the database has it."""
        async with await psycopg.AsyncConnection.connect(conninfo, autocommit=True) as connection:
            rows = await (await connection.execute(_LOG, [self.names.base])).fetchall()
        log = [
            StoredEvent(
                position - self.names.base,
                self.names.name(aggregate),
                aggregate_type,
                version,
                Event(self.names.name(event), event_type, data),
            )
            for position, aggregate, aggregate_type, version, event, event_type, data in rows
        ]
        return History(self.operations, log, self.faults)

    def _invoke(self, call: Call) -> int:
        if isinstance(call, Append):
            self.requests.append(call)
        return next(self._now)

    async def _record(
        self, name: str, call: Call, answering: Callable[[], Awaitable[Answer]], invoked: int = 0
    ) -> None:
        invoked = invoked or self._invoke(call)
        answer: Answer = Unknown()
        responded = NEVER
        try:
            answer = await answering()
            responded = next(self._now)
        except EventStoreError as error:
            answer = self.names.refusal(error)
            responded = NEVER if isinstance(answer, Unknown) else next(self._now)
        finally:  # a test that is given up prints what was asked until then
            self.operations.append(
                Operation(client=name, invoked=invoked, responded=responded, call=call, answer=answer)
            )
