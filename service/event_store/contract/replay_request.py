"""Check the requests about replays."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from event_store.contract.append_request import canonical_uuid, not_a_uuid
from event_store.contract.read_request import event_filter, microseconds_of
from event_store.errors import (
    FieldViolation,
    InvalidArgumentError,
)
from event_store.model.event_filter import EventFilter
from event_store.model.replay import MOST_EVENTS_PER_SECOND, MOST_LISTED
from event_store.v1 import event_store_pb2 as pb

_LISTED: Final = 100
_HIGHEST_POSITION: Final = 1 << 62  # above every log's


@dataclass(frozen=True, slots=True)
class PreparedReplay:
    """A checked request to start a replay.

    Attributes:
        replay_id: A canonical UUID in lower case.
        topic: The name of the topic.
        from_position: The first position, inclusive; 0 is the first of the log.
        from_microseconds: Instead of `from_position`: begin with the first event recorded at this time or
            later, in microseconds since 1970; None without one.
        to_position: The last position, inclusive; 0 is the head.
        to_microseconds: Instead of `to_position`: end with the last event recorded at this time or earlier.
        event_filter: The events to publish.
        events_per_second: The rate limit; 0 is no limit.
        dry_run: Whether to count the events only.
    """

    replay_id: str
    topic: str
    from_position: int
    from_microseconds: int | None
    to_position: int
    to_microseconds: int | None
    event_filter: EventFilter
    events_per_second: int
    dry_run: bool

    @property
    def request(self) -> Mapping[str, Any]:
        """The fields that a repeated request must have in common with this one, as JSON."""
        return {
            "topic": self.topic,
            "from": [self.from_position, self.from_microseconds],
            "to": [self.to_position, self.to_microseconds],
            "aggregate_types": list(self.event_filter.aggregate_types),
            "event_types": list(self.event_filter.event_types),
            "events_per_second": self.events_per_second,
        }


def prepare_replay(request: pb.StartReplayRequest) -> PreparedReplay:
    """Check a request to start a replay against the contract's limits.

    Raises:
        InvalidArgumentError: A field is invalid; the error has a violation for each invalid field.
    """
    violations: list[FieldViolation] = []
    replay_id = canonical_uuid(request.replay_id)
    if replay_id is None:
        violations.append(FieldViolation("replay_id", not_a_uuid(request.replay_id)))
    if request.events_per_second > MOST_EVENTS_PER_SECOND:
        fault = f"is {request.events_per_second}, at most {MOST_EVENTS_PER_SECOND} are allowed"
        violations.append(FieldViolation("events_per_second", fault))
    selected = EventFilter()
    from_microseconds: int | None = None
    to_microseconds: int | None = None
    with _noted(violations):
        selected = event_filter(request.filter)
    with _noted(violations):
        if request.WhichOneof("start") == "from_time":
            from_microseconds = microseconds_of(request.from_time, "from_time", round_up=True)
    with _noted(violations):
        if request.WhichOneof("end") == "to_time":
            to_microseconds = microseconds_of(request.to_time, "to_time", round_up=False)
    if replay_id is None or violations:
        raise InvalidArgumentError(*violations)
    return PreparedReplay(
        replay_id=replay_id,
        topic=request.topic,
        from_position=min(request.from_position, _HIGHEST_POSITION),
        from_microseconds=from_microseconds,
        to_position=min(request.to_position, _HIGHEST_POSITION),
        to_microseconds=to_microseconds,
        event_filter=selected,
        events_per_second=request.events_per_second,
        dry_run=request.dry_run,
    )


@contextmanager
def _noted(violations: list[FieldViolation]) -> Iterator[None]:
    """Collect the violations of a check, so that the other fields are checked too."""
    try:
        yield
    except InvalidArgumentError as error:
        violations += error.violations


def replay_id_of(
    request: pb.GetReplayRequest | pb.PauseReplayRequest | pb.ResumeReplayRequest | pb.CancelReplayRequest,
) -> str:
    """Return the replay id of a request, as a canonical UUID.

    Raises:
        InvalidArgumentError: The id is not a UUID.
    """
    replay_id = canonical_uuid(request.replay_id)
    if replay_id is None:
        raise InvalidArgumentError.of("replay_id", not_a_uuid(request.replay_id))
    return replay_id


def limit_of(request: pb.ListReplaysRequest) -> int:
    """Return the limit of a request to list replays; 100 if it is 0.

    Raises:
        InvalidArgumentError: The limit is above 1,000.
    """
    if request.limit > MOST_LISTED:
        raise InvalidArgumentError.of("limit", f"is {request.limit}, at most {MOST_LISTED} are allowed")
    return request.limit or _LISTED
