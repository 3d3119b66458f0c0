"""Save and read snapshots: at most one for each aggregate, its newest.

An older snapshot never replaces a newer one, even if both are saved concurrently: one statement compares and
replaces the aggregate's row. A snapshot of the same version replaces it, because the form of the state may
have changed. A snapshot above the aggregate's last version is rejected, because it could not be loaded.
"""

from dataclasses import dataclass
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp
from psycopg.types.json import Jsonb

from event_store.contract.append_request import (
    MOST_DATA_BYTES,
    canonical_uuid,
    not_a_uuid,
    type_fault,
)
from event_store.contract.json_rules import find_fault
from event_store.database.pool import Database
from event_store.errors import (
    FieldViolation,
    InvalidArgumentError,
    LogCorruptedError,
    WrongAggregateTypeError,
)
from event_store.log import queries
from event_store.model.arguments import HIGHEST_VERSION
from event_store.v1 import event_store_pb2 as pb


@dataclass(frozen=True, slots=True)
class PreparedSnapshot:
    """A checked snapshot, in the form that PostgreSQL stores."""

    aggregate_id: str
    aggregate_type: str
    event_version: int
    snapshot_data: bytes


def prepare_snapshot(request: pb.SaveSnapshotRequest) -> PreparedSnapshot:
    """Check a request to save a snapshot against the contract's limits.

    Raises:
        InvalidArgumentError: A field is invalid; the error has a violation for each invalid field.
    """
    violations: list[FieldViolation] = []
    aggregate_id = canonical_uuid(request.aggregate_id)
    if aggregate_id is None:
        violations.append(FieldViolation("aggregate_id", not_a_uuid(request.aggregate_id)))
    if fault := type_fault(request.aggregate_type):
        violations.append(FieldViolation("aggregate_type", fault))
    if not 1 <= request.event_version <= HIGHEST_VERSION:
        fault = f"is {request.event_version}, 1 to {HIGHEST_VERSION} is allowed"
        violations.append(FieldViolation("event_version", fault))
    if fault := find_fault(request.snapshot_data, MOST_DATA_BYTES):
        violations.append(FieldViolation("snapshot_data", fault))
    if aggregate_id is None or violations:
        raise InvalidArgumentError(*violations)
    return PreparedSnapshot(
        aggregate_id, request.aggregate_type, request.event_version, request.snapshot_data
    )


class SnapshotTable:
    """Saves and reads snapshots.

    Args:
        database: The pool of the database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def save(self, snapshot: PreparedSnapshot) -> bool:
        """Save a snapshot unless there is a newer one; return whether it was saved.

        Raises:
            InvalidArgumentError: The version is above the aggregate's, or PostgreSQL cannot store the data.
            WrongAggregateTypeError: The aggregate has another type.
        """
        last_version, last_type, saved = await self._save(snapshot)
        if snapshot.event_version > (last_version or 0):
            fault = f"is {snapshot.event_version}, the aggregate's last version is {last_version or 0}"
            raise InvalidArgumentError.of("event_version", fault)
        if snapshot.aggregate_type != last_type:
            raise WrongAggregateTypeError(snapshot.aggregate_id, snapshot.aggregate_type, last_type)
        return bool(saved)

    async def get(self, aggregate_id: str) -> pb.Snapshot | None:
        """Return the snapshot of an aggregate, a canonical UUID; None if it has none.

        Raises:
            LogCorruptedError: The log lacks the event of the snapshot's version.
        """
        row = await (await self._database.execute(queries["get_snapshot"], (aggregate_id,))).fetchone()
        if row is None:
            return None
        aggregate_type, event_version, data, microseconds, is_in_log = row
        if not is_in_log:
            raise LogCorruptedError(
                f"the log is corrupted: version {event_version} of aggregate {aggregate_id} has a snapshot "
                "but is missing, so another program has changed the tables: "
                "stop appends and restore the database"
            )
        created_at = Timestamp()
        created_at.FromMicroseconds(microseconds)
        return pb.Snapshot(
            aggregate_id=aggregate_id,
            aggregate_type=aggregate_type,
            event_version=event_version,
            snapshot_data=data.encode(),
            created_at=created_at,
        )

    async def _save(self, snapshot: PreparedSnapshot) -> Any:
        arguments = {
            "aggregate_id": snapshot.aggregate_id,
            "aggregate_type": snapshot.aggregate_type,
            "event_version": snapshot.event_version,
            "snapshot_data": Jsonb(snapshot.snapshot_data, dumps=lambda text: text),
        }
        try:
            return await (await self._database.execute(queries["save_snapshot"], arguments)).fetchone()
        except InvalidArgumentError as error:
            fault = error.violations[0].description
            raise InvalidArgumentError.of("snapshot_data", fault) from error
