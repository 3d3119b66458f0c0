"""A transaction that is committed, or raises."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus

from event_store.errors import ConfigurationError, EventStoreError


class RolledBackError(EventStoreError):
    """A transaction is not in a state in which PostgreSQL would commit it, so it was rolled back."""


@asynccontextmanager
async def transaction(connection: psycopg.AsyncConnection[Any]) -> AsyncIterator[None]:
    """Run the block in one transaction: committed when it ends, rolled back if it raises.

    PostgreSQL answers the COMMIT of a failed transaction with a ROLLBACK that is not an error, and psycopg
    turns a transaction within another into a savepoint, whose commit is somebody else's. Here both raise.

    Args:
        connection: Not in a transaction.

    Raises:
        ConfigurationError: The connection is in a transaction.
        RolledBackError: The block left the transaction failed, or ended it. Nothing was committed.
        psycopg.Error: PostgreSQL refused to begin or to commit, or the connection was lost.
    """
    if connection.info.transaction_status not in (TransactionStatus.IDLE, TransactionStatus.UNKNOWN):
        raise ConfigurationError(
            "the connection is in a transaction already, so nobody knows whether it will be committed: "
            "lend one that is not"
        )
    async with connection.transaction():
        try:
            yield
        except psycopg.Rollback as error:  # psycopg would take it as the end of the block
            raise RolledBackError("the transaction was rolled back by psycopg.Rollback") from error
        refuse_unless_open(connection)


def refuse_unless_open(connection: psycopg.AsyncConnection[Any]) -> None:
    """Raise an error unless the connection is in a transaction that can be committed.

    Raises:
        RolledBackError: It is in none, or in a failed one.
        psycopg.OperationalError: The connection is lost.
    """
    match connection.info.transaction_status:
        case TransactionStatus.INTRANS:
            return
        case TransactionStatus.UNKNOWN:
            raise psycopg.OperationalError("the connection is lost")
        case TransactionStatus.INERROR:
            raise RolledBackError(
                "the transaction has failed, so nothing of it can be committed: catch an SQL error only "
                "around `async with connection.transaction()`, which is a savepoint there"
            )
        case status:
            raise RolledBackError(
                f"the transaction was ended or left unfinished ({status.name}): neither commit nor roll back"
            )
