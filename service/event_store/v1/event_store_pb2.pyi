import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import empty_pb2 as _empty_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.rpc import status_pb2 as _status_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AppendEventsRequest(_message.Message):
    __slots__ = ("appends",)
    APPENDS_FIELD_NUMBER: _ClassVar[int]
    appends: _containers.RepeatedCompositeFieldContainer[AggregateAppend]
    def __init__(self, appends: _Optional[_Iterable[_Union[AggregateAppend, _Mapping]]] = ...) -> None: ...

class AggregateAppend(_message.Message):
    __slots__ = ("aggregate_id", "aggregate_type", "expected_version", "events")
    AGGREGATE_ID_FIELD_NUMBER: _ClassVar[int]
    AGGREGATE_TYPE_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    aggregate_id: str
    aggregate_type: str
    expected_version: ExpectedVersion
    events: _containers.RepeatedCompositeFieldContainer[NewEvent]
    def __init__(self, aggregate_id: _Optional[str] = ..., aggregate_type: _Optional[str] = ..., expected_version: _Optional[_Union[ExpectedVersion, _Mapping]] = ..., events: _Optional[_Iterable[_Union[NewEvent, _Mapping]]] = ...) -> None: ...

class ExpectedVersion(_message.Message):
    __slots__ = ("any", "no_stream", "exists", "exact")
    ANY_FIELD_NUMBER: _ClassVar[int]
    NO_STREAM_FIELD_NUMBER: _ClassVar[int]
    EXISTS_FIELD_NUMBER: _ClassVar[int]
    EXACT_FIELD_NUMBER: _ClassVar[int]
    any: _empty_pb2.Empty
    no_stream: _empty_pb2.Empty
    exists: _empty_pb2.Empty
    exact: int
    def __init__(self, any: _Optional[_Union[_empty_pb2.Empty, _Mapping]] = ..., no_stream: _Optional[_Union[_empty_pb2.Empty, _Mapping]] = ..., exists: _Optional[_Union[_empty_pb2.Empty, _Mapping]] = ..., exact: _Optional[int] = ...) -> None: ...

class NewEvent(_message.Message):
    __slots__ = ("event_id", "event_type", "event_data", "metadata", "occurred_at")
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    EVENT_TYPE_FIELD_NUMBER: _ClassVar[int]
    EVENT_DATA_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    OCCURRED_AT_FIELD_NUMBER: _ClassVar[int]
    event_id: str
    event_type: str
    event_data: bytes
    metadata: bytes
    occurred_at: _timestamp_pb2.Timestamp
    def __init__(self, event_id: _Optional[str] = ..., event_type: _Optional[str] = ..., event_data: _Optional[bytes] = ..., metadata: _Optional[bytes] = ..., occurred_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class AppendEventsResponse(_message.Message):
    __slots__ = ("results",)
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[AppendResult]
    def __init__(self, results: _Optional[_Iterable[_Union[AppendResult, _Mapping]]] = ...) -> None: ...

class AppendEventsStreamResponse(_message.Message):
    __slots__ = ("request_number", "response", "error")
    REQUEST_NUMBER_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    request_number: int
    response: AppendEventsResponse
    error: _status_pb2.Status
    def __init__(self, request_number: _Optional[int] = ..., response: _Optional[_Union[AppendEventsResponse, _Mapping]] = ..., error: _Optional[_Union[_status_pb2.Status, _Mapping]] = ...) -> None: ...

class AppendResult(_message.Message):
    __slots__ = ("aggregate_id", "event_version", "first_global_position", "last_global_position", "duplicate")
    AGGREGATE_ID_FIELD_NUMBER: _ClassVar[int]
    EVENT_VERSION_FIELD_NUMBER: _ClassVar[int]
    FIRST_GLOBAL_POSITION_FIELD_NUMBER: _ClassVar[int]
    LAST_GLOBAL_POSITION_FIELD_NUMBER: _ClassVar[int]
    DUPLICATE_FIELD_NUMBER: _ClassVar[int]
    aggregate_id: str
    event_version: int
    first_global_position: int
    last_global_position: int
    duplicate: bool
    def __init__(self, aggregate_id: _Optional[str] = ..., event_version: _Optional[int] = ..., first_global_position: _Optional[int] = ..., last_global_position: _Optional[int] = ..., duplicate: _Optional[bool] = ...) -> None: ...

class RecordedEvent(_message.Message):
    __slots__ = ("event_id", "event_type", "event_data", "metadata", "occurred_at", "aggregate_id", "aggregate_type", "event_version", "global_position", "created_at")
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    EVENT_TYPE_FIELD_NUMBER: _ClassVar[int]
    EVENT_DATA_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    OCCURRED_AT_FIELD_NUMBER: _ClassVar[int]
    AGGREGATE_ID_FIELD_NUMBER: _ClassVar[int]
    AGGREGATE_TYPE_FIELD_NUMBER: _ClassVar[int]
    EVENT_VERSION_FIELD_NUMBER: _ClassVar[int]
    GLOBAL_POSITION_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    event_id: str
    event_type: str
    event_data: bytes
    metadata: bytes
    occurred_at: _timestamp_pb2.Timestamp
    aggregate_id: str
    aggregate_type: str
    event_version: int
    global_position: int
    created_at: _timestamp_pb2.Timestamp
    def __init__(self, event_id: _Optional[str] = ..., event_type: _Optional[str] = ..., event_data: _Optional[bytes] = ..., metadata: _Optional[bytes] = ..., occurred_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., aggregate_id: _Optional[str] = ..., aggregate_type: _Optional[str] = ..., event_version: _Optional[int] = ..., global_position: _Optional[int] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ReadAggregateRequest(_message.Message):
    __slots__ = ("aggregate_id", "from_version", "limit", "backwards")
    AGGREGATE_ID_FIELD_NUMBER: _ClassVar[int]
    FROM_VERSION_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    BACKWARDS_FIELD_NUMBER: _ClassVar[int]
    aggregate_id: str
    from_version: int
    limit: int
    backwards: bool
    def __init__(self, aggregate_id: _Optional[str] = ..., from_version: _Optional[int] = ..., limit: _Optional[int] = ..., backwards: _Optional[bool] = ...) -> None: ...

class ReadAggregateResponse(_message.Message):
    __slots__ = ("events", "head_position")
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    HEAD_POSITION_FIELD_NUMBER: _ClassVar[int]
    events: _containers.RepeatedCompositeFieldContainer[RecordedEvent]
    head_position: int
    def __init__(self, events: _Optional[_Iterable[_Union[RecordedEvent, _Mapping]]] = ..., head_position: _Optional[int] = ...) -> None: ...

class ReadAllRequest(_message.Message):
    __slots__ = ("from_position", "from_time", "limit", "backwards", "filter")
    FROM_POSITION_FIELD_NUMBER: _ClassVar[int]
    FROM_TIME_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    BACKWARDS_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    from_position: int
    from_time: _timestamp_pb2.Timestamp
    limit: int
    backwards: bool
    filter: EventFilter
    def __init__(self, from_position: _Optional[int] = ..., from_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., limit: _Optional[int] = ..., backwards: _Optional[bool] = ..., filter: _Optional[_Union[EventFilter, _Mapping]] = ...) -> None: ...

class EventFilter(_message.Message):
    __slots__ = ("aggregate_types", "event_types")
    AGGREGATE_TYPES_FIELD_NUMBER: _ClassVar[int]
    EVENT_TYPES_FIELD_NUMBER: _ClassVar[int]
    aggregate_types: _containers.RepeatedScalarFieldContainer[str]
    event_types: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, aggregate_types: _Optional[_Iterable[str]] = ..., event_types: _Optional[_Iterable[str]] = ...) -> None: ...

class ReadAllResponse(_message.Message):
    __slots__ = ("events", "head_position", "last_scanned_position")
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    HEAD_POSITION_FIELD_NUMBER: _ClassVar[int]
    LAST_SCANNED_POSITION_FIELD_NUMBER: _ClassVar[int]
    events: _containers.RepeatedCompositeFieldContainer[RecordedEvent]
    head_position: int
    last_scanned_position: int
    def __init__(self, events: _Optional[_Iterable[_Union[RecordedEvent, _Mapping]]] = ..., head_position: _Optional[int] = ..., last_scanned_position: _Optional[int] = ...) -> None: ...

class SubscribeRequest(_message.Message):
    __slots__ = ("after_position", "filter")
    AFTER_POSITION_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    after_position: int
    filter: EventFilter
    def __init__(self, after_position: _Optional[int] = ..., filter: _Optional[_Union[EventFilter, _Mapping]] = ...) -> None: ...

class SubscribeResponse(_message.Message):
    __slots__ = ("last_scanned_position", "events", "caught_up", "fell_behind", "keep_alive")
    class Events(_message.Message):
        __slots__ = ("events",)
        EVENTS_FIELD_NUMBER: _ClassVar[int]
        events: _containers.RepeatedCompositeFieldContainer[RecordedEvent]
        def __init__(self, events: _Optional[_Iterable[_Union[RecordedEvent, _Mapping]]] = ...) -> None: ...
    class CaughtUp(_message.Message):
        __slots__ = ("time",)
        TIME_FIELD_NUMBER: _ClassVar[int]
        time: _timestamp_pb2.Timestamp
        def __init__(self, time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
    LAST_SCANNED_POSITION_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    CAUGHT_UP_FIELD_NUMBER: _ClassVar[int]
    FELL_BEHIND_FIELD_NUMBER: _ClassVar[int]
    KEEP_ALIVE_FIELD_NUMBER: _ClassVar[int]
    last_scanned_position: int
    events: SubscribeResponse.Events
    caught_up: SubscribeResponse.CaughtUp
    fell_behind: _empty_pb2.Empty
    keep_alive: _empty_pb2.Empty
    def __init__(self, last_scanned_position: _Optional[int] = ..., events: _Optional[_Union[SubscribeResponse.Events, _Mapping]] = ..., caught_up: _Optional[_Union[SubscribeResponse.CaughtUp, _Mapping]] = ..., fell_behind: _Optional[_Union[_empty_pb2.Empty, _Mapping]] = ..., keep_alive: _Optional[_Union[_empty_pb2.Empty, _Mapping]] = ...) -> None: ...

class Snapshot(_message.Message):
    __slots__ = ("aggregate_id", "aggregate_type", "event_version", "snapshot_data", "created_at")
    AGGREGATE_ID_FIELD_NUMBER: _ClassVar[int]
    AGGREGATE_TYPE_FIELD_NUMBER: _ClassVar[int]
    EVENT_VERSION_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_DATA_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    aggregate_id: str
    aggregate_type: str
    event_version: int
    snapshot_data: bytes
    created_at: _timestamp_pb2.Timestamp
    def __init__(self, aggregate_id: _Optional[str] = ..., aggregate_type: _Optional[str] = ..., event_version: _Optional[int] = ..., snapshot_data: _Optional[bytes] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class SaveSnapshotRequest(_message.Message):
    __slots__ = ("aggregate_id", "aggregate_type", "event_version", "snapshot_data")
    AGGREGATE_ID_FIELD_NUMBER: _ClassVar[int]
    AGGREGATE_TYPE_FIELD_NUMBER: _ClassVar[int]
    EVENT_VERSION_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_DATA_FIELD_NUMBER: _ClassVar[int]
    aggregate_id: str
    aggregate_type: str
    event_version: int
    snapshot_data: bytes
    def __init__(self, aggregate_id: _Optional[str] = ..., aggregate_type: _Optional[str] = ..., event_version: _Optional[int] = ..., snapshot_data: _Optional[bytes] = ...) -> None: ...

class SaveSnapshotResponse(_message.Message):
    __slots__ = ("saved",)
    SAVED_FIELD_NUMBER: _ClassVar[int]
    saved: bool
    def __init__(self, saved: _Optional[bool] = ...) -> None: ...

class GetSnapshotRequest(_message.Message):
    __slots__ = ("aggregate_id",)
    AGGREGATE_ID_FIELD_NUMBER: _ClassVar[int]
    aggregate_id: str
    def __init__(self, aggregate_id: _Optional[str] = ...) -> None: ...

class GetSnapshotResponse(_message.Message):
    __slots__ = ("snapshot",)
    SNAPSHOT_FIELD_NUMBER: _ClassVar[int]
    snapshot: Snapshot
    def __init__(self, snapshot: _Optional[_Union[Snapshot, _Mapping]] = ...) -> None: ...

class LoadAggregateRequest(_message.Message):
    __slots__ = ("aggregate_id",)
    AGGREGATE_ID_FIELD_NUMBER: _ClassVar[int]
    aggregate_id: str
    def __init__(self, aggregate_id: _Optional[str] = ...) -> None: ...

class LoadAggregateResponse(_message.Message):
    __slots__ = ("snapshot", "events", "head_position")
    SNAPSHOT_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    HEAD_POSITION_FIELD_NUMBER: _ClassVar[int]
    snapshot: Snapshot
    events: _containers.RepeatedCompositeFieldContainer[RecordedEvent]
    head_position: int
    def __init__(self, snapshot: _Optional[_Union[Snapshot, _Mapping]] = ..., events: _Optional[_Iterable[_Union[RecordedEvent, _Mapping]]] = ..., head_position: _Optional[int] = ...) -> None: ...

class ImportEventsRequest(_message.Message):
    __slots__ = ("import_id", "events")
    IMPORT_ID_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    import_id: str
    events: _containers.RepeatedCompositeFieldContainer[ImportedEvent]
    def __init__(self, import_id: _Optional[str] = ..., events: _Optional[_Iterable[_Union[ImportedEvent, _Mapping]]] = ...) -> None: ...

class ImportedEvent(_message.Message):
    __slots__ = ("aggregate_id", "aggregate_type", "event_version", "event")
    AGGREGATE_ID_FIELD_NUMBER: _ClassVar[int]
    AGGREGATE_TYPE_FIELD_NUMBER: _ClassVar[int]
    EVENT_VERSION_FIELD_NUMBER: _ClassVar[int]
    EVENT_FIELD_NUMBER: _ClassVar[int]
    aggregate_id: str
    aggregate_type: str
    event_version: int
    event: NewEvent
    def __init__(self, aggregate_id: _Optional[str] = ..., aggregate_type: _Optional[str] = ..., event_version: _Optional[int] = ..., event: _Optional[_Union[NewEvent, _Mapping]] = ...) -> None: ...

class ImportEventsResponse(_message.Message):
    __slots__ = ("stored_events", "last_global_position", "last_event")
    STORED_EVENTS_FIELD_NUMBER: _ClassVar[int]
    LAST_GLOBAL_POSITION_FIELD_NUMBER: _ClassVar[int]
    LAST_EVENT_FIELD_NUMBER: _ClassVar[int]
    stored_events: int
    last_global_position: int
    last_event: RecordedEvent
    def __init__(self, stored_events: _Optional[int] = ..., last_global_position: _Optional[int] = ..., last_event: _Optional[_Union[RecordedEvent, _Mapping]] = ...) -> None: ...

class StartReplayRequest(_message.Message):
    __slots__ = ("replay_id", "topic", "from_position", "from_time", "to_position", "to_time", "filter", "events_per_second", "dry_run")
    REPLAY_ID_FIELD_NUMBER: _ClassVar[int]
    TOPIC_FIELD_NUMBER: _ClassVar[int]
    FROM_POSITION_FIELD_NUMBER: _ClassVar[int]
    FROM_TIME_FIELD_NUMBER: _ClassVar[int]
    TO_POSITION_FIELD_NUMBER: _ClassVar[int]
    TO_TIME_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    EVENTS_PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    replay_id: str
    topic: str
    from_position: int
    from_time: _timestamp_pb2.Timestamp
    to_position: int
    to_time: _timestamp_pb2.Timestamp
    filter: EventFilter
    events_per_second: int
    dry_run: bool
    def __init__(self, replay_id: _Optional[str] = ..., topic: _Optional[str] = ..., from_position: _Optional[int] = ..., from_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., to_position: _Optional[int] = ..., to_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., filter: _Optional[_Union[EventFilter, _Mapping]] = ..., events_per_second: _Optional[int] = ..., dry_run: _Optional[bool] = ...) -> None: ...

class Replay(_message.Message):
    __slots__ = ("replay_id", "topic", "from_position", "to_position", "filter", "events_per_second", "state", "position", "published_events", "parked_events", "total_events", "error", "created_at", "updated_at")
    class State(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        STATE_UNSPECIFIED: _ClassVar[Replay.State]
        STATE_RUNNING: _ClassVar[Replay.State]
        STATE_PAUSED: _ClassVar[Replay.State]
        STATE_FINISHED: _ClassVar[Replay.State]
        STATE_CANCELLED: _ClassVar[Replay.State]
    STATE_UNSPECIFIED: Replay.State
    STATE_RUNNING: Replay.State
    STATE_PAUSED: Replay.State
    STATE_FINISHED: Replay.State
    STATE_CANCELLED: Replay.State
    REPLAY_ID_FIELD_NUMBER: _ClassVar[int]
    TOPIC_FIELD_NUMBER: _ClassVar[int]
    FROM_POSITION_FIELD_NUMBER: _ClassVar[int]
    TO_POSITION_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    EVENTS_PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    PUBLISHED_EVENTS_FIELD_NUMBER: _ClassVar[int]
    PARKED_EVENTS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_EVENTS_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    UPDATED_AT_FIELD_NUMBER: _ClassVar[int]
    replay_id: str
    topic: str
    from_position: int
    to_position: int
    filter: EventFilter
    events_per_second: int
    state: Replay.State
    position: int
    published_events: int
    parked_events: int
    total_events: int
    error: str
    created_at: _timestamp_pb2.Timestamp
    updated_at: _timestamp_pb2.Timestamp
    def __init__(self, replay_id: _Optional[str] = ..., topic: _Optional[str] = ..., from_position: _Optional[int] = ..., to_position: _Optional[int] = ..., filter: _Optional[_Union[EventFilter, _Mapping]] = ..., events_per_second: _Optional[int] = ..., state: _Optional[_Union[Replay.State, str]] = ..., position: _Optional[int] = ..., published_events: _Optional[int] = ..., parked_events: _Optional[int] = ..., total_events: _Optional[int] = ..., error: _Optional[str] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., updated_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class GetReplayRequest(_message.Message):
    __slots__ = ("replay_id",)
    REPLAY_ID_FIELD_NUMBER: _ClassVar[int]
    replay_id: str
    def __init__(self, replay_id: _Optional[str] = ...) -> None: ...

class ListReplaysRequest(_message.Message):
    __slots__ = ("limit",)
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    limit: int
    def __init__(self, limit: _Optional[int] = ...) -> None: ...

class ListReplaysResponse(_message.Message):
    __slots__ = ("replays",)
    REPLAYS_FIELD_NUMBER: _ClassVar[int]
    replays: _containers.RepeatedCompositeFieldContainer[Replay]
    def __init__(self, replays: _Optional[_Iterable[_Union[Replay, _Mapping]]] = ...) -> None: ...

class PauseReplayRequest(_message.Message):
    __slots__ = ("replay_id",)
    REPLAY_ID_FIELD_NUMBER: _ClassVar[int]
    replay_id: str
    def __init__(self, replay_id: _Optional[str] = ...) -> None: ...

class ResumeReplayRequest(_message.Message):
    __slots__ = ("replay_id",)
    REPLAY_ID_FIELD_NUMBER: _ClassVar[int]
    replay_id: str
    def __init__(self, replay_id: _Optional[str] = ...) -> None: ...

class CancelReplayRequest(_message.Message):
    __slots__ = ("replay_id",)
    REPLAY_ID_FIELD_NUMBER: _ClassVar[int]
    replay_id: str
    def __init__(self, replay_id: _Optional[str] = ...) -> None: ...

class GetStatusRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetStatusResponse(_message.Message):
    __slots__ = ("head_position", "relay_position", "relay_owner", "parked_messages", "service_version", "schema_revision", "lag_events", "lag_age", "topics")
    HEAD_POSITION_FIELD_NUMBER: _ClassVar[int]
    RELAY_POSITION_FIELD_NUMBER: _ClassVar[int]
    RELAY_OWNER_FIELD_NUMBER: _ClassVar[int]
    PARKED_MESSAGES_FIELD_NUMBER: _ClassVar[int]
    SERVICE_VERSION_FIELD_NUMBER: _ClassVar[int]
    SCHEMA_REVISION_FIELD_NUMBER: _ClassVar[int]
    LAG_EVENTS_FIELD_NUMBER: _ClassVar[int]
    LAG_AGE_FIELD_NUMBER: _ClassVar[int]
    TOPICS_FIELD_NUMBER: _ClassVar[int]
    head_position: int
    relay_position: int
    relay_owner: str
    parked_messages: int
    service_version: str
    schema_revision: str
    lag_events: int
    lag_age: _duration_pb2.Duration
    topics: _containers.RepeatedCompositeFieldContainer[TopicStatus]
    def __init__(self, head_position: _Optional[int] = ..., relay_position: _Optional[int] = ..., relay_owner: _Optional[str] = ..., parked_messages: _Optional[int] = ..., service_version: _Optional[str] = ..., schema_revision: _Optional[str] = ..., lag_events: _Optional[int] = ..., lag_age: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., topics: _Optional[_Iterable[_Union[TopicStatus, _Mapping]]] = ...) -> None: ...

class TopicStatus(_message.Message):
    __slots__ = ("topic", "parked_messages", "oldest_parked_at", "position", "lag_events", "lag_age", "blocked_keys")
    TOPIC_FIELD_NUMBER: _ClassVar[int]
    PARKED_MESSAGES_FIELD_NUMBER: _ClassVar[int]
    OLDEST_PARKED_AT_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    LAG_EVENTS_FIELD_NUMBER: _ClassVar[int]
    LAG_AGE_FIELD_NUMBER: _ClassVar[int]
    BLOCKED_KEYS_FIELD_NUMBER: _ClassVar[int]
    topic: str
    parked_messages: int
    oldest_parked_at: _timestamp_pb2.Timestamp
    position: int
    lag_events: int
    lag_age: _duration_pb2.Duration
    blocked_keys: int
    def __init__(self, topic: _Optional[str] = ..., parked_messages: _Optional[int] = ..., oldest_parked_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., position: _Optional[int] = ..., lag_events: _Optional[int] = ..., lag_age: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., blocked_keys: _Optional[int] = ...) -> None: ...
