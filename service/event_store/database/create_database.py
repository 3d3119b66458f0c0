"""Make the database itself and the runtime's role, where the cloud has no resource for them."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Final, LiteralString

import psycopg
from psycopg import sql

from event_store.database.errors import domain_errors
from event_store.database.queries import load_queries
from event_store.errors import ConfigurationError

ALWAYS_THERE: Final = "postgres"  # a database of every PostgreSQL, to connect to
_QUERIES: Final[Mapping[str, LiteralString]] = load_queries("event_store.database")


def create_database(
    connect: Callable[[], psycopg.Connection], database: str, report: Callable[[str], None]
) -> None:
    """Make a database and the runtime's role unless they are there; safe twice, and from two places at once.

    Args:
        connect: Opens a connection to the database `ALWAYS_THERE` of the same server.
        database: The name.
        report: Takes a line for a person.

    Raises:
        ConfigurationError: The login may make no database or no role.
        UnavailableError: The server is away.
    """
    with domain_errors(), connect() as connection:
        connection.autocommit = True  # PostgreSQL makes no database inside a transaction
        if connection.execute(_QUERIES["database_find"], {"database": database}).fetchone():
            return
        maker = connection.execute(_QUERIES["maker_find"]).fetchone()
        if maker is None:
            raise ConfigurationError(
                f"the database {database} is not there and the login may not make it: "
                "make it, or let the login be a member of a role with CREATEDB and CREATEROLE"
            )
        connection.execute(sql.SQL(_QUERIES["maker_become"]).format(role=sql.Identifier(maker[0])))
        if not connection.execute(_QUERIES["runtime_find"]).fetchone():
            with suppress(psycopg.errors.DuplicateObject, psycopg.errors.UniqueViolation):  # made meanwhile
                connection.execute(_QUERIES["runtime_create"])
        # Last, so that whoever finds the database finds the role.
        with suppress(psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):  # made meanwhile
            connection.execute(sql.SQL(_QUERIES["database_create"]).format(database=sql.Identifier(database)))
            report(f"made the database {database}")
