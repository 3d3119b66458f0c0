"""The values that the client takes and gives: events before and after they are stored, and appends.

They are plain and frozen; `client.messages` turns them into the messages of the contract and back.
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
    """What an aggregate must look like for events to be appended; a number says the same of its version."""

    ANY = "any"
    NO_STREAM = "no_stream"
    EXISTS = "exists"


def new_event_id() -> str:
    """Return a UUIDv7 (RFC 9562): ids made one after the other lie side by side in the store's index."""
    milliseconds, rest = divmod(time.time_ns(), 1_000_000)
    fraction = (rest << 12) // 1_000_000  # 12 bits below the millisecond, RFC 9562 section 6.2, method 3
    random = int.from_bytes(os.urandom(8)) >> 2
    return str(UUID(int=milliseconds << 80 | 0x7 << 76 | fraction << 64 | 0b10 << 62 | random))


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event before it is stored.

    Attributes:
        event_type: 1 to 100 characters, past tense by custom: `WordAdded`.
        event_data: A JSON value of at most 1 MiB; bytes are taken to be JSON text already.
        metadata: A JSON object of at most 64 KiB; bytes are taken to be JSON text already. Its keys
            `correlation_id`, `causation_id`, `traceparent` and `tracestate` are reserved: see `caused_by`.
        occurred_at: When it happened, with a time zone; kept to the microsecond.
        event_id: A UUID, unique in the store. Repeating an append is safe as long as the ids are the same.
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
        """Return an event that another one set off: it carries on its correlation and its trace context.

        Args:
            cause: Its id is the `causation_id`; its `correlation_id` or else its id the `correlation_id`.
            event_type: As of any event.
            event_data: As of any event.
            metadata: More of it; what it has of the reserved keys is kept.
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
        events: 1 to 1,000.
        expected_version: What the aggregate must look like; a number is the version of its last event,
            0 of one that has none.
    """

    aggregate_id: str
    aggregate_type: str
    events: Sequence[NewEvent]
    expected_version: ExpectedVersion | int


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedEvent:
    """A historic event, to be imported; the fields are those of `NewEvent` and what an append works out.

    Attributes:
        aggregate_id: A UUID.
        aggregate_type: 1 to 100 characters, the same for every event of the aggregate.
        event_version: Its place in its aggregate, from 1: one more than that of the event before it.
        event_type: 1 to 100 characters.
        event_data: A JSON value of at most 1 MiB; bytes are taken to be JSON text already.
        occurred_at: When it happened, with a time zone; kept to the microsecond.
        metadata: A JSON object of at most 64 KiB; bytes are taken to be JSON text already.
        event_id: A UUID, unique in the store.
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
    """How far an import is.

    Attributes:
        stored_events: How many events of the source are in the log.
        last_global_position: The position of the last of them; 0 if there is none.
    """

    stored_events: int
    last_global_position: int


@dataclass(frozen=True, slots=True)
class AppendResult:
    """Where the events of one aggregate were stored.

    Attributes:
        aggregate_id: The aggregate.
        event_version: The version of the last event.
        first_global_position: The position of the first event; those between are consecutive.
        last_global_position: The position of the last event.
        duplicate: Whether they had been stored before, under the same ids.
    """

    aggregate_id: str
    event_version: int
    first_global_position: int
    last_global_position: int
    duplicate: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedEvent:
    """An event as it stands in the log. It never changes.

    Attributes:
        global_position: Its place in the log, from 1.
        aggregate_id: Its aggregate, a UUID.
        aggregate_type: The aggregate's type.
        event_version: Its place in its aggregate, from 1.
        event_id: A UUID.
        event_type: Its type.
        event_data_json: Its data, JSON in UTF-8.
        metadata_json: Its metadata, a JSON object in UTF-8.
        occurred_at: When it happened, in the eyes of who appended it; in UTC.
        created_at: When the store recorded it, by the database's clock; in UTC.
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
        """Its data, parsed anew each time."""
        return json.loads(self.event_data_json)

    @property
    def metadata(self) -> dict[str, Any]:
        """Its metadata, parsed anew each time."""
        value: dict[str, Any] = json.loads(self.metadata_json)
        return value

    @property
    def correlation_id(self) -> str | None:
        """What it shares with all that one thing set off, from its metadata; None if it has none."""
        return correlation_of(self.metadata_json.decode()).get("correlation_id")

    @property
    def causation_id(self) -> str | None:
        """What set it off, the id of an event or a command, from its metadata; None if it has none."""
        return correlation_of(self.metadata_json.decode()).get("causation_id")

    @property
    def traceparent(self) -> str | None:
        """Its trace context as W3C defines it, from its metadata; None if it has none."""
        return correlation_of(self.metadata_json.decode()).get("traceparent")


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicStatus:
    """How far a topic is, and what did not reach it.

    Attributes:
        topic: `projects/PROJECT/topics/NAME`.
        position: Every event up to here that goes to the topic was published or parked.
        lag_events: How many events of the log are behind it, whether they go to the topic or not.
        lag_age_seconds: For how long the first of them has been in the log; 0 if there is none.
        parked_messages: How many messages could not be published to it and were set aside.
        oldest_parked_at: When the first of them was; None if there is none.
        blocked_keys: How many ordering keys wait behind one of them.
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
    """How far the log and the relay are.

    Attributes:
        head_position: The last position of the log; 0 if it is empty.
        relay_position: Every event up to here was published, parked or is not routed anywhere.
        relay_owner: Who holds the relay's lease; empty if nobody does.
        parked_messages: How many messages could not be published and were set aside.
        service_version: The version of the service that answered.
        schema_revision: The revision of the database's schema.
        lag_events: How many events the relay has still to settle.
        lag_age_seconds: For how long the first of them has been in the log; 0 if there is none.
        topics: Each topic of the routing and each that has parked messages or blocked keys, by name.
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
