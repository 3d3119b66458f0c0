"""The values of `model.events` as messages of the contract, and back. The only place that knows both."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from google.protobuf.empty_pb2 import Empty
from google.protobuf.timestamp_pb2 import Timestamp

from event_store.errors import InvalidArgumentError
from event_store.model.arguments import HIGHEST_VERSION, of_kind, several, text, whole
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
    TopicStatus,
)
from event_store.model.markers import CaughtUp, Checkpoint, FellBehind, Marker
from event_store.model.replay import Replay, ReplayState
from event_store.model.snapshot import LoadedAggregate, Snapshot
from event_store.v1 import event_store_pb2 as pb

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def append_request(appends: Sequence[AggregateAppend]) -> pb.AppendEventsRequest:
    """Return the request for some appends.

    Raises:
        InvalidArgumentError: A value has no form in the contract. The service checks everything else.
    """
    given = several(appends, "appends", "AggregateAppend")
    return pb.AppendEventsRequest(
        appends=[_append(append, f"appends[{index}]") for index, append in enumerate(given)]
    )


def append_results(response: pb.AppendEventsResponse) -> tuple[AppendResult, ...]:
    """Return the results of a response."""
    return tuple(
        AppendResult(
            result.aggregate_id,
            result.event_version,
            result.first_global_position,
            result.last_global_position,
            result.duplicate,
        )
        for result in response.results
    )


def recorded_event(message: pb.RecordedEvent) -> RecordedEvent:
    """Return the event of a message."""
    return RecordedEvent(
        global_position=message.global_position,
        aggregate_id=message.aggregate_id,
        aggregate_type=message.aggregate_type,
        event_version=message.event_version,
        event_id=message.event_id,
        event_type=message.event_type,
        event_data_json=message.event_data,
        metadata_json=message.metadata,
        occurred_at=_moment(message.occurred_at),
        created_at=_moment(message.created_at),
    )


def event_filter(given: EventFilter) -> pb.EventFilter:
    """Return the message for a filter.

    Raises:
        InvalidArgumentError: It is not one.
    """
    of_kind(given, EventFilter, "event_filter")
    return pb.EventFilter(
        aggregate_types=[text(each, "filter.aggregate_types") for each in given.aggregate_types],
        event_types=[text(each, "filter.event_types") for each in given.event_types],
    )


def marker(response: pb.SubscribeResponse) -> Marker:
    """Return the marker of a response without events."""
    position = response.last_scanned_position
    match response.WhichOneof("kind"):
        case "caught_up":
            return CaughtUp(position, response.caught_up.time.ToDatetime(UTC))
        case "fell_behind":
            return FellBehind(position)
    return Checkpoint(position)


def save_snapshot_request(
    aggregate_id: str, aggregate_type: str, event_version: int, snapshot_data: Any
) -> pb.SaveSnapshotRequest:
    """Return the request to save a snapshot.

    Raises:
        InvalidArgumentError: A value has no form in the contract. The service checks everything else.
    """
    return pb.SaveSnapshotRequest(
        aggregate_id=text(aggregate_id, "aggregate_id"),
        aggregate_type=text(aggregate_type, "aggregate_type"),
        event_version=whole(event_version, "event_version", 1, HIGHEST_VERSION),
        snapshot_data=_json(snapshot_data, "snapshot_data"),
    )


def snapshot(message: pb.Snapshot) -> Snapshot:
    """Return the snapshot of a message."""
    return Snapshot(
        aggregate_id=message.aggregate_id,
        aggregate_type=message.aggregate_type,
        event_version=message.event_version,
        snapshot_data_json=message.snapshot_data,
        created_at=message.created_at.ToDatetime(UTC),
    )


def loaded_aggregate(parts: Sequence[pb.LoadAggregateResponse]) -> LoadedAggregate:
    """Return the aggregate of all parts of an answer."""
    first = parts[0].snapshot if parts[0].HasField("snapshot") else None
    events = tuple(recorded_event(event) for part in parts for event in part.events)
    return LoadedAggregate(None if first is None else snapshot(first), events)


def imported_event(event: ImportedEvent, place: str) -> pb.ImportedEvent:
    """Return the message for an event of an import.

    Args:
        event: The event.
        place: What says which it is, before the name of a field.

    Raises:
        InvalidArgumentError: A value has no form in the contract. The service checks everything else.
    """
    of_kind(event, ImportedEvent, place.removesuffix(": "))
    return pb.ImportedEvent(
        aggregate_id=text(event.aggregate_id, f"{place}aggregate_id"),
        aggregate_type=text(event.aggregate_type, f"{place}aggregate_type"),
        event_version=whole(event.event_version, f"{place}event_version", 1, HIGHEST_VERSION),
        event=_new_event(event, place),
    )


def import_progress(response: pb.ImportEventsResponse) -> ImportProgress:
    """Return the progress of a response."""
    return ImportProgress(response.stored_events, response.last_global_position)


def replay(message: pb.Replay) -> Replay:
    """Return the replay of a message."""
    started = message.state != pb.Replay.STATE_UNSPECIFIED
    state = pb.Replay.State.Name(message.state).removeprefix("STATE_").lower()
    return Replay(
        replay_id=message.replay_id,
        topic=message.topic,
        from_position=message.from_position,
        to_position=message.to_position,
        event_filter=EventFilter(tuple(message.filter.aggregate_types), tuple(message.filter.event_types)),
        events_per_second=message.events_per_second,
        state=ReplayState(state) if started else ReplayState.COUNTED,
        position=message.position,
        published_events=message.published_events,
        parked_events=message.parked_events,
        total_events=message.total_events,
        error=message.error,
        created_at=message.created_at.ToDatetime(UTC) if started else None,
        updated_at=message.updated_at.ToDatetime(UTC) if started else None,
    )


def status(response: pb.GetStatusResponse) -> Status:
    """Return the status of a response."""
    return Status(
        head_position=response.head_position,
        relay_position=response.relay_position,
        relay_owner=response.relay_owner,
        parked_messages=response.parked_messages,
        service_version=response.service_version,
        schema_revision=response.schema_revision,
        lag_events=response.lag_events,
        lag_age_seconds=response.lag_age.ToMicroseconds() / 1_000_000,
        topics=tuple(
            TopicStatus(
                topic=each.topic,
                position=each.position,
                lag_events=each.lag_events,
                lag_age_seconds=each.lag_age.ToMicroseconds() / 1_000_000,
                parked_messages=each.parked_messages,
                oldest_parked_at=each.oldest_parked_at.ToDatetime(UTC)
                if each.HasField("oldest_parked_at")
                else None,
                blocked_keys=each.blocked_keys,
            )
            for each in response.topics
        ),
    )


def _append(append: AggregateAppend, path: str) -> pb.AggregateAppend:
    of_kind(append, AggregateAppend, path)
    events = several(append.events, f"{path}.events", "NewEvent")
    return pb.AggregateAppend(
        aggregate_id=text(append.aggregate_id, f"{path}.aggregate_id"),
        aggregate_type=text(append.aggregate_type, f"{path}.aggregate_type"),
        expected_version=_expected_version(append.expected_version, f"{path}.expected_version"),
        events=[
            _new_event(of_kind(event, NewEvent, f"{path}.events[{index}]"), f"{path}.events[{index}].")
            for index, event in enumerate(events)
        ],
    )


def _new_event(event: NewEvent | ImportedEvent, place: str) -> pb.NewEvent:
    return pb.NewEvent(
        event_id=text(event.event_id, f"{place}event_id"),
        event_type=text(event.event_type, f"{place}event_type"),
        event_data=_json(event.event_data, f"{place}event_data"),
        metadata=_json(event.metadata, f"{place}metadata"),
        occurred_at=timestamp(event.occurred_at, f"{place}occurred_at"),
    )


def _expected_version(expected: ExpectedVersion | int, path: str) -> pb.ExpectedVersion:
    match expected:
        case ExpectedVersion.ANY:
            return pb.ExpectedVersion(any=Empty())
        case ExpectedVersion.NO_STREAM:
            return pb.ExpectedVersion(no_stream=Empty())
        case ExpectedVersion.EXISTS:
            return pb.ExpectedVersion(exists=Empty())
    return pb.ExpectedVersion(
        exact=whole(expected, path, 0, HIGHEST_VERSION, instead="ANY, NO_STREAM, EXISTS or ")
    )


def _json(value: Any, path: str) -> bytes:
    if isinstance(value, bytes):
        return value
    try:
        return json.dumps(value, allow_nan=False, ensure_ascii=False, separators=(",", ":")).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidArgumentError.of(path, f"is no JSON: {error}") from None


def _moment(time: Timestamp) -> datetime:
    """Return a time that the service gave, as `ToDatetime(UTC)` does."""
    return _EPOCH + timedelta(0, time.seconds, time.nanos // 1000)  # in a third of the time


def timestamp(moment: datetime, path: str) -> Timestamp:
    """Return the message for a time.

    Raises:
        InvalidArgumentError: It has no time zone, or no place in the contract; the path says whose it is.
    """
    of_kind(moment, datetime, path)
    if moment.tzinfo is None:
        raise InvalidArgumentError.of(path, "has no time zone: give one, as in datetime.now(UTC)")
    message = Timestamp()
    try:
        message.FromDatetime(moment)
    except (ValueError, OverflowError):
        raise InvalidArgumentError.of(
            path, f"is {moment.isoformat()}, outside the years 1 to 9999 in UTC"
        ) from None
    return message
