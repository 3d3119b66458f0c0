"""Check an append request and turn it into a frozen value that PostgreSQL can store."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final, NamedTuple

from google.protobuf.timestamp_pb2 import Timestamp

from event_store.contract.json_rules import find_fault
from event_store.errors import FieldViolation, InvalidArgumentError
from event_store.model.arguments import HIGHEST_VERSION
from event_store.model.correlation import find_correlation_fault
from event_store.v1 import event_store_pb2 as pb

# The limits that the contract states.
MOST_REQUEST_BYTES: Final = 4 * 1_048_576
MOST_APPENDS: Final = 100
MOST_EVENTS: Final = 1_000
MOST_DATA_BYTES: Final = 1_048_576
MOST_METADATA_BYTES: Final = 65_536
ANY: Final = -1
EXISTS: Final = -2

_EVENT_OVERHEAD_BYTES: Final = 600  # Python's objects around a small event, measured
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_NOT_IN_TYPES: Final = re.compile(r"[\x00-\x1f\x7f-\x9f*]")
_MOST_TYPE_CHARACTERS: Final = 100
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND_NANOS: Final = 1_000_000_000
_FIRST_SECOND, _LAST_SECOND = -62_135_596_800, 253_402_300_799  # of the years 1 and 9999

HasNoRoute = Callable[[str, str], bool]


# Named tuples: made in a third of the time of a frozen dataclass, up to 1,000 times a request.
class PreparedEvent(NamedTuple):
    """A checked event, in the form that PostgreSQL stores.

    Attributes:
        event_id: A canonical UUID in lower case.
        event_type: As in the request.
        event_data: Valid JSON.
        metadata: A valid JSON object.
        occurred_at: ISO 8601 with microseconds.
    """

    event_id: str
    event_type: str
    event_data: bytes
    metadata: bytes
    occurred_at: str


class PreparedAppend(NamedTuple):
    """The checked events for one aggregate; `expected` is a version, ANY or EXISTS."""

    aggregate_id: str
    aggregate_type: str
    expected: int
    events: tuple[PreparedEvent, ...]


class PreparedRequest(NamedTuple):
    """A checked request, which is stored all or none.

    Attributes:
        appends: One for each aggregate.
        event_count: The number of events in all appends.
        size_bytes: The approximate size in memory.
        keys: The ids of its aggregates and events: the requests of a batch share no key.
    """

    appends: tuple[PreparedAppend, ...]
    event_count: int
    size_bytes: int
    keys: frozenset[str]


def prepare_request(request: pb.AppendEventsRequest, has_no_route: HasNoRoute | None) -> PreparedRequest:
    """Check an append request against the contract's limits.

    Args:
        request: The request.
        has_no_route: Returns true if no route accepts an aggregate type and event type, so that the append
            is rejected. None accepts everything.

    Raises:
        InvalidArgumentError: A field is invalid; the error has a violation for each invalid field.
    """
    size_bytes = request.ByteSize()
    if size_bytes > MOST_REQUEST_BYTES:
        _reject("", f"the request is {size_bytes} bytes, at most {MOST_REQUEST_BYTES} are allowed")
    messages = list(request.appends)
    if not 1 <= len(messages) <= MOST_APPENDS:
        _reject("appends", f"has {len(messages)} items, 1 to {MOST_APPENDS} are allowed")
    event_count = sum([len(message.events) for message in messages])
    if event_count > MOST_EVENTS:
        _reject("appends", f"has {event_count} events in total, at most {MOST_EVENTS} are allowed")
    check = Check(has_no_route)
    appends = tuple([check.append(index, message) for index, message in enumerate(messages)])
    if check.violations:
        raise InvalidArgumentError(*check.violations)
    memory_bytes = size_bytes + event_count * _EVENT_OVERHEAD_BYTES
    return PreparedRequest(appends, event_count, memory_bytes, frozenset(check.keys))


def canonical_uuid(text: str) -> str | None:
    """Return a UUID in lower case; None if the text is not a UUID in the canonical form of 36 characters."""
    return text.lower() if _UUID.fullmatch(text) else None


def not_a_uuid(text: str) -> str:
    """Return the description of an error about a text that is not a canonical UUID."""
    return f"{text[:50]!r} is not a UUID in its canonical form of 36 characters"


def _reject(field: str, description: str) -> None:
    raise InvalidArgumentError.of(field, description)


class Check:
    """Check one request and collect the violations; field paths are built for violations only."""

    def __init__(self, has_no_route: HasNoRoute | None) -> None:
        self.violations: list[FieldViolation] = []
        self.keys: set[str] = set()
        self._has_no_route = has_no_route
        self._path: tuple[int, ...] = ()

    def append(self, index: int, append: pb.AggregateAppend) -> PreparedAppend:
        """Check the events for one aggregate; the result is only valid without violations."""
        self._path = (index,)
        aggregate_id = self._uuid("aggregate_id", append.aggregate_id, "aggregate ")
        aggregate_type = append.aggregate_type
        if fault := type_fault(aggregate_type):
            self.note("aggregate_type", fault)
        expected = self._expected(append.expected_version)
        if not append.events:
            self.note("events", "is empty, at least 1 event is required")
        events = tuple(
            [self.event((index, number), event, aggregate_type) for number, event in enumerate(append.events)]
        )
        return PreparedAppend(aggregate_id, aggregate_type, expected, events)

    def event(self, path: tuple[int, ...], event: pb.NewEvent, aggregate_type: str) -> PreparedEvent:
        """Check one event; the result is only valid without violations."""
        self._path = path
        event_id = self._uuid("event_id", event.event_id)
        event_type, data, metadata = event.event_type, event.event_data, event.metadata or b"{}"
        if fault := type_fault(event_type):
            self.note("event_type", fault)
        elif self._has_no_route is not None and self._has_no_route(aggregate_type, event_type):
            self.note("event_type", _no_route(aggregate_type, event_type))
        if fault := find_fault(data, MOST_DATA_BYTES):
            self.note("event_data", fault)
        if fault := find_fault(metadata, MOST_METADATA_BYTES):
            self.note("metadata", fault)
        elif metadata[:1] != b"{" and not metadata.lstrip().startswith(b"{"):
            self.note("metadata", "is not a JSON object")
        elif fault := find_correlation_fault(metadata):
            self.note("metadata", fault)
        if not event.HasField("occurred_at"):
            self.note("occurred_at", "is required")
        elif (occurred_at := _time_text(event.occurred_at)) is None:
            self.note("occurred_at", "is not a time in the years 1 to 9999")
        else:
            return PreparedEvent(event_id, event_type, data, metadata, occurred_at)
        return PreparedEvent(event_id, event_type, data, metadata, "")

    def note(self, field: str, description: str) -> None:
        """Add a violation of a field."""
        self.violations.append(FieldViolation(f"{self.place()}{field}", description))

    def place(self) -> str:
        """Return the prefix of the path of a field."""
        steps = zip(("appends", "events"), self._path, strict=False)
        return "".join(f"{name}[{index}]." for name, index in steps)

    def _uuid(self, field: str, text: str, kind: str = "") -> str:
        uuid = canonical_uuid(text)
        if uuid is None:
            self.note(field, not_a_uuid(text))
            return ""
        key = kind + uuid  # an aggregate and an event may have the same id, two of the same kind may not
        if key in self.keys:
            self.note(field, f"{uuid} occurs twice in the request")
        self.keys.add(key)
        return uuid

    def _expected(self, expected: pb.ExpectedVersion) -> int:
        match expected.WhichOneof("kind"):
            case "any":
                return ANY
            case "exists":
                return EXISTS
            case "no_stream":
                return 0
            case "exact" if expected.exact <= HIGHEST_VERSION:
                return expected.exact
            case "exact":
                self.note(
                    "expected_version.exact", f"is {expected.exact}, at most {HIGHEST_VERSION} is allowed"
                )
            case _:
                self.note("expected_version", "is required: any, no_stream, exists or exact")
        return ANY


def _no_route(aggregate_type: str, event_type: str) -> str:
    return (
        f"no route of the topology accepts {event_type!r} of aggregate type {aggregate_type!r}: "
        "add a route, or set `unrouted: store-only`"
    )


def _time_text(time: Timestamp) -> str | None:
    seconds, nanos = time.seconds, time.nanos
    if not (_FIRST_SECOND <= seconds <= _LAST_SECOND and 0 <= nanos < _SECOND_NANOS):
        return None
    return f"{_second_text(seconds)}.{nanos // 1000:06}Z"


@lru_cache(4096)  # most events are of now
def _second_text(seconds: int) -> str:
    return (_EPOCH + timedelta(seconds=seconds)).isoformat()[:19]


@lru_cache(4096)  # few types, many events
def type_fault(text: str) -> str:
    """Return what is wrong with an aggregate type or event type; empty if nothing is."""
    if not 1 <= len(text) <= _MOST_TYPE_CHARACTERS:
        return f"has {len(text)} characters, 1 to {_MOST_TYPE_CHARACTERS} are allowed"
    if _NOT_IN_TYPES.search(text):
        return f"{text!r} contains a control character or '*'"
    return ""
