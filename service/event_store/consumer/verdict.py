"""What an error means to a projection: whose fault it is, and whether its event is handled again."""

import psycopg

from event_store.database.errors import Cause, cause_of, message_of
from event_store.errors import ConfigurationError, EventStoreError, OverloadedError, UnavailableError
from event_store.model.events import RecordedEvent

# Not the event's fault: it is kept and handled again, until it works.
NOT_NOW = (UnavailableError, OverloadedError, ConfigurationError)


class GapError(EventStoreError):
    """An earlier event of the aggregate was not handled yet. Beyond the projection: it is another store's."""

    def __init__(self, projection: str, event: RecordedEvent, version: int) -> None:
        super().__init__(
            f"{projection} is at version {version} of aggregate {event.aggregate_id} and got version "
            f"{event.event_version}, but the store has none between: is it the same store?"
        )
        self.version = version


class RefusedError(Exception):
    """`event` cannot be handled, for `reason`, which lasts."""

    def __init__(self, event: RecordedEvent, reason: Exception) -> None:
        self.event = event
        self.reason = reason


class BusyError(Exception):
    """PostgreSQL was too busy for `event`, for `reason`, which may be gone the next time."""

    def __init__(self, event: RecordedEvent, reason: Exception) -> None:
        self.event = event
        self.reason = reason


class LostError(Exception):
    """The connection was lost while `event` was in hand, for `reason`: an outage, or what the event does."""

    def __init__(self, event: RecordedEvent, reason: Exception) -> None:
        self.event = event
        self.reason = reason


class LostConnectionError(UnavailableError):
    """The connection was lost with an event in hand: an outage, unless it happens again and again."""


def before_handling(projection: str, error: Exception) -> Exception:
    """Return what to raise for an error that no handler had a part in.

    Args:
        projection: The projection's name.
        error: What was raised while its database was asked for a connection or for its own rows.
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
    return UnavailableError(f"the database of the projection {projection} is away: {said}")


def after_handling(
    projection: str, event: RecordedEvent, error: Exception, *, is_lost: bool = False
) -> Exception:
    """Return what to raise for an error of a handler, or of the transaction that it wrote to.

    Args:
        projection: The projection's name.
        event: The event that the handler had.
        error: What was raised. If the handler raised its own error from psycopg's, psycopg's decides.
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
        f"the database of the projection {projection} lacks something, an operator has to help: "
        f"{message_of(error)}"
    )


def _of_psycopg(error: BaseException) -> psycopg.Error | None:
    found: BaseException | None = error
    while found is not None and not isinstance(found, psycopg.Error):
        found = found.__cause__
    return found
