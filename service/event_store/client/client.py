"""The client of the event store, over gRPC.

`retrying.py` explains which calls are retried, and why that is safe.
"""

from collections.abc import AsyncGenerator, AsyncIterable, Callable, Iterable, Sequence
from contextlib import aclosing
from datetime import datetime
from types import TracebackType
from typing import Final, Literal, Self, overload

from event_store.client import channel as targets
from event_store.client import messages
from event_store.client.append_stream import MOST_IN_FLIGHT, AppendStream
from event_store.client.import_stream import ImportStream
from event_store.client.log_subscription import subscribe as follow
from event_store.client.replays import Replays
from event_store.client.retrying import Calls
from event_store.errors import InvalidArgumentError
from event_store.model import arguments
from event_store.model.event_filter import EventFilter
from event_store.model.events import (
    AggregateAppend,
    AppendResult,
    ExpectedVersion,
    ImportedEvent,
    ImportProgress,
    NewEvent,
    RecordedEvent,
    Status,
)
from event_store.model.markers import Marker
from event_store.model.snapshot import LoadedAggregate, Snapshot
from event_store.v1 import event_store_pb2 as pb

_EVERYTHING: Final = EventFilter()


class Client:
    """A connection to an event store: `async with Client(target) as client`.

    Any number of tasks can share a client; their calls use one connection, which is replaced when it hangs.
    In a process that was forked after a client had been opened, every call raises ConfigurationError.

    Every method raises the errors of `event_store.errors`. After UnavailableError the client's timeout has
    passed and it is unknown whether an append was stored: append the same events again to find out.

    Attributes:
        replays: Start, show and control replays.
    """

    def __init__(self, target: str = targets.DEFAULT, *, timeout_seconds: float = 30) -> None:
        """Configure the connection; `async with` opens it.

        Args:
            target: `https://NAME` for a Cloud Run service, `HOST:PORT` for one on this machine (`localhost`
                or a loopback address), or `http://HOST:PORT` for one elsewhere without encryption.
            timeout_seconds: The time limit of a call or of one append of a stream, with all retries, and of a
                read's wait for its next events; above 0, at most 604,800 (a week).

        Raises:
            InvalidArgumentError: The timeout is out of its range.
        """
        self._calls = Calls(target, arguments.seconds(timeout_seconds, "timeout_seconds"))
        self.replays = Replays(self._calls)

    async def __aenter__(self) -> Self:
        await self._calls.connection.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._calls.connection.close()

    async def append(
        self,
        aggregate_id: str,
        aggregate_type: str,
        events: Sequence[NewEvent],
        *,
        expected_version: ExpectedVersion | int,
    ) -> AppendResult:
        """Append events to one aggregate, all or none.

        Args:
            aggregate_id: The UUID of the aggregate.
            aggregate_type: 1 to 100 characters, the same for every event of the aggregate.
            events: 1 to 1,000 events, stored in this order.
            expected_version: The condition for the append. A number is the version of the aggregate's last
                event, 0 if it has no events.

        Returns:
            The version and positions of the events.

        Raises:
            WrongExpectedVersionError: The aggregate is at another version; the error has the actual one.
            InvalidArgumentError: A value is outside the contract; the error names the fields.
            EventAlreadyExistsError: An event id is already stored with other content.
            WrongAggregateTypeError: The aggregate exists with another type.
        """
        append = AggregateAppend(aggregate_id, aggregate_type, events, expected_version)
        return (await self.append_all([append]))[0]

    async def append_all(self, appends: Sequence[AggregateAppend]) -> tuple[AppendResult, ...]:
        """Append events to several aggregates, all or none.

        Args:
            appends: 1 to 100 appends, at most one per aggregate, with at most 1,000 events in total.

        Returns:
            One result for each append, in the same order.

        Raises:
            EventStoreError: As for `append`.
        """
        return messages.append_results(
            await self._calls.call("AppendEvents", messages.append_request(appends))
        )

    def append_stream(self, *, most_in_flight: int = 256) -> AppendStream:
        """Return a stream for pipelined appends, several times faster than `append`.

        Args:
            most_in_flight: The highest number of appends without a result, 1 to 100,000; further ones wait.

        Raises:
            InvalidArgumentError: The number is out of its range.
        """
        return AppendStream(self._calls, arguments.whole(most_in_flight, "most_in_flight", 1, MOST_IN_FLIGHT))

    async def import_events(
        self,
        import_id: str,
        events: AsyncIterable[ImportedEvent] | Iterable[ImportedEvent],
        *,
        on_progress: Callable[[ImportProgress], None] | None = None,
    ) -> ImportProgress:
        """Import historic events, with their own times and versions; see docs/howto/importing.md.

        Args:
            import_id: The name of the import, 1 to 100 characters. Importing again under the same name
                resumes the import.
            events: The whole source, always from its first event and in the same order. It is read once and
                no faster than events are stored. A synchronous iterable blocks the event loop while it is
                read.
            on_progress: Called when the import begins and after each part of up to 1,000 events.

        Returns:
            The final progress.

        Raises:
            WrongExpectedVersionError: An event's version is not the next one of its aggregate.
            InvalidArgumentError: A value is outside the contract, or the source has fewer events than are
                stored, or other events.
            EventAlreadyExistsError: An event id is already stored.
            WrongAggregateTypeError: The aggregate exists with another type.
            ImportMovedError: Another caller has taken the import over.
            UnavailableError: The import made no progress for the client's timeout; import again to resume.
        """
        name = arguments.text(import_id, "import_id")
        return await ImportStream(self._calls, name, events, on_progress).run()

    async def save_snapshot(
        self, aggregate_id: str, aggregate_type: str, event_version: int, snapshot_data: object
    ) -> bool:
        """Save the state of an aggregate, unless the store has a newer snapshot.

        Args:
            aggregate_id: The UUID of the aggregate.
            aggregate_type: The type of the aggregate.
            event_version: The version of the last event that the state includes.
            snapshot_data: A JSON value of at most 1 MiB; bytes are JSON text.

        Returns:
            Whether the snapshot was saved; False if the store has a newer one.

        Raises:
            InvalidArgumentError: A value is outside the contract, or above the aggregate's last version.
            WrongAggregateTypeError: The aggregate exists with another type.
        """
        request = messages.save_snapshot_request(aggregate_id, aggregate_type, event_version, snapshot_data)
        return bool((await self._calls.call("SaveSnapshot", request)).saved)

    async def get_snapshot(self, aggregate_id: str) -> Snapshot | None:
        """Return the newest snapshot of an aggregate; None if it has none.

        Args:
            aggregate_id: The UUID of the aggregate.

        Raises:
            InvalidArgumentError: `aggregate_id` is not a UUID.
        """
        request = pb.GetSnapshotRequest(aggregate_id=arguments.text(aggregate_id, "aggregate_id"))
        response = await self._calls.call("GetSnapshot", request)
        return messages.snapshot(response.snapshot) if response.HasField("snapshot") else None

    async def load_aggregate(self, aggregate_id: str) -> LoadedAggregate:
        """Return the newest snapshot of an aggregate and all events after it.

        Args:
            aggregate_id: The UUID of the aggregate.

        Raises:
            InvalidArgumentError: `aggregate_id` is not a UUID.
        """
        request = pb.LoadAggregateRequest(aggregate_id=arguments.text(aggregate_id, "aggregate_id"))

        async def attempt(left_seconds: float) -> LoadedAggregate:
            call = self._calls.method("LoadAggregate")(request, timeout=left_seconds)
            return messages.loaded_aggregate([part async for part in call])

        return await self._calls.repeat(attempt)

    async def status(self) -> Status:
        """Return the positions of the log, the relay and each topic, and the running versions.

        Raises:
            UnavailableError: The service or its database was unreachable for the client's timeout.
        """
        return messages.status(await self._calls.call("GetStatus", pb.GetStatusRequest()))

    def read_aggregate(
        self, aggregate_id: str, *, from_version: int = 0, limit: int = 0, backwards: bool = False
    ) -> AsyncGenerator[RecordedEvent, None]:
        """Read the events of one aggregate in the order of their versions.

        Args:
            aggregate_id: The UUID of the aggregate.
            from_version: The first version to read, inclusive, 0 to 2,147,483,647; 0 is the first version or,
                with `backwards`, the last one.
            limit: The highest number of events, 0 to 4,294,967,295; 0 is no limit.
            backwards: Read from `from_version` down to 1.

        Raises:
            InvalidArgumentError: An argument is outside the contract.
            UnavailableError: The service was unreachable for the client's timeout.
            LogCorruptedError: A version is missing.
        """
        name = arguments.text(aggregate_id, "aggregate_id")
        arguments.whole(from_version, "from_version", 0, arguments.HIGHEST_VERSION)
        arguments.whole(limit, "limit", 0, arguments.MOST_LIMIT)

        def request(from_: int, limit: int) -> pb.ReadAggregateRequest:
            return pb.ReadAggregateRequest(
                aggregate_id=name, from_version=from_, limit=limit, backwards=backwards
            )

        return self._calls.read(
            "ReadAggregate", request, "event_version", from_version, limit, backwards=backwards
        )

    def read_all(
        self,
        *,
        from_position: int = 0,
        from_time: datetime | None = None,
        event_filter: EventFilter = _EVERYTHING,
        limit: int = 0,
        backwards: bool = False,
    ) -> AsyncGenerator[RecordedEvent, None]:
        """Read the log in the order of its positions, up to its head at the time of the call.

        Args:
            from_position: The first position to read, inclusive, 0 to 2^63 - 1; 0 is the first position or,
                with `backwards`, the last one.
            from_time: Instead of `from_position`, a time with a time zone: begin with the first event that
                was recorded (`created_at`) at this time or later or, with `backwards`, with the last one that
                was recorded at this time or earlier.
            event_filter: The events to read; all by default.
            limit: The highest number of events, 0 to 4,294,967,295; 0 is no limit.
            backwards: Read from the start down to position 1.

        Raises:
            InvalidArgumentError: An argument is outside the contract.
            UnavailableError: The service was unreachable for the client's timeout.
            LogCorruptedError: The log has a hole; only a read without a filter detects it.
        """
        arguments.whole(from_position, "from_position", 0, arguments.HIGHEST_POSITION)
        arguments.whole(limit, "limit", 0, arguments.MOST_LIMIT)
        selected = messages.event_filter(event_filter)
        time = None if from_time is None else messages.timestamp(from_time, "from_time")
        if time is not None and from_position:
            raise InvalidArgumentError.of("from_time", "excludes from_position: omit one of them")

        def request(from_: int, limit: int) -> pb.ReadAllRequest:
            start = {"from_position": from_} if from_ or time is None else {"from_time": time}
            return pb.ReadAllRequest(**start, filter=selected, limit=limit, backwards=backwards)

        return self._calls.read(
            "ReadAll", request, "global_position", from_position, limit, backwards=backwards
        )

    @overload
    def subscribe(
        self,
        *,
        after_position: int = 0,
        event_filter: EventFilter = _EVERYTHING,
        markers: Literal[False] = False,
    ) -> AsyncGenerator[RecordedEvent, None]: ...

    @overload
    def subscribe(
        self,
        *,
        after_position: int = 0,
        event_filter: EventFilter = _EVERYTHING,
        markers: Literal[True],
    ) -> AsyncGenerator[RecordedEvent | Marker, None]: ...

    async def subscribe(
        self,
        *,
        after_position: int = 0,
        event_filter: EventFilter = _EVERYTHING,
        markers: bool = False,
    ) -> AsyncGenerator[RecordedEvent | Marker, None]:
        """Follow the log: yield the stored events, then each event as it is appended, until cancelled.

        The subscription resumes after a restart of the service or its database, without losing or repeating
        an event. To resume after a restart of the caller, save the position of the last handled event or of
        the last marker and pass it as `after_position`.

        Args:
            after_position: The checkpoint, exclusive, 0 to 2^63 - 1; 0 begins with the first event.
            event_filter: The events to yield; all by default.
            markers: Whether to yield `CaughtUp`, `FellBehind` and `Checkpoint`, too. With a filter that few
                events pass, a marker's position is ahead of the last event's.

        Raises:
            UnavailableError: The service was unreachable for the client's timeout.
            InvalidArgumentError: The checkpoint is out of its range, or above the head of the log, so that it
                belongs to another log.
            LogCorruptedError: The log has a hole.
        """
        async with aclosing(follow(self._calls, after_position, event_filter)) as messages:
            async for message in messages:
                if markers or isinstance(message, RecordedEvent):
                    yield message
