"""Convert the values of `model` to messages of the contract and back."""

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
    """Convert appends to a request.

    Raises:
        InvalidArgumentError: A value cannot be sent. The service checks the limits of the contract.
    """
    given = several(appends, "appends", "AggregateAppend")
    return pb.AppendEventsRequest(
        appends=[_append(append, f"appends[{index}]") for index, append in enumerate(given)]
    )


def append_results(response: pb.AppendEventsResponse) -> tuple[AppendResult, ...]:
    """Convert the results of a response."""
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
    """Convert a stored event."""
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
    """Convert a filter to a message.

    Raises:
        InvalidArgumentError: The value is not an EventFilter.
    """
    of_kind(given, EventFilter, "event_filter")
    return pb.EventFilter(
        aggregate_types=[text(each, "filter.aggregate_types") for each in given.aggregate_types],
        event_types=[text(each, "filter.event_types") for each in given.event_types],
    )


def marker(response: pb.SubscribeResponse) -> Marker:
    """Convert a response without events to a marker."""
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
    """Convert a snapshot to a request to save it.

    Raises:
        InvalidArgumentError: A value cannot be sent. The service checks the limits of the contract.
    """
    return pb.SaveSnapshotRequest(
        aggregate_id=text(aggregate_id, "aggregate_id"),
        aggregate_type=text(aggregate_type, "aggregate_type"),
        event_version=whole(event_version, "event_version", 1, HIGHEST_VERSION),
        snapshot_data=_json(snapshot_data, "snapshot_data"),
    )


def snapshot(message: pb.Snapshot) -> Snapshot:
    """Convert a stored snapshot."""
    return Snapshot(
        aggregate_id=message.aggregate_id,
        aggregate_type=message.aggregate_type,
        event_version=message.event_version,
        snapshot_data_json=message.snapshot_data,
        created_at=message.created_at.ToDatetime(UTC),
    )


def loaded_aggregate(parts: Sequence[pb.LoadAggregateResponse]) -> LoadedAggregate:
    """Convert the parts of an answer to a loaded aggregate."""
    first = parts[0].snapshot if parts[0].HasField("snapshot") else None
    events = tuple(recorded_event(event) for part in parts for event in part.events)
    return LoadedAggregate(None if first is None else snapshot(first), events)


def imported_event(event: ImportedEvent, place: str) -> pb.ImportedEvent:
    """Convert an event of an import to a message.

    Args:
        event: The event.
        place: The prefix of field names in errors, such as `event 17: `.

    Raises:
        InvalidArgumentError: A value cannot be sent. The service checks the limits of the contract.
    """
    of_kind(event, ImportedEvent, place.removesuffix(": "))
    return pb.ImportedEvent(
        aggregate_id=text(event.aggregate_id, f"{place}aggregate_id"),
        aggregate_type=text(event.aggregate_type, f"{place}aggregate_type"),
        event_version=whole(event.event_version, f"{place}event_version", 1, HIGHEST_VERSION),
        event=_new_event(event, place),
    )


def import_progress(response: pb.ImportEventsResponse) -> ImportProgress:
    """Convert the progress of an import."""
    return ImportProgress(response.stored_events, response.last_global_position)


def replay(message: pb.Replay) -> Replay:
    """Convert a replay."""
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
    """Convert the status of the service."""
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
        raise InvalidArgumentError.of(path, f"cannot be converted to JSON: {error}") from None


def _moment(time: Timestamp) -> datetime:
    """Convert a time of the service, as `ToDatetime(UTC)` does."""
    return _EPOCH + timedelta(0, time.seconds, time.nanos // 1000)  # in a third of the time


def timestamp(moment: datetime, path: str) -> Timestamp:
    """Convert a time to a message.

    Args:
        moment: The time, with a time zone, in the years 1 to 9999.
        path: The path of the field, for the error.

    Raises:
        InvalidArgumentError: The time has no time zone, or is out of its range.
    """
    of_kind(moment, datetime, path)
    if moment.tzinfo is None:
        raise InvalidArgumentError.of(path, "has no time zone: give one, as in datetime.now(UTC)")
    message = Timestamp()
    try:
        message.FromDatetime(moment)
    except (ValueError, OverflowError):
        raise InvalidArgumentError.of(
            path, f"invalid time {moment.isoformat()}: use the years 1 to 9999 in UTC"
        ) from None
    return message
