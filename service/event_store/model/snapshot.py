"""Snapshots, and the result of loading an aggregate."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from event_store.model.events import RecordedEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The state of an aggregate at one of its versions.

    Attributes:
        aggregate_id: The UUID of the aggregate.
        aggregate_type: The type of the aggregate.
        event_version: The version of the last event that the state includes.
        snapshot_data_json: The state, as JSON in UTF-8.
        created_at: When the store recorded the snapshot, by the database's clock, in UTC.
    """

    aggregate_id: str
    aggregate_type: str
    event_version: int
    snapshot_data_json: bytes
    created_at: datetime

    @property
    def snapshot_data(self) -> Any:
        """The state, parsed anew each time."""
        return json.loads(self.snapshot_data_json)


@dataclass(frozen=True, slots=True)
class LoadedAggregate:
    """The newest snapshot of an aggregate and the events after it.

    Attributes:
        snapshot: The newest snapshot; None if the aggregate has none.
        events: All events after the snapshot, or all events without one, in the order of their versions.
    """

    snapshot: Snapshot | None
    events: tuple[RecordedEvent, ...]

    @property
    def event_version(self) -> int:
        """The version of the aggregate's last event, for the next append to expect; 0 if it has none."""
        if self.events:
            return self.events[-1].event_version
        return self.snapshot.event_version if self.snapshot is not None else 0
