"""Add snapshots to the adapter; the event store keeps the newest one of each aggregate."""

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from eventsourcing import persistence as library
from eventsourcing.persistence import StoredEvent

import event_store as store
from examples.eventsourcing_adapter.adapter import Factory, begin, from_json, result, to_json


class Snapshots(library.AggregateRecorder):
    """Record the newest snapshot of each aggregate of an application."""

    def __init__(self, client: store.Client, application: str) -> None:
        self.client, self.application = client, application

    def insert_events(self, stored_events: Sequence[StoredEvent], **_: Any) -> None:
        """Save snapshots; ignore those that are older than the stored one."""
        for each in stored_events:
            data = {"topic": each.topic, "state": json.loads(to_json(each.state))}
            place = (str(each.originator_id), self.application, each.originator_version)
            result(begin(self.client.save_snapshot(*place, data)))

    def select_events(self, originator_id: UUID | str, **bounds: Any) -> Sequence[StoredEvent]:
        """Return the snapshot if gt < version <= lte."""
        found = result(begin(self.client.get_snapshot(str(originator_id))))
        gt, lte = bounds.get("gt"), bounds.get("lte")
        if found is None or (gt is not None and found.event_version <= gt):
            return []
        if lte is not None and found.event_version > lte:
            return []
        data = found.snapshot_data
        state = from_json(json.dumps(data["state"]).encode())
        return [StoredEvent(originator_id, found.event_version, data["topic"], state)]


class SnapshottingFactory(Factory):
    """Create the recorders of an application that takes snapshots."""

    def aggregate_recorder(self, *_: Any, **__: Any) -> Snapshots:
        """Return the recorder of the application's snapshots."""
        return Snapshots(self.client, self.env.name)
