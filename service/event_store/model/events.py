"""Values that the client takes and returns: events before and after they are stored, appends and statuses.

All are frozen. `client.messages` converts them to the messages of the contract and back.
"""

import json
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from typing import Any
from uuid import UUID

from event_store.model.correlation import correlation_of


class ExpectedVersion(Enum):
    """The condition that an aggregate must meet for an append; a number is the version of its last event."""

    ANY = "any"
    """No condition."""
    NO_STREAM = "no_stream"
    """The aggregate has no events."""
    EXISTS = "exists"
    """The aggregate has at least one event."""


def new_event_id() -> str:
    """Return a new UUIDv7 (RFC 9562), which keeps ids of the same time together in the store's index."""
    milliseconds, rest = divmod(time.time_ns(), 1_000_000)
    fraction = (rest << 12) // 1_000_000  # 12 bits below the millisecond, RFC 9562 section 6.2, method 3
    random = int.from_bytes(os.urandom(8)) >> 2
    return str(UUID(int=milliseconds << 80 | 0x7 << 76 | fraction << 64 | 0b10 << 62 | random))


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event before it is stored.

    Attributes:
        event_type: 1 to 100 characters, by convention in the past tense: `WordAdded`.
        event_data: A JSON value of at most 1 MiB; bytes are JSON text.
        metadata: A JSON object of at most 64 KiB; bytes are JSON text. The keys `correlation_id`,
            `causation_id`, `traceparent` and `tracestate` are reserved, see `caused_by`. Default: empty.
        occurred_at: When the event happened, with a time zone; stored to the microsecond. Default: now.
        event_id: A UUID, unique in the store. Repeating an append with the same ids is safe. Default: a new
            UUIDv7.
    """

    event_type: str
    event_data: Any
    metadata: Mapping[str, Any] | bytes = field(default_factory=dict)
    occurred_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    event_id: str = field(default_factory=new_event_id)

    @classmethod
    def caused_by(
        cls,
        cause: "RecordedEvent",
        event_type: str,
        event_data: Any,
        metadata: Mapping[str, Any] | None = None,
    ) -> "NewEvent":
        """Return an event caused by another event, with its correlation id and trace context.

        Args:
            cause: The event whose id becomes the `causation_id`. Its `correlation_id`, or its id if it has
                none, becomes the `correlation_id`.
            event_type: As in `NewEvent`.
            event_data: As in `NewEvent`.
            metadata: More metadata; its values win over the inherited ones.
        """
        inherited = correlation_of(cause.metadata_json.decode())
        correlation = {"correlation_id": cause.event_id, **inherited, "causation_id": cause.event_id}
        return cls(event_type, event_data, {**correlation, **(metadata or {})})


@dataclass(frozen=True, slots=True)
class AggregateAppend:
    """Events for one aggregate, stored in their order.

    Attributes:
        aggregate_id: A UUID.
        aggregate_type: 1 to 100 characters, the same for every event of the aggregate.
        events: 1 to 1,000 events.
        expected_version: The condition for the append. A number is the version of the aggregate's last
            event, 0 if it has no events.
    """

    aggregate_id: str
    aggregate_type: str
    events: Sequence[NewEvent]
    expected_version: ExpectedVersion | int


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedEvent:
    """A historic event to import: the fields of `NewEvent`, with its aggregate and version.

    Attributes:
        aggregate_id: A UUID.
        aggregate_type: 1 to 100 characters, the same for every event of the aggregate.
        event_version: The version of the event in its aggregate, from 1, without gaps.
        event_type: 1 to 100 characters.
        event_data: A JSON value of at most 1 MiB; bytes are JSON text.
        occurred_at: When the event happened, with a time zone; stored to the microsecond.
        metadata: A JSON object of at most 64 KiB; bytes are JSON text. Default: empty.
        event_id: A UUID, unique in the store. Default: a new UUIDv7.
    """

    aggregate_id: str
    aggregate_type: str
    event_version: int
    event_type: str
    event_data: Any
    occurred_at: datetime
    metadata: Mapping[str, Any] | bytes = field(default_factory=dict)
    event_id: str = field(default_factory=new_event_id)


@dataclass(frozen=True, slots=True)
class ImportProgress:
    """The progress of an import.

    Attributes:
        stored_events: The number of events of the source that are in the log.
        last_global_position: The position of the last of them; 0 if there are none.
    """

    stored_events: int
    last_global_position: int


@dataclass(frozen=True, slots=True)
class AppendResult:
    """The version and positions of the events of one append.

    Attributes:
        aggregate_id: The UUID of the aggregate.
        event_version: The version of the last event of the append.
        first_global_position: The position of the first event; the positions are consecutive.
        last_global_position: The position of the last event.
        duplicate: Whether the events were already stored under the same ids, so that nothing was stored now.
    """

    aggregate_id: str
    event_version: int
    first_global_position: int
    last_global_position: int
    duplicate: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedEvent:
    """An event of the log. It never changes.

    Attributes:
        global_position: The position in the log, from 1.
        aggregate_id: The UUID of the aggregate.
        aggregate_type: The type of the aggregate.
        event_version: The version in the aggregate, from 1.
        event_id: The UUID of the event.
        event_type: The type of the event.
        event_data_json: The data, as JSON in UTF-8.
        metadata_json: The metadata, as a JSON object in UTF-8.
        occurred_at: When the event happened according to the client, in UTC.
        created_at: When the store recorded the event, by the database's clock, in UTC.
    """

    global_position: int
    aggregate_id: str
    aggregate_type: str
    event_version: int
    event_id: str
    event_type: str
    event_data_json: bytes
    metadata_json: bytes
    occurred_at: datetime
    created_at: datetime

    @property
    def event_data(self) -> Any:
        """The data, parsed at each access."""
        return json.loads(self.event_data_json)

    @property
    def metadata(self) -> dict[str, Any]:
        """The metadata, parsed at each access."""
        value: dict[str, Any] = json.loads(self.metadata_json)
        return value

    @property
    def correlation_id(self) -> str | None:
        """The id shared by all events with the same origin, from the metadata; None without one."""
        return correlation_of(self.metadata_json.decode()).get("correlation_id")

    @property
    def causation_id(self) -> str | None:
        """The id of the event or command that caused this event, from the metadata; None without one."""
        return correlation_of(self.metadata_json.decode()).get("causation_id")

    @property
    def traceparent(self) -> str | None:
        """The W3C trace context, from the metadata; None without one."""
        return correlation_of(self.metadata_json.decode()).get("traceparent")


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicStatus:
    """The progress of publishing to one topic.

    Attributes:
        topic: `projects/PROJECT/topics/NAME`.
        position: Every event for the topic up to this position was published or parked.
        lag_events: The number of events of the log after `position`, also those for other topics.
        lag_age_seconds: How long the first event after `position` has been in the log; 0 if there is none.
        parked_messages: The number of parked messages: rejected by Pub/Sub, or set aside behind a rejected
            one.
        oldest_parked_at: When the oldest of them was parked, in UTC; None if there are none.
        blocked_keys: The number of ordering keys that wait behind a parked message.
    """

    topic: str
    position: int
    lag_events: int
    lag_age_seconds: float
    parked_messages: int
    oldest_parked_at: datetime | None
    blocked_keys: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """The positions of the log and the relay, and the running versions.

    Attributes:
        head_position: The last position of the log; 0 if it is empty.
        relay_position: Every event up to this position was published, was parked or has no route.
        relay_owner: The instance that holds the relay's lease; empty if no instance does.
        parked_messages: The number of parked messages: rejected by Pub/Sub, or set aside behind a rejected
            one.
        service_version: The version of the service that answered.
        schema_revision: The revision of the database schema.
        lag_events: The number of events after `relay_position`.
        lag_age_seconds: How long the first event after `relay_position` has been in the log; 0 if there is
            none.
        topics: Every topic of the routing, and every other topic with parked messages or blocked keys; by
            name.
    """

    head_position: int
    relay_position: int
    relay_owner: str
    parked_messages: int
    service_version: str
    schema_revision: str
    lag_events: int
    lag_age_seconds: float
    topics: tuple[TopicStatus, ...]
