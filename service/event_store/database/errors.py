"""Classify PostgreSQL's errors by SQLSTATE, and convert psycopg's errors to those of this package.

Only this file knows SQLSTATEs: the service, the relay, replays and projections decide by `cause_of`.
https://www.postgresql.org/docs/current/errcodes-appendix.html

libpq does not report the SQLSTATE of a failed connection (https://github.com/psycopg/psycopg/issues/1188). A
rejected login is therefore AWAY, like an unreachable server: it succeeds once IAM has propagated a grant. A
missing database is permanent, and is recognized by PostgreSQL's message.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import Enum, auto
from typing import Final

import psycopg

from event_store.errors import (
    ConfigurationError,
    EventStoreError,
    InvalidArgumentError,
    LogCorruptedError,
    SchemaError,
    UnavailableError,
)


class Cause(Enum):
    """Why a statement failed, and so whether a retry or an operator helps.

    Attributes:
        AWAY: The server is unreachable, stopping, read-only or out of connections, or rejects the login:
            retry until it returns.
        BUSY: A conflict with other sessions over rows, locks or memory: retry a bounded number of times.
        TOO_SLOW: The session or the statement exceeded a time limit, by itself or under load.
        OPERATOR: The schema, a right or disk space is missing, or data is damaged: operator action required.
        REFUSED: PostgreSQL would reject the same statement with the same values again.
    """

    AWAY = auto()
    BUSY = auto()
    TOO_SLOW = auto()
    OPERATOR = auto()
    REFUSED = auto()


# A full SQLSTATE takes precedence over its class. Anything else is refused, an unknown SQLSTATE too.
_CAUSES: Final[Mapping[str, Cause]] = {
    "08": Cause.AWAY,  # connection exception
    "25006": Cause.AWAY,  # read_only_sql_transaction: a standby, after a failover
    "25P03": Cause.TOO_SLOW,  # idle_in_transaction_session_timeout
    "25P04": Cause.TOO_SLOW,  # transaction_timeout
    "28": Cause.OPERATOR,  # invalid authorization
    "3D000": Cause.OPERATOR,  # invalid_catalog_name: no such database
    "3F000": Cause.OPERATOR,  # invalid_schema_name
    "40": Cause.BUSY,  # serialization_failure, deadlock_detected …
    "40002": Cause.REFUSED,  # transaction_integrity_constraint_violation
    "42501": Cause.OPERATOR,  # insufficient_privilege
    "42703": Cause.OPERATOR,  # undefined_column
    "42P01": Cause.OPERATOR,  # undefined_table
    "53": Cause.BUSY,  # insufficient resources, 53200 out_of_memory among them
    "53100": Cause.OPERATOR,  # disk_full
    "53300": Cause.AWAY,  # too_many_connections
    "53400": Cause.REFUSED,  # configuration_limit_exceeded: more temporary files than temp_file_limit
    "55006": Cause.BUSY,  # object_in_use
    "55P03": Cause.BUSY,  # lock_not_available: lock_timeout, or NOWAIT
    "57": Cause.AWAY,  # operator intervention: shutdown, crash, start, idle_session_timeout
    "57014": Cause.TOO_SLOW,  # query_canceled: statement_timeout
    "57P04": Cause.OPERATOR,  # database_dropped
    "58": Cause.OPERATOR,  # system error: I/O, a missing file
    "72000": Cause.BUSY,  # snapshot_too_old
    "XX001": Cause.OPERATOR,  # data_corrupted
    "XX002": Cause.OPERATOR,  # index_corrupted
}
# What an operator has to do; for other states PostgreSQL's own message must suffice.
_REMEDIES: Final[Mapping[str, str]] = {
    "3D000": "create it, or run `event-store migrate --create-database`",
    "42501": "grant the missing right, or run `event-store migrate` for those of the service",
    "53100": "enlarge the disk",
}
_OF_THE_SCHEMA: Final = frozenset(("3F000", "42703", "42883", "42P01"))  # 42883 is undefined_function
_NOT_HELD: Final = ("22", "54")  # data exception, program limit exceeded
_NO_DATABASE: Final = re.compile(r'FATAL: +database ".*" does not exist')


def cause_of(error: psycopg.Error) -> Cause:
    """Return the cause of a psycopg error.

    Args:
        error: The error. Without a SQLSTATE it is psycopg's own: the connection was lost or never made, or
            the call itself was wrong.
    """
    state = _state_of(error)
    if state is None:
        is_connection = isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
        return Cause.AWAY if is_connection else Cause.REFUSED
    return _CAUSES.get(state) or _CAUSES.get(state[:2]) or Cause.REFUSED


def message_of(error: psycopg.Error) -> str:
    """Return the message of PostgreSQL or psycopg, in one line for a person, with the SQLSTATE if any."""
    said = error.diag.message_primary or str(error).strip() or type(error).__name__
    return f"{said} ({error.sqlstate})" if error.sqlstate else said


@contextmanager
def domain_errors() -> Iterator[None]:
    """Convert psycopg's errors raised in the block.

    Raises:
        InvalidArgumentError: PostgreSQL cannot store a value (SQLSTATE classes 22 and 54).
        SchemaError: A table, a column or a function is missing.
        ConfigurationError: A right is missing, the disk is full, or a file of the database is damaged.
        LogCorruptedError: The log has events beyond its head.
        UnavailableError: The database is unreachable, rejects the login or is read-only, or a statement or
            waiting for a lock timed out.
    """
    try:
        yield
    except psycopg.Error as error:
        raise _translate(error) from error


def _state_of(error: psycopg.Error) -> str | None:
    return error.sqlstate or ("3D000" if _NO_DATABASE.search(str(error)) else None)


def _translate(error: psycopg.Error) -> EventStoreError:
    said, state = message_of(error), _state_of(error) or ""
    if state.startswith(_NOT_HELD) or isinstance(error, psycopg.DataError):
        return InvalidArgumentError.of("appends", f"PostgreSQL cannot store a value: {said}")
    if state in _OF_THE_SCHEMA:
        return SchemaError(
            f"the database schema does not support this release ({said}): run `event-store migrate`"
        )
    match cause_of(error):
        case Cause.AWAY | Cause.BUSY | Cause.TOO_SLOW:
            return UnavailableError(f"the database is unavailable: {said}")
        case Cause.OPERATOR:
            return ConfigurationError(
                f"database error, {_REMEDIES.get(state, 'operator action required')}: {said}"
            )
        case Cause.REFUSED if error.diag.constraint_name == "events_global_position_key":
            return LogCorruptedError(
                f"the log has events beyond its head, so another program has written to its tables: {said}"
            )
        case Cause.REFUSED:
            return EventStoreError(f"database error: {said}")
