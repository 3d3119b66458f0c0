"""The only place that turns psycopg's errors into ours."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import errors

from event_store.errors import (
    ConfigurationError,
    EventStoreError,
    InvalidArgumentError,
    LogCorruptedError,
    SchemaError,
    UnavailableError,
)


@contextmanager
def domain_errors() -> Iterator[None]:
    """Raise our error for each of psycopg's.

    Raises:
        InvalidArgumentError: A value that PostgreSQL cannot hold (SQLSTATE class 22).
        SchemaError: A table or function is missing.
        ConfigurationError: A right is missing, or the disk is full.
        LogCorruptedError: The log holds events beyond its head.
        UnavailableError: The connection, the server or a lock is not to be had.
    """
    try:
        yield
    except psycopg.Error as error:
        raise _translate(error) from error


def _translate(error: psycopg.Error) -> EventStoreError:  # noqa: PLR0911 # one for each case
    said = error.diag.message_primary or str(error).strip() or type(error).__name__
    match error:
        case psycopg.DataError():
            return InvalidArgumentError.of("appends", f"PostgreSQL cannot hold it: {said}")
        case errors.UndefinedTable() | errors.UndefinedFunction() | errors.UndefinedColumn():
            return SchemaError(f"the database's schema does not fit ({said}): run `event-store migrate`")
        case errors.UniqueViolation() if error.diag.constraint_name == "events_global_position_key":
            return LogCorruptedError(f"the log is ahead of its head, so somebody else wrote to it: {said}")
        case errors.InsufficientPrivilege():
            return ConfigurationError(f"the database's user lacks a right: {said}")
        case errors.DiskFull():
            return ConfigurationError(f"the database's disk is full ({said}): enlarge it")
        case psycopg.OperationalError() | errors.ReadOnlySqlTransaction():
            return UnavailableError(f"the database is away: {said}")
    return EventStoreError(f"the database refused: {said} ({error.sqlstate or type(error).__name__})")
