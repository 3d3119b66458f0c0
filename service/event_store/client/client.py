"""The client of the event store: append, read and ask for the status, over gRPC.

What is repeated and why that is safe stands in `retrying.py`.
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
    """A connection to an event store, to be used as `async with Client(target) as client`.

    One client serves any number of tasks at once: their calls share one connection, which is replaced when
    it hangs. A process that was forked from one that has opened a client gets ConfigurationError. Every
    method raises the errors of `event_store.errors`; UnavailableError means that the deadline passed, and
    that it is unknown whether an append was stored: append the same events again to find out.

    Attributes:
        replays: The calls on replays.
    """

    def __init__(self, target: str = targets.DEFAULT, *, timeout_seconds: float = 30) -> None:
        """Describe a connection.

        Args:
            target: `https://NAME` for a Cloud Run service, `HOST:PORT` for one on this machine (`localhost`
                or a loopback address), or `http://HOST:PORT` for one elsewhere without encryption.
            timeout_seconds: How long a call, or an append of a stream, may take with all its repetitions, and
                how long a read may wait for its next events; above 0, at most a week.

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
        """Append events to one aggregate.

        Args:
            aggregate_id: A UUID.
            aggregate_type: 1 to 100 characters, the same for every event of the aggregate.
            events: 1 to 1,000, stored in this order, all or none.
            expected_version: What the aggregate must look like; a number is the version of its last event.

        Raises:
            WrongExpectedVersionError: It looks otherwise; the error has its actual version.
            InvalidArgumentError: A value is outside the contract; the error has the fields.
            EventAlreadyExistsError: An event id is stored with other content.
            WrongAggregateTypeError: The aggregate exists with another type.
        """
        append = AggregateAppend(aggregate_id, aggregate_type, events, expected_version)
        return (await self.append_all([append]))[0]

    async def append_all(self, appends: Sequence[AggregateAppend]) -> tuple[AppendResult, ...]:
        """Append to several aggregates, all or none; the results are in the order of the appends.

        Args:
            appends: 1 to 100, each aggregate at most once, at most 1,000 events in all.

        Raises:
            EventStoreError: As for `append`.
        """
        return messages.append_results(
            await self._calls.call("AppendEvents", messages.append_request(appends))
        )

    def append_stream(self, *, most_in_flight: int = 256) -> AppendStream:
        """Return a stream of appends: several times as many each second as by `append`.

        Args:
            most_in_flight: How many appends may be without an answer, 1 to 100,000; one more waits.

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
        """Import historic events, see docs/howto/importing.md, and return how far the import is in the end.

        Args:
            import_id: The name of the import, 1 to 100 characters: the same one goes on with it.
            events: The whole source, always from its beginning and in the same order. It is read once, not
                faster than it is stored, and in the event loop's own time unless it is asynchronous.
            on_progress: Called when the import begins and after each part, of up to 1,000 events.

        Raises:
            WrongExpectedVersionError: An event's version is not the next one of its aggregate.
            InvalidArgumentError: A value is outside the contract, or the source is shorter than what is
                stored.
            EventAlreadyExistsError: An event id is in the store.
            WrongAggregateTypeError: The aggregate exists with another type.
            ImportMovedError: Another caller has begun this import and goes on with it.
            UnavailableError: There was no progress for the client's timeout; import again to go on.
        """
        name = arguments.text(import_id, "import_id")
        return await ImportStream(self._calls, name, events, on_progress).run()

    async def save_snapshot(
        self, aggregate_id: str, aggregate_type: str, event_version: int, snapshot_data: object
    ) -> bool:
        """Keep the state of an aggregate, unless a newer one is kept; return whether this one is.

        Args:
            aggregate_id: A UUID.
            aggregate_type: The aggregate's type.
            event_version: The version of the last event that is in it.
            snapshot_data: A JSON value of at most 1 MiB; bytes are taken to be JSON text already.

        Raises:
            InvalidArgumentError: A value is outside the contract, or the aggregate not at that version yet.
            WrongAggregateTypeError: The aggregate is of another type.
        """
        request = messages.save_snapshot_request(aggregate_id, aggregate_type, event_version, snapshot_data)
        return bool((await self._calls.call("SaveSnapshot", request)).saved)

    async def get_snapshot(self, aggregate_id: str) -> Snapshot | None:
        """Return the newest snapshot of an aggregate; None if it has none.

        Args:
            aggregate_id: A UUID.

        Raises:
            InvalidArgumentError: It is no UUID.
        """
        request = pb.GetSnapshotRequest(aggregate_id=arguments.text(aggregate_id, "aggregate_id"))
        response = await self._calls.call("GetSnapshot", request)
        return messages.snapshot(response.snapshot) if response.HasField("snapshot") else None

    async def load_aggregate(self, aggregate_id: str) -> LoadedAggregate:
        """Return the newest snapshot of an aggregate and all events after it.

        Args:
            aggregate_id: A UUID.

        Raises:
            InvalidArgumentError: It is no UUID.
        """
        request = pb.LoadAggregateRequest(aggregate_id=arguments.text(aggregate_id, "aggregate_id"))

        async def attempt(left_seconds: float) -> LoadedAggregate:
            call = self._calls.method("LoadAggregate")(request, timeout=left_seconds)
            return messages.loaded_aggregate([part async for part in call])

        return await self._calls.repeat(attempt)

    async def status(self) -> Status:
        """Return how far the log and the relay are.

        Raises:
            UnavailableError: The service or its database could not be reached for the client's timeout.
        """
        return messages.status(await self._calls.call("GetStatus", pb.GetStatusRequest()))

    def read_aggregate(
        self, aggregate_id: str, *, from_version: int = 0, limit: int = 0, backwards: bool = False
    ) -> AsyncGenerator[RecordedEvent, None]:
        """Read the events of one aggregate in the order of their versions.

        Args:
            aggregate_id: A UUID.
            from_version: The first version to read, inclusive, up to 2,147,483,647; 0 is the first one, or
                backwards the last.
            limit: How many events at the most, up to 4,294,967,295; 0 is all of them.
            backwards: From `from_version` down to 1.

        Raises:
            InvalidArgumentError: An argument is outside the contract.
            UnavailableError: The service could not be reached for the client's timeout.
            LogCorruptedError: A version between is missing.
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
            from_position: The first position to read, inclusive, below 2^63; 0 is the first one, or backwards
                the last.
            from_time: Instead of a position, with a time zone: begin with the first event that was recorded
                (`created_at`) then or later or, backwards, with the last one that was then or earlier.
            event_filter: Only these events.
            limit: How many events at the most, up to 4,294,967,295; 0 is all of them.
            backwards: From the start down to 1.

        Raises:
            InvalidArgumentError: An argument is outside the contract.
            UnavailableError: The service could not be reached for the client's timeout.
            LogCorruptedError: The log has a hole; noticed by a read without a filter.
        """
        arguments.whole(from_position, "from_position", 0, arguments.HIGHEST_POSITION)
        arguments.whole(limit, "limit", 0, arguments.MOST_LIMIT)
        selected = messages.event_filter(event_filter)
        time = None if from_time is None else messages.timestamp(from_time, "from_time")
        if time is not None and from_position:
            raise InvalidArgumentError.of("from_time", "is given beside from_position")

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
        """Follow the log: first what is there already, then each event as it is appended, without an end.

        A restart of the service or of its database is not seen: no event is lost or given twice. Keep the
        position of the last event that was handled, or of the last marker, to go on there another time.

        Args:
            after_position: The checkpoint, exclusive, below 2^63; 0 begins with the first event of the log.
            event_filter: Only these events.
            markers: Give `CaughtUp`, `FellBehind` and `Checkpoint` too. Where few events pass the filter
                their positions are further than the last event's.

        Raises:
            UnavailableError: The service could not be reached for the client's timeout.
            InvalidArgumentError: The checkpoint is out of its range, or above the head: it was made on
                another log.
            LogCorruptedError: The log has a hole.
        """
        async with aclosing(follow(self._calls, after_position, event_filter)) as messages:
            async for message in messages:
                if markers or isinstance(message, RecordedEvent):
                    yield message
