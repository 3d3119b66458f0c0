"""The state of an aggregate at one of its versions, and what an aggregate is made of."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from event_store.model.events import RecordedEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The state of an aggregate at one of its versions.

    Attributes:
        aggregate_id: The aggregate, a UUID.
        aggregate_type: Its type.
        event_version: The version of the last event that is in it.
        snapshot_data_json: The state, JSON in UTF-8.
        created_at: When the store recorded it, by the database's clock; in UTC.
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
    """All that an aggregate's state is made of.

    Attributes:
        snapshot: Where to begin; None at nothing.
        events: All events after the snapshot, in the order of their versions.
    """

    snapshot: Snapshot | None
    events: tuple[RecordedEvent, ...]

    @property
    def event_version(self) -> int:
        """The version of its last event, to be expected by the next append; 0 if it has none."""
        if self.events:
            return self.events[-1].event_version
        return self.snapshot.event_version if self.snapshot is not None else 0
