"""Every error that the service, its client and its commands raise on purpose.

    EventStoreError
    ├── InvalidArgumentError        the caller's input is wrong; says which fields
    ├── WrongExpectedVersionError   the aggregate is not at the expected version
    ├── EventAlreadyExistsError     an event id is stored with other content
    ├── WrongAggregateTypeError     the aggregate exists with another type
    ├── ImportMovedError            another caller goes on with the import
    ├── ReplayNotFoundError         there is no replay with this id
    ├── ReplayAlreadyExistsError    a replay with this id was started by another request
    ├── ReplayEndedError            the replay is over and cannot be changed
    ├── OverloadedError             too much is waiting; nothing was stored
    ├── UnavailableError            the database or the service is away
    │   └── StoppingError           the service is stopping, or ends a stream at its limit
    ├── LogCorruptedError           a hole in the log, which can never be
    └── ConfigurationError          an operator has to change something: says what and how
        ├── TopologyError           topology.yaml, with file, line and field
        └── SchemaError             the database's schema and this release do not fit

`server.call_errors` maps them to gRPC statuses and `client` maps those back, both by the one table of
`contract.error_status`.
"""

from dataclasses import dataclass


class EventStoreError(Exception):
    """The root of the tree. Its message is a sentence for a person."""


@dataclass(frozen=True, slots=True)
class FieldViolation:
    """One thing that is wrong with a request.

    Attributes:
        field: The path of the field, as in `appends[0].events[2].event_data`.
        description: What is wrong and what is allowed.
    """

    field: str
    description: str


class InvalidArgumentError(EventStoreError):
    """The caller's input is wrong and repeating it cannot help.

    Attributes:
        violations: Each thing that is wrong, at least one.
    """

    def __init__(self, *violations: FieldViolation) -> None:
        super().__init__(
            "; ".join(f"{v.field}: {v.description}" if v.field else v.description for v in violations)
        )
        self.violations = violations

    @classmethod
    def of(cls, field: str, description: str) -> "InvalidArgumentError":
        """Return the error for one field.

        Args:
            field: Its path; empty for the request as a whole.
            description: What is wrong, as a part of a sentence.
        """
        return cls(FieldViolation(field, description))


class WrongExpectedVersionError(EventStoreError):
    """The aggregate is not at the expected version: read it again, decide again, append again.

    Attributes:
        aggregate_id: The aggregate, a UUID.
        expected_version: What was expected, as text: `exists`, `no_stream` (also if it was given as the
            number 0, which is the same) or a number.
        actual_version: The version of its last event; 0 if it has none.
    """

    def __init__(self, aggregate_id: str, expected_version: str, actual_version: int) -> None:
        """Keep what a caller needs to decide again.

        Args:
            aggregate_id: The aggregate's UUID.
            expected_version: See above.
            actual_version: The version of its last event; 0 if it has none.
        """
        super().__init__(
            f"aggregate {aggregate_id} is at version {actual_version}, expected was {expected_version}"
        )
        self.aggregate_id = aggregate_id
        self.expected_version = expected_version
        self.actual_version = actual_version


class EventAlreadyExistsError(EventStoreError):
    """An event id is stored with other content, or by a request with other events.

    Attributes:
        event_id: A UUID.
        field: The first field in which the event differs from the stored one: `aggregate_id`,
            `aggregate_type`, `event_type`, `event_data`, `metadata`, or in an import `event_version`. Empty
            if the event is the same, but another request stored it.
    """

    def __init__(self, event_id: str, field: str = "") -> None:
        what = f"with another {field}" if field else "by another request"
        super().__init__(
            f"event {event_id} is stored already, {what}: "
            "a new event needs a new event_id, a repeated request the events of the first"
        )
        self.event_id = event_id
        self.field = field


class WrongAggregateTypeError(EventStoreError):
    """The aggregate exists with another type.

    Attributes:
        aggregate_id: A UUID.
        aggregate_type: The type that was given.
        actual_type: The type that it has.
    """

    def __init__(self, aggregate_id: str, aggregate_type: str, actual_type: str) -> None:
        super().__init__(f"aggregate {aggregate_id} is of type {actual_type!r}, not {aggregate_type!r}")
        self.aggregate_id = aggregate_id
        self.aggregate_type = aggregate_type
        self.actual_type = actual_type


class ImportMovedError(EventStoreError):
    """Another caller began the same import later and goes on with it."""


class ReplayNotFoundError(EventStoreError):
    """There is no replay with this id."""

    def __init__(self, replay_id: str) -> None:
        """Keep which.

        Args:
            replay_id: The replay.
        """
        super().__init__(f"there is no replay {replay_id}: list them to find its id")
        self.replay_id = replay_id


class ReplayAlreadyExistsError(EventStoreError):
    """A replay with this id was started by another request."""

    def __init__(self, replay_id: str) -> None:
        """Keep which.

        Args:
            replay_id: The replay.
        """
        super().__init__(
            f"replay {replay_id} was started by another request: a new replay needs a new replay_id, "
            "a repeated request must be the same as the first"
        )
        self.replay_id = replay_id


class ReplayEndedError(EventStoreError):
    """The replay is over and cannot be changed: start another one."""

    def __init__(self, replay_id: str, state: str) -> None:
        """Keep how it ended.

        Args:
            replay_id: The replay.
            state: `finished` or `cancelled`.
        """
        super().__init__(f"replay {replay_id} is {state}, so nothing of it can be changed: start another")
        self.replay_id = replay_id
        self.state = state


class OverloadedError(EventStoreError):
    """Too many appends are waiting; nothing was stored. Try again a little later.

    Attributes:
        retry_after_seconds: How much later, at least.
    """

    def __init__(self, message: str, retry_after_seconds: float) -> None:
        """Keep when to try again.

        Args:
            message: A sentence for a person.
            retry_after_seconds: How much later, at least.
        """
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class UnavailableError(EventStoreError):
    """The database or the service is away. Repeating the request with the same event ids is safe."""


class StoppingError(UnavailableError):
    """The service is stopping, or ends a stream at its limit, as it was told to.

    Callers get it as UnavailableError, and the same call again is taken.
    """


class LogCorruptedError(EventStoreError):
    """A hole in the log: positions are gapless by construction, so somebody else wrote or deleted."""


class ConfigurationError(EventStoreError):
    """An operator has to change something; the message says what and how."""


class TopologyError(ConfigurationError):
    """`topology.yaml` is wrong; the message names file, line where known, field, allowed range and fix."""


class SchemaError(ConfigurationError):
    """The database's schema and this release do not fit."""
