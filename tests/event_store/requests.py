"""Requests for the service, with everything that a test does not care about filled in."""

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from google.protobuf.empty_pb2 import Empty
from google.protobuf.timestamp_pb2 import Timestamp

from event_store.model.events import new_event_id
from event_store.v1 import event_store_pb2 as pb

ANY = pb.ExpectedVersion(any=Empty())
NO_STREAM = pb.ExpectedVersion(no_stream=Empty())
EXISTS = pb.ExpectedVersion(exists=Empty())


def exact(version: int) -> pb.ExpectedVersion:
    return pb.ExpectedVersion(exact=version)


def event(data: bytes = b'{"word": "dog"}', **given: Any) -> pb.NewEvent:
    values = {
        "event_id": new_event_id(),
        "event_type": "WordAdded",
        "event_data": data,
        "occurred_at": Timestamp(seconds=1_790_000_000, nanos=123_456_000),
    }
    return pb.NewEvent(**{**values, **given})


def append(
    aggregate_id: str | None = None,
    events: int | Sequence[pb.NewEvent] = 1,
    expected: pb.ExpectedVersion = ANY,
    aggregate_type: str = "Vocabulary",
) -> pb.AggregateAppend:
    return pb.AggregateAppend(
        aggregate_id=aggregate_id or str(uuid4()),
        aggregate_type=aggregate_type,
        expected_version=expected,
        events=[event() for _ in range(events)] if isinstance(events, int) else events,
    )


def request(*appends: pb.AggregateAppend) -> pb.AppendEventsRequest:
    return pb.AppendEventsRequest(appends=appends)
