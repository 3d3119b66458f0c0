"""A page of events: as the database gives it, and in messages of a bounded size."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, LiteralString

from google.protobuf.timestamp_pb2 import Timestamp

from event_store.database import Database, Row
from event_store.v1 import event_store_pb2 as pb

PAGE_EVENTS: Final = 100  # measured: the most events per second through gRPC
PAGE_BYTES: Final = 1_048_576  # as PostgreSQL keeps them, compressed where they are large
_MESSAGE_BYTES: Final = 1_048_576  # one event may be larger; gRPC's clients take 4 MiB by default
VERSION, POSITION, _MORE = 8, 9, 11  # columns of a row


@dataclass(frozen=True, slots=True)
class Page:
    """What one statement read.

    Attributes:
        head_position: The last position of the log, in the same snapshot.
        rows: One for each event.
        has_more: Whether more events than these fit what was asked for.
    """

    head_position: int
    rows: Sequence[Row]
    has_more: bool


async def read_page(
    database: Database, query: LiteralString, arguments: Sequence[Any] | Mapping[str, Any]
) -> Page:
    """Read a page by one of the queries for pages."""
    async with database.connection() as connection:
        rows = await (await connection.execute(query, arguments)).fetchall()
    if rows[0][1] is None:  # a page without events is one row without an event
        return Page(rows[0][0], (), has_more=False)
    return Page(rows[0][0], rows, has_more=rows[-1][_MORE])


def in_messages(events: Iterable[pb.RecordedEvent]) -> Iterator[list[pb.RecordedEvent]]:
    """Yield the events in parts that each fit into a message; one empty part for none."""
    part: list[pb.RecordedEvent] = []
    size_bytes = 0
    for event in events:
        event_bytes = len(event.event_data) + len(event.metadata)
        if part and size_bytes + event_bytes > _MESSAGE_BYTES:
            yield part
            part, size_bytes = [], 0
        part.append(event)
        size_bytes += event_bytes
    yield part


def recorded_event(row: Row) -> pb.RecordedEvent:
    """Return the event of a row. JSON goes through as it comes."""
    (
        _,
        event_id,
        event_type,
        data,
        metadata,
        occurred_at,
        aggregate_id,
        aggregate_type,
        version,
        position,
        at,
        _,
    ) = row
    return pb.RecordedEvent(
        event_id=event_id,
        event_type=event_type,
        event_data=data.encode(),
        metadata=metadata.encode(),
        occurred_at=_timestamp(occurred_at),
        aggregate_id=aggregate_id,
        aggregate_type=aggregate_type,
        event_version=version,
        global_position=position,
        created_at=_timestamp(at),
    )


def _timestamp(microseconds: int) -> Timestamp:
    seconds, rest = divmod(microseconds, 1_000_000)
    return Timestamp(seconds=seconds, nanos=rest * 1000)
