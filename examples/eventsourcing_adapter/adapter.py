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
# The library waits in threads, the client in an event loop: one loop, in a thread of its own, for all.
_LOOP = asyncio.new_event_loop()
Thread(target=_LOOP.run_forever, name="event-store", daemon=True).start()


def begin(work: Coroutine[Any, Any, Any]) -> "Future[Any]":
    """Begin something in the loop."""
    return asyncio.run_coroutine_threadsafe(work, _LOOP)


def result(begun: "Future[Any]") -> Any:
    """Wait for what was begun; an error of the store becomes one of the library."""
    try:
        return begun.result()
    except store.EventStoreError as error:
        raise _ERRORS.get(type(error), library.DatabaseError)(str(error)) from error


async def _all(events: AsyncIterator[store.RecordedEvent]) -> list[store.RecordedEvent]:
    return [event async for event in events]


def to_json(state: bytes) -> bytes:
    """Return a state that is JSON as it is, and one that is compressed or encrypted as a text in base64."""
    try:
        json.loads(state)
    except ValueError:
        return b'"%b"' % base64.b64encode(state)
    return state


def from_json(data: bytes) -> bytes:
    """Return what `to_json` was given."""
    return base64.b64decode(data.strip(b'"')) if data.startswith(b'"') else data


def _fields(event: store.RecordedEvent) -> tuple[UUID, int, str, bytes]:
    return UUID(event.aggregate_id), event.event_version, event.event_type, from_json(event.event_data_json)


class Events(library.ApplicationRecorder):
    """An application's events: its name is their aggregate type, a topic is an event type."""

    def __init__(self, client: store.Client, application: str) -> None:
        self.client, self.application = client, application

    def insert_events(self, stored_events: Sequence[StoredEvent], **_: Any) -> Sequence[int]:
        """Append, all or none, and return the positions."""
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
        """Read an aggregate: the versions above `gt` up to `lte`."""
        gt, lte, limit, desc = (bounds.get(name) or 0 for name in ("gt", "lte", "limit", "desc"))
        start: dict[str, Any] = {"from_version": lte if desc else gt + 1, "backwards": bool(desc)}
        found = self.client.read_aggregate(str(originator_id), limit=limit, **start)
        events = (StoredEvent(*_fields(each)) for each in result(begin(_all(found))))
        return [each for each in events if gt < each.originator_version <= (lte or each.originator_version)]

    def select_notifications(
        self, start: Bound, limit: int, stop: Bound = None, topics: Sequence[str] = (), **options: bool
    ) -> Sequence[Notification]:
        """Read the application's part of the log."""
        start = (start or 0) + (not options.get("inclusive_of_start", True))
        found = self.client.read_all(from_position=start, event_filter=self.filter(topics), limit=limit)
        events = (Notification(*_fields(each), each.global_position) for each in result(begin(_all(found))))
        return [each for each in events if stop is None or each.id <= stop]

    def max_notification_id(self) -> int | None:
        """Return the position of the application's last event."""
        last = self.client.read_all(event_filter=self.filter(), limit=1, backwards=True)
        return next((each.global_position for each in result(begin(_all(last)))), None)

    def subscribe(self, gt: Bound = None, topics: Sequence[str] = ()) -> "Subscription":
        """Follow the application's part of the log."""
        return Subscription(self, gt, topics)

    def filter(self, topics: Sequence[str] = ()) -> store.EventFilter:
        """Return which events of the log are the application's."""
        return store.EventFilter((self.application,), tuple(topics))


class Subscription(library.Subscription[Events]):
    """The application's events as they are appended, until a thread stops it."""

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
            if not self._has_been_stopped:  # else it was there before it could be cancelled
                return Notification(*_fields(event), event.global_position)
        raise StopIteration

    def stop(self) -> None:
        """Let nobody wait for it any more. Stopping twice is harmless."""
        super().stop()
        self._next.cancel()


class Factory(library.InfrastructureFactory[library.TrackingRecorder]):
    """What makes the recorders of an application, on the store that EVENT_STORE_TARGET names."""

    def __init__(self, env: Any) -> None:
        super().__init__(env)
        target = self.env.get("EVENT_STORE_TARGET", "127.0.0.1:8080")
        self.client = result(begin(store.Client(target).__aenter__()))

    def application_recorder(self) -> Events:
        """Return the recorder of the application's events."""
        return Events(self.client, self.env.name)

    def process_recorder(self, *_: Any, **__: Any) -> Any:
        """Refuse: what a projection has tracked belongs into the database that has its tables."""
        raise library.NotSupportedError("only an application's events are kept here")

    aggregate_recorder = tracking_recorder = process_recorder

    def close(self) -> None:
        """Disconnect. Closing twice is harmless."""
        begin(self.client.__aexit__(None, None, None))
