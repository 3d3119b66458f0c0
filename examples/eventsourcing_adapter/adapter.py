"""A persistence module for `eventsourcing`: its applications keep their events in the event store."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Coroutine, Sequence
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from itertools import groupby
from threading import Thread
from typing import Any
from uuid import UUID

from eventsourcing import persistence as library
from eventsourcing.persistence import Notification, StoredEvent

import event_store as store

Bound = int | None
_ERRORS: dict[type, type[Exception]] = {store.WrongExpectedVersionError: library.IntegrityError}
# The library blocks threads, the client needs an event loop: one loop, in its own thread, serves all.
_LOOP = asyncio.new_event_loop()
Thread(target=_LOOP.run_forever, name="event-store", daemon=True).start()


def begin(work: Coroutine[Any, Any, Any]) -> "Future[Any]":
    """Start a coroutine in the event loop."""
    return asyncio.run_coroutine_threadsafe(work, _LOOP)


def result(begun: "Future[Any]") -> Any:
    """Wait for a result of `begin`; raise an error of the store as one of the library."""
    try:
        return begun.result()
    except store.EventStoreError as error:
        raise _ERRORS.get(type(error), library.DatabaseError)(str(error)) from error


async def _all(events: AsyncIterator[store.RecordedEvent]) -> list[store.RecordedEvent]:
    return [event async for event in events]


def to_json(state: bytes) -> bytes:
    """Return a JSON state unchanged; encode a compressed or encrypted state as a base64 string."""
    try:
        json.loads(state)
    except ValueError:
        return b'"%b"' % base64.b64encode(state)
    return state


def from_json(data: bytes) -> bytes:
    """Decode a state that `to_json` encoded."""
    return base64.b64decode(data.strip(b'"')) if data.startswith(b'"') else data


def _fields(event: store.RecordedEvent) -> tuple[UUID, int, str, bytes]:
    return UUID(event.aggregate_id), event.event_version, event.event_type, from_json(event.event_data_json)


class Events(library.ApplicationRecorder):
    """Record an application's events: its name is the aggregate type, a topic is an event type."""

    def __init__(self, client: store.Client, application: str) -> None:
        self.client, self.application = client, application

    def insert_events(self, stored_events: Sequence[StoredEvent], **_: Any) -> Sequence[int]:
        """Append all events or none, and return their positions."""
        appends = []
        for aggregate_id, group in groupby(stored_events, lambda each: each.originator_id):
            stored = list(group)
            version = stored[0].originator_version - 1
            if any(each.originator_version != version + place for place, each in enumerate(stored, 1)):
                raise library.IntegrityError(f"the versions of {aggregate_id} do not follow each other")
            events = [store.NewEvent(each.topic, to_json(each.state)) for each in stored]
            appends.append(store.AggregateAppend(str(aggregate_id), self.application, events, version))
        results = result(begin(self.client.append_all(appends))) if appends else ()
        return [n for r in results for n in range(r.first_global_position, r.last_global_position + 1)]

    def select_events(self, originator_id: UUID | str, **bounds: Any) -> Sequence[StoredEvent]:
        """Read an aggregate's events with gt < version <= lte."""
        gt, lte, limit, desc = (bounds.get(name) or 0 for name in ("gt", "lte", "limit", "desc"))
        start: dict[str, Any] = {"from_version": lte if desc else gt + 1, "backwards": bool(desc)}
        found = self.client.read_aggregate(str(originator_id), limit=limit, **start)
        events = (StoredEvent(*_fields(each)) for each in result(begin(_all(found))))
        return [each for each in events if gt < each.originator_version <= (lte or each.originator_version)]

    def select_notifications(
        self, start: Bound, limit: int, stop: Bound = None, topics: Sequence[str] = (), **options: bool
    ) -> Sequence[Notification]:
        """Read the application's events from the log."""
        start = (start or 0) + (not options.get("inclusive_of_start", True))
        found = self.client.read_all(from_position=start, event_filter=self.filter(topics), limit=limit)
        events = (Notification(*_fields(each), each.global_position) for each in result(begin(_all(found))))
        return [each for each in events if stop is None or each.id <= stop]

    def max_notification_id(self) -> int | None:
        """Return the position of the application's last event."""
        last = self.client.read_all(event_filter=self.filter(), limit=1, backwards=True)
        return next((each.global_position for each in result(begin(_all(last)))), None)

    def subscribe(self, gt: Bound = None, topics: Sequence[str] = ()) -> "Subscription":
        """Follow the application's events in the log."""
        return Subscription(self, gt, topics)

    def filter(self, topics: Sequence[str] = ()) -> store.EventFilter:
        """Return the filter for the application's events."""
        return store.EventFilter((self.application,), tuple(topics))


class Subscription(library.Subscription[Events]):
    """Iterate over the application's events as they are appended, until `stop`."""

    def __init__(self, recorder: Events, gt: Bound, topics: Sequence[str]) -> None:
        super().__init__(recorder, gt, topics)
        self._events = recorder.client.subscribe(after_position=gt or 0, event_filter=recorder.filter(topics))
        self._next: Future[Any] = Future()

    def __next__(self) -> Notification:
        self._next = begin(anext(self._events))
        if self._has_been_stopped:
            self._next.cancel()
        with suppress(CancelledError, StopAsyncIteration):
            event = result(self._next)
            if not self._has_been_stopped:  # otherwise it arrived before the cancellation
                return Notification(*_fields(event), event.global_position)
        raise StopIteration

    def stop(self) -> None:
        """End the iteration and release a waiting thread. Stopping twice is harmless."""
        super().stop()
        self._next.cancel()


class Factory(library.InfrastructureFactory[library.TrackingRecorder]):
    """Create an application's recorders, for the event store at EVENT_STORE_TARGET."""

    def __init__(self, env: Any) -> None:
        super().__init__(env)
        target = self.env.get("EVENT_STORE_TARGET", "127.0.0.1:8080")
        self.client = result(begin(store.Client(target).__aenter__()))

    def application_recorder(self) -> Events:
        """Return the recorder of the application's events."""
        return Events(self.client, self.env.name)

    def process_recorder(self, *_: Any, **__: Any) -> Any:
        """Raise NotSupportedError: a projection's tracking belongs in the database of its tables."""
        raise library.NotSupportedError("only an application's events are kept here")

    aggregate_recorder = tracking_recorder = process_recorder

    def close(self) -> None:
        """Disconnect. Closing twice is harmless."""
        begin(self.client.__aexit__(None, None, None))
