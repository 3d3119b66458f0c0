"""Check the filters and times of requests that read or follow the log."""

from typing import Final

from google.protobuf.timestamp_pb2 import Timestamp

from event_store.errors import InvalidArgumentError
from event_store.model.event_filter import EventFilter
from event_store.v1 import event_store_pb2 as pb

_SECOND_NANOS: Final = 1_000_000_000
_FIRST_SECOND, _LAST_SECOND = -62_135_596_800, 253_402_300_799  # of the years 1 and 9999


def event_filter(message: pb.EventFilter) -> EventFilter:
    """Convert a filter of the contract.

    Raises:
        InvalidArgumentError: The filter is outside its limits.
    """
    return EventFilter(tuple(message.aggregate_types), tuple(message.event_types))


def microseconds_of(time: Timestamp, field: str, *, round_up: bool) -> int:
    """Convert a time to microseconds since 1970.

    Args:
        time: The time.
        field: The name of the field, for the error.
        round_up: Whether to round nanoseconds up; down otherwise.

    Raises:
        InvalidArgumentError: The time is outside the years 1 to 9999.
    """
    if not (_FIRST_SECOND <= time.seconds <= _LAST_SECOND and 0 <= time.nanos < _SECOND_NANOS):
        raise InvalidArgumentError.of(field, "is outside the years 1 to 9999")
    return time.seconds * 1_000_000 + (time.nanos + 999 * round_up) // 1000
