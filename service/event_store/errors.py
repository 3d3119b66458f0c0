"""Errors that the service, its client and its commands raise on purpose.

    EventStoreError
    ├── InvalidArgumentError        the caller's input is invalid; names the fields
    ├── WrongExpectedVersionError   the aggregate is not at the expected version
    ├── EventAlreadyExistsError     an event id is stored with other content
    ├── WrongAggregateTypeError     the aggregate exists with another type
    ├── ImportMovedError            another caller has taken the import over
    ├── ReplayNotFoundError         no replay has this id
    ├── ReplayAlreadyExistsError    another request has started a replay with this id
    ├── ReplayEndedError            the replay has ended and cannot be changed
    ├── OverloadedError             the service is at its limit; nothing was stored
    ├── UnavailableError            the database or the service is unreachable
    │   └── StoppingError           the service is stopping, or ends a stream at its time limit
    ├── LogCorruptedError           the log has a hole
    └── ConfigurationError          an operator has to change something; names the change
        ├── TopologyError           topology.yaml is invalid; names file, line and field
        └── SchemaError             the database schema does not support this release

`server.call_errors` maps them to gRPC statuses and `client` maps those back, both by the one table of
`contract.error_status`.
"""

from dataclasses import dataclass


class EventStoreError(Exception):
    """Base of all errors of this package; the message is for a person."""


@dataclass(frozen=True, slots=True)
class FieldViolation:
    """One invalid field of a request.

    Attributes:
        field: The path of the field, as in `appends[0].events[2].event_data`; empty for the whole request.
        description: What is wrong and what is allowed.
    """

    field: str
    description: str


class InvalidArgumentError(EventStoreError):
    """The caller's input is invalid; repeating the request cannot help.

    Attributes:
        violations: The invalid fields, at least one.
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
            field: The path of the field; empty for the whole request.
            description: What is wrong and what is allowed, without the name of the field.
        """
        return cls(FieldViolation(field, description))


class WrongExpectedVersionError(EventStoreError):
    """The aggregate is not at the expected version: load it, decide again and append again.

    Attributes:
        aggregate_id: The UUID of the aggregate.
        expected_version: The expected version as text: `exists`, `no_stream` (also for the number 0) or a
            number.
        actual_version: The version of the aggregate's last event; 0 if it has no events.
    """

    def __init__(self, aggregate_id: str, expected_version: str, actual_version: int) -> None:
        """Describe the conflict.

        Args:
            aggregate_id: The UUID of the aggregate.
            expected_version: `exists`, `no_stream` or a number.
            actual_version: The version of the aggregate's last event; 0 if it has no events.
        """
        super().__init__(
            f"aggregate {aggregate_id} is at version {actual_version}, expected {expected_version}: "
            "load it and decide again"
        )
        self.aggregate_id = aggregate_id
        self.expected_version = expected_version
        self.actual_version = actual_version


class EventAlreadyExistsError(EventStoreError):
    """An event id is already stored, with other content or by a request with other events.

    Attributes:
        event_id: The UUID of the event.
        field: The first field that differs from the stored event: `aggregate_id`, `aggregate_type`,
            `event_type`, `event_data`, `metadata` or, in an import, `event_version`. Empty if the event is
            the same but was stored by another request.
    """

    def __init__(self, event_id: str, field: str = "") -> None:
        difference = f"with another {field}" if field else "by another request"
        super().__init__(
            f"event {event_id} is already stored {difference}: "
            "give a new event a new event_id, or repeat the first request unchanged"
        )
        self.event_id = event_id
        self.field = field


class WrongAggregateTypeError(EventStoreError):
    """The aggregate exists with another type.

    Attributes:
        aggregate_id: The UUID of the aggregate.
        aggregate_type: The type in the request.
        actual_type: The type of the stored aggregate.
    """

    def __init__(self, aggregate_id: str, aggregate_type: str, actual_type: str) -> None:
        super().__init__(
            f"aggregate {aggregate_id} is of type {actual_type!r}, not {aggregate_type!r}: "
            "use this type, or a new aggregate_id"
        )
        self.aggregate_id = aggregate_id
        self.aggregate_type = aggregate_type
        self.actual_type = actual_type


class ImportMovedError(EventStoreError):
    """Another caller started the same import later and has taken it over."""


class ReplayNotFoundError(EventStoreError):
    """No replay has this id."""

    def __init__(self, replay_id: str) -> None:
        """Describe the error.

        Args:
            replay_id: The unknown id, a UUID.
        """
        super().__init__(f"replay {replay_id} does not exist: list the replays to find the id")
        self.replay_id = replay_id


class ReplayAlreadyExistsError(EventStoreError):
    """Another request has started a replay with this id."""

    def __init__(self, replay_id: str) -> None:
        """Describe the error.

        Args:
            replay_id: The id that is taken, a UUID.
        """
        super().__init__(
            f"replay {replay_id} was started by another request: give a new replay a new replay_id, "
            "or repeat the first request unchanged"
        )
        self.replay_id = replay_id


class ReplayEndedError(EventStoreError):
    """The replay has ended and cannot be changed: start another one."""

    def __init__(self, replay_id: str, state: str) -> None:
        """Describe the error.

        Args:
            replay_id: The id of the replay, a UUID.
            state: `finished` or `cancelled`.
        """
        super().__init__(f"replay {replay_id} is {state} and cannot be changed: start another one")
        self.replay_id = replay_id
        self.state = state


class OverloadedError(EventStoreError):
    """The service is at its limit and stored nothing: retry after `retry_after_seconds`.

    Attributes:
        retry_after_seconds: The shortest time to wait before a retry, in seconds.
    """

    def __init__(self, message: str, retry_after_seconds: float) -> None:
        """Describe the error.

        Args:
            message: What is at its limit, for a person.
            retry_after_seconds: The shortest time to wait before a retry.
        """
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class UnavailableError(EventStoreError):
    """The database or the service is unreachable. Repeating the request with the same event ids is safe."""


class StoppingError(UnavailableError):
    """The service is stopping, or ends a stream at its time limit.

    Clients receive it as UnavailableError and can repeat the call at once.
    """


class LogCorruptedError(EventStoreError):
    """The log has a hole. The service never makes one, so another program has changed the tables."""


class ConfigurationError(EventStoreError):
    """An operator has to change something; the message says what and how."""


class TopologyError(ConfigurationError):
    """`topology.yaml` is invalid; the message has the file, the line if known, the field and the fix."""


class SchemaError(ConfigurationError):
    """The database schema does not support this release."""
