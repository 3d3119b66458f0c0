"""Decide by an error whether a projection retries its event or rejects it."""

import psycopg

from event_store.database.errors import Cause, cause_of, message_of
from event_store.errors import ConfigurationError, EventStoreError, OverloadedError, UnavailableError
from event_store.model.events import RecordedEvent

# Not the event's fault: the event is kept and retried until it succeeds.
NOT_NOW = (UnavailableError, OverloadedError, ConfigurationError)


class GapError(EventStoreError):
    """An earlier event of the aggregate was not handled yet; callers see this if the store lacks it."""

    def __init__(self, projection: str, event: RecordedEvent, version: int) -> None:
        super().__init__(
            f"projection {projection} is at version {version} of aggregate {event.aggregate_id} and received "
            f"version {event.event_version}, but the store has none between: check that its client uses the "
            "store that published the event"
        )
        self.version = version


class RefusedError(Exception):
    """The event cannot be handled, for a permanent reason."""

    def __init__(self, event: RecordedEvent, reason: Exception) -> None:
        self.event = event
        self.reason = reason


class BusyError(Exception):
    """PostgreSQL could not handle the event now, for a temporary reason such as a deadlock."""

    def __init__(self, event: RecordedEvent, reason: Exception) -> None:
        self.event = event
        self.reason = reason


class LostError(Exception):
    """The connection was lost while the event was in hand: by an outage, or by the event itself."""

    def __init__(self, event: RecordedEvent, reason: Exception) -> None:
        self.event = event
        self.reason = reason


class LostConnectionError(UnavailableError):
    """The connection was lost with an event in hand, fewer than TRIES times so far: taken as an outage."""


def before_handling(projection: str, error: Exception) -> Exception:
    """Return the error to raise for a failure before the handler was called.

    Args:
        projection: The name of the projection.
        error: The error of the projection's database, while it connected or read its own tables.
    """
    if isinstance(error, EventStoreError):
        return error
    found = _of_psycopg(error)
    match cause_of(found) if found else Cause.AWAY:
        case Cause.REFUSED:
            return error
        case Cause.OPERATOR if found:
            return _needs_operator(projection, found)
    said = message_of(found) if found else repr(error)
    return UnavailableError(f"the database of projection {projection} is unreachable: {said}")


def after_handling(
    projection: str, event: RecordedEvent, error: Exception, *, is_lost: bool = False
) -> Exception:
    """Return the error to raise for a failure of a handler or of its transaction.

    Args:
        projection: The name of the projection.
        event: The event in the handler's hands.
        error: The error. If the handler raised its own error from psycopg's, psycopg's decides.
        is_lost: Whether the connection is closed.
    """
    if isinstance(error, (*NOT_NOW, RefusedError, BusyError, LostError)):
        return error
    found = _of_psycopg(error)
    match cause_of(found) if found else Cause.AWAY if is_lost else Cause.REFUSED:
        case Cause.AWAY:
            return LostError(event, error)
        case Cause.BUSY:
            return BusyError(event, error)
        case Cause.OPERATOR if found:
            return _needs_operator(projection, found)
    return RefusedError(event, error)


def _needs_operator(projection: str, error: psycopg.Error) -> ConfigurationError:
    return ConfigurationError(
        f"the database of projection {projection} lacks a table, a right or disk space, operator action "
        f"required: {message_of(error)}"
    )


def _of_psycopg(error: BaseException) -> psycopg.Error | None:
    found: BaseException | None = error
    while found is not None and not isinstance(found, psycopg.Error):
        found = found.__cause__
    return found
