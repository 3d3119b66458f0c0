"""Open a transaction that is committed or raises."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus

from event_store.errors import ConfigurationError, EventStoreError


class RolledBackError(EventStoreError):
    """The transaction could not be committed in its state, so it was rolled back."""


@asynccontextmanager
async def transaction(connection: psycopg.AsyncConnection[Any]) -> AsyncIterator[None]:
    """Run the block in one transaction: committed when it ends, rolled back if it raises.

    PostgreSQL answers the COMMIT of a failed transaction with a ROLLBACK, without an error. psycopg turns a
    nested transaction into a savepoint, which only the outer transaction commits. Here both raise.

    Args:
        connection: A connection that is not in a transaction.

    Raises:
        ConfigurationError: The connection is in a transaction.
        RolledBackError: The transaction failed in the block, or the block ended it. Nothing was committed.
        psycopg.Error: PostgreSQL could not begin or commit, or the connection was lost.
    """
    if connection.info.transaction_status not in (TransactionStatus.IDLE, TransactionStatus.UNKNOWN):
        raise ConfigurationError(
            "the connection is already in a transaction, whose commit is unknown: "
            "provide a connection without one"
        )
    async with connection.transaction():
        try:
            yield
        except psycopg.Rollback as error:  # psycopg would end the block without an error
            raise RolledBackError("the handler rolled the transaction back with psycopg.Rollback") from error
        refuse_unless_open(connection)


def refuse_unless_open(connection: psycopg.AsyncConnection[Any]) -> None:
    """Raise an error unless the connection is in a transaction that can be committed.

    Raises:
        RolledBackError: The connection is in no transaction, or in a failed one.
        psycopg.OperationalError: The connection is lost.
    """
    match connection.info.transaction_status:
        case TransactionStatus.INTRANS:
            return
        case TransactionStatus.UNKNOWN:
            raise psycopg.OperationalError("the connection is lost")
        case TransactionStatus.INERROR:
            raise RolledBackError(
                "the transaction has failed and cannot be committed: catch SQL errors only around a "
                "savepoint, `async with connection.transaction()`"
            )
        case status:
            raise RolledBackError(
                f"the handler ended the transaction or left a query running ({status.name}): neither commit "
                "nor roll back in a handler"
            )
