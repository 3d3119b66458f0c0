"""Short names for what has long ones, and the other way round."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final
from uuid import uuid4

from event_store.errors import (
    EventAlreadyExistsError,
    EventStoreError,
    InvalidArgumentError,
    UnavailableError,
    WrongAggregateTypeError,
    WrongExpectedVersionError,
)
from event_store.model.events import AggregateAppend, AppendResult, ExpectedVersion, NewEvent, RecordedEvent
from tests.system.history.history import ANY, EXISTS, Event, Part, Refused, Result, StoredEvent, Unknown

_EXPECTED: Final = {ANY: ExpectedVersion.ANY, EXISTS: ExpectedVersion.EXISTS}
_OCCURRED_AT: Final = datetime(2026, 1, 1, tzinfo=UTC)


class Names:
    """The names of one history.

    Args:
        base: The position before its first.
    """

    def __init__(self, base: int) -> None:
        self.base = base
        self._ids: dict[str, str] = {}
        self._names: dict[str, str] = {}

    def uuid(self, name: str) -> str:
        """Return what the store knows an aggregate or an event by."""
        if name not in self._ids:
            self._ids[name] = uuid = str(uuid4())
            self._names[uuid] = name
        return self._ids[name]

    def name(self, uuid: str) -> str:
        """Return the short name of an aggregate or an event."""
        return self._names.get(uuid, uuid)

    def appends(self, parts: Sequence[Part]) -> list[AggregateAppend]:
        """Return a request for the client."""
        return [
            AggregateAppend(
                self.uuid(part.aggregate),
                part.aggregate_type,
                [
                    NewEvent(e.event_type, e.data, occurred_at=_OCCURRED_AT, event_id=self.uuid(e.name))
                    for e in part.events
                ],
                _EXPECTED.get(part.expected, part.expected),
            )
            for part in parts
        ]

    def results(self, results: Sequence[AppendResult]) -> tuple[Result, ...]:
        """Return the client's results."""
        return tuple(
            Result(
                each.event_version,
                each.first_global_position - self.base,
                each.last_global_position - self.base,
                each.duplicate,
            )
            for each in results
        )

    def recorded(self, event: RecordedEvent) -> StoredEvent:
        """Return the client's event."""
        return StoredEvent(
            event.global_position - self.base,
            self.name(event.aggregate_id),
            event.aggregate_type,
            event.event_version,
            Event(self.name(event.event_id), event.event_type, event.event_data),
        )

    def refusal(self, error: EventStoreError) -> Refused | Unknown:
        """Return the client's error.

        Raises:
            EventStoreError: It is one that no call of a history may have.
        """
        match error:
            case WrongExpectedVersionError():
                return Refused("wrong_expected_version", error.actual_version)
            case EventAlreadyExistsError():
                return Refused("event_already_exists", self.name(error.event_id))
            case WrongAggregateTypeError():
                return Refused("wrong_aggregate_type", error.actual_type)
            case InvalidArgumentError() if [v.field for v in error.violations] == ["event_version"]:
                return Refused("version", None)
            case UnavailableError():
                return Unknown()
        raise error
