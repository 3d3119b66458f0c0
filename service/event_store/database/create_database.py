"""Create the database and the role of the service, if the cloud has no resource for them."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Final, LiteralString

import psycopg
from psycopg import sql

from event_store.database.errors import domain_errors
from event_store.database.queries import load_queries
from event_store.errors import ConfigurationError

ALWAYS_THERE: Final = "postgres"  # exists on every server
_QUERIES: Final[Mapping[str, LiteralString]] = load_queries("event_store.database")


def create_database(
    connect: Callable[[], psycopg.Connection], database: str, report: Callable[[str], None]
) -> None:
    """Create a database and the role of the service, if missing; safe to repeat and to run concurrently.

    Args:
        connect: Opens a connection to the database `ALWAYS_THERE` of the same server.
        database: The name of the database.
        report: Receives lines for a person.

    Raises:
        ConfigurationError: The login may not create databases or roles.
        UnavailableError: The server is unreachable.
    """
    with domain_errors(), connect() as connection:
        connection.autocommit = True  # PostgreSQL does not create a database in a transaction
        if connection.execute(_QUERIES["database_find"], {"database": database}).fetchone():
            return
        maker = connection.execute(_QUERIES["maker_find"]).fetchone()
        if maker is None:
            raise ConfigurationError(
                f"database {database} does not exist and the login may not create it: "
                "create it, or make the login a member of a role with CREATEDB and CREATEROLE"
            )
        connection.execute(sql.SQL(_QUERIES["maker_become"]).format(role=sql.Identifier(maker[0])))
        if not connection.execute(_QUERIES["runtime_find"]).fetchone():
            with suppress(psycopg.errors.DuplicateObject, psycopg.errors.UniqueViolation):  # made meanwhile
                connection.execute(_QUERIES["runtime_create"])
        # Last, so that the role exists whenever the database does.
        with suppress(psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):  # made meanwhile
            connection.execute(sql.SQL(_QUERIES["database_create"]).format(database=sql.Identifier(database)))
            report(f"created database {database}")
