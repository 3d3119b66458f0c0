"""The database itself is made where the cloud has no resource for it."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from event_store.database.create_database import ALWAYS_THERE, create_database
from event_store.errors import ConfigurationError
from tests.conftest import TestDatabase


def _as(login: str) -> Callable[[], psycopg.Connection]:
    return lambda: psycopg.connect(login, dbname=ALWAYS_THERE)


def _owner(database: TestDatabase, name: str) -> str | None:
    with psycopg.connect(database.owner) as connection:
        row = connection.execute(
            "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = %s", [name]
        ).fetchone()
    return str(row[0]) if row else None


def _drop(database: TestDatabase, name: str) -> None:
    with psycopg.connect(database.postgres.conninfo(), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def test_a_database_is_made_once_and_belongs_to_the_group(database: TestDatabase) -> None:
    """From several places at once it is made once; its owner is the group whose right to make it was used."""
    said: list[str] = []
    try:
        with ThreadPoolExecutor(4) as pool:
            for each in [
                pool.submit(create_database, _as(database.owner), "made_here", said.append) for _ in range(4)
            ]:
                each.result(30)
        create_database(_as(database.owner), "made_here", said.append)

        assert said == ["created database made_here"]
        assert _owner(database, "made_here") == "cloudsqlsuperuser"
    finally:
        _drop(database, "made_here")


def test_a_login_that_may_not_make_it_is_told_what_to_do(database: TestDatabase) -> None:
    """The runtime makes no database."""
    with pytest.raises(ConfigurationError, match="make the login a member of a role with CREATEDB"):
        create_database(_as(database.runtime), "not_made", lambda _line: None)

    assert _owner(database, "not_made") is None
