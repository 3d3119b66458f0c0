"""What a request to start a replay asks for, as a value that is checked."""

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
    """A request to start a replay, within the contract's limits.

    Attributes:
        replay_id: A canonical UUID in lower case.
        topic: The name of the topic.
        from_position: The first position; 0 is the first one.
        from_microseconds: Instead of it, since 1970: the first event that was recorded then or later.
        to_position: The last position; 0 is the head.
        to_microseconds: Instead of it: the last event that was recorded then or earlier.
        event_filter: Which events.
        events_per_second: At most so many; 0 is no limit.
        dry_run: Whether they are only counted.
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
        """What a repetition must have in common with it, as JSON."""
        return {
            "topic": self.topic,
            "from": [self.from_position, self.from_microseconds],
            "to": [self.to_position, self.to_microseconds],
            "aggregate_types": list(self.event_filter.aggregate_types),
            "event_types": list(self.event_filter.event_types),
            "events_per_second": self.events_per_second,
        }


def prepare_replay(request: pb.StartReplayRequest) -> PreparedReplay:
    """Check a request against the contract's limits.

    Raises:
        InvalidArgumentError: With a violation for each wrong field.
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
    """Note what is wrong, and go on with the other fields."""
    try:
        yield
    except InvalidArgumentError as error:
        violations += error.violations


def replay_id_of(
    request: pb.GetReplayRequest | pb.PauseReplayRequest | pb.ResumeReplayRequest | pb.CancelReplayRequest,
) -> str:
    """Return the id of a replay, canonical.

    Raises:
        InvalidArgumentError: It is no UUID.
    """
    replay_id = canonical_uuid(request.replay_id)
    if replay_id is None:
        raise InvalidArgumentError.of("replay_id", not_a_uuid(request.replay_id))
    return replay_id


def limit_of(request: pb.ListReplaysRequest) -> int:
    """Return how many replays are wanted at the most.

    Raises:
        InvalidArgumentError: It is above what is allowed.
    """
    if request.limit > MOST_LISTED:
        raise InvalidArgumentError.of("limit", f"is {request.limit}, at most {MOST_LISTED} are allowed")
    return request.limit or _LISTED
