"""One part of an import, checked and in the form that COPY takes.

The rows are those of the temporary table `import_part`, in PostgreSQL's binary format: it needs no escapes,
and the server parses nothing of it but the JSON.
"""

import struct
from dataclasses import dataclass
from typing import Final

from event_store.contract.append_request import (
    MOST_EVENTS,
    MOST_REQUEST_BYTES,
    Check,
    HasNoRoute,
    canonical_uuid,
    not_a_uuid,
    type_fault,
)
from event_store.errors import (
    EventAlreadyExistsError,
    EventStoreError,
    InvalidArgumentError,
    WrongAggregateTypeError,
    WrongExpectedVersionError,
)
from event_store.model.arguments import HIGHEST_VERSION
from event_store.v1 import event_store_pb2 as pb

_SIGNATURE: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_END: Final = b"\xff\xff"
# Each value has its length before it; the last number of each is the length of what comes behind.
_TO_AGGREGATE_TYPE: Final = struct.Struct("!hii i? i16s i16s i").pack
_LENGTH: Final = struct.Struct("!i").pack
_TO_EVENT_DATA: Final = struct.Struct("!ii ib").pack
_TO_METADATA: Final = struct.Struct("!ib").pack
_TIME: Final = struct.Struct("!iq").pack
_COLUMNS: Final = 10
_JSONB: Final = 1  # the version of its form, before the text
_EPOCH_SECONDS: Final = 946_684_800  # PostgreSQL counts from the year 2000


@dataclass(frozen=True, slots=True)
class ImportPart:
    """A part that PostgreSQL can take as it is.

    Attributes:
        first_number: The number of its first event in the source, from 1.
        event_count: How many it has.
        rows: What COPY is sent.
    """

    first_number: int
    event_count: int
    rows: bytes


def prepare_part(
    request: pb.ImportEventsRequest, first_number: int, has_no_route: HasNoRoute | None
) -> ImportPart:
    """Check a part against the contract's limits, and its events against each other.

    Args:
        request: What came in.
        first_number: The number of its first event in the source, from 1.
        has_no_route: Tells which events no topic takes, see `validation.prepare_request`.

    Raises:
        InvalidArgumentError: With a violation for each wrong field of the first wrong event.
        WrongExpectedVersionError: An event's version does not follow that of its aggregate's event before it.
        WrongAggregateTypeError: An event's aggregate is of another type in an event before it.
        EventAlreadyExistsError: An event id is in it twice.
    """
    _check_request(request)
    check = _PartCheck(first_number, has_no_route)
    rows = b"".join([row for event in request.events for row in check.row(event)])
    return ImportPart(first_number, len(request.events), b"".join((_SIGNATURE, rows, _END)))


def at_event(number: int, error: EventStoreError) -> EventStoreError:
    """Return an error whose message names an event by its number in the source."""
    error.args = (f"event {number}: {error}",)
    return error


class _PartCheck(Check):
    """Goes through one part, up to the first wrong event."""

    def __init__(self, first_number: int, has_no_route: HasNoRoute | None) -> None:
        super().__init__(has_no_route)
        self._first_number = first_number
        self._number = 0  # within the part, from 1
        self._last: dict[str, tuple[int, str]] = {}  # the version and type of each aggregate
        self._ids: set[str] = set()

    @property
    def _source_number(self) -> int:
        return self._first_number + self._number - 1

    def place(self) -> str:
        return f"event {self._source_number}: "

    def row(self, imported: pb.ImportedEvent) -> tuple[bytes, ...]:
        """Return the row of the next event, in pieces.

        Raises:
            EventStoreError: It is wrong, see `prepare_part`.
        """
        self._number += 1
        event, aggregate_type, version = imported.event, imported.aggregate_type, imported.event_version
        aggregate_id = canonical_uuid(imported.aggregate_id)
        if aggregate_id is None:
            self.note("aggregate_id", not_a_uuid(imported.aggregate_id))
        if fault := type_fault(aggregate_type):
            self.note("aggregate_type", fault)
        if not 1 <= version <= HIGHEST_VERSION:
            self.note("event_version", f"is {version}, 1 to {HIGHEST_VERSION} is allowed")
        self.keys.clear()  # an id that comes twice is no wrong field here
        prepared = self.event((), event, aggregate_type)
        if aggregate_id is None or self.violations:
            raise InvalidArgumentError(*self.violations)
        if prepared.event_id in self._ids:
            raise at_event(self._source_number, EventAlreadyExistsError(prepared.event_id))
        self._ids.add(prepared.event_id)
        is_first = self._follow(aggregate_id, aggregate_type, version)
        type_bytes, event_type_bytes = aggregate_type.encode(), prepared.event_type.encode()
        time = event.occurred_at
        return (
            _TO_AGGREGATE_TYPE(
                *(
                    _COLUMNS,
                    4,
                    self._number,
                    1,
                    is_first,
                    16,
                    bytes.fromhex(prepared.event_id.replace("-", "")),
                ),
                *(16, bytes.fromhex(aggregate_id.replace("-", "")), len(type_bytes)),
            ),
            type_bytes,
            _LENGTH(len(event_type_bytes)),
            event_type_bytes,
            _TO_EVENT_DATA(4, version, len(prepared.event_data) + 1, _JSONB),
            prepared.event_data,
            _TO_METADATA(len(prepared.metadata) + 1, _JSONB),
            prepared.metadata,
            _TIME(8, (time.seconds - _EPOCH_SECONDS) * 1_000_000 + time.nanos // 1000),
        )

    def _follow(self, aggregate_id: str, aggregate_type: str, version: int) -> bool:
        """Put an event behind the last one of its aggregate; return whether there is none in this part."""
        last_version, last_type = self._last.get(aggregate_id, (0, ""))
        self._last[aggregate_id] = version, aggregate_type
        if not last_version:
            return True
        number = self._source_number
        if aggregate_type != last_type:
            raise at_event(number, WrongAggregateTypeError(aggregate_id, aggregate_type, last_type))
        if version != last_version + 1:
            raise at_event(number, WrongExpectedVersionError(aggregate_id, str(version - 1), last_version))
        return False


def _check_request(request: pb.ImportEventsRequest) -> None:
    fault = ""
    size_bytes = request.ByteSize()
    if request.import_id:
        field, fault = "import_id", "is set, which it may be in the first request only"
    elif size_bytes > MOST_REQUEST_BYTES:
        field, fault = "", f"the request is {size_bytes} bytes, at most {MOST_REQUEST_BYTES} are allowed"
    elif not 1 <= len(request.events) <= MOST_EVENTS:
        field, fault = "events", f"there are {len(request.events)}, 1 to {MOST_EVENTS} are allowed"
    if fault:
        raise InvalidArgumentError.of(field, fault)
