"""A read that a replica begins and the primary ends is the read that was asked for."""

from collections.abc import AsyncIterator, Iterator

import psycopg
import pytest

from event_store.database.pool import Database
from event_store.environment import Environment
from event_store.log.reader import Reader
from event_store.log.replica_reader import ReplicaReader
from event_store.model.event_filter import EventFilter
from tests.conftest import TestDatabase
from tests.event_store.conftest import Service
from tests.event_store.requests import append, event

HELD, STORED = 4, 9  # by the replica, by the primary


@pytest.fixture
def copy(database: TestDatabase) -> Iterator[str]:
    """A database that holds a prefix of the log, as a replica does that lags."""
    name = f"{database.name}_replica"
    with psycopg.connect(database.postgres.conninfo(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {database.name}".encode())
        yield name
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture
async def reader(
    copy: str, service: Service, environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[ReplicaReader]:
    """A reader of both."""
    kinds = ["Rare", "Often", "Often"]
    for number in range(STORED):
        await service.append(append(events=[event(event_type=kinds[number % 3])]))
    with (
        psycopg.connect(service.database.postgres.conninfo(database=copy), autocommit=True) as replica,
        psycopg.connect(service.database.superuser, autocommit=True) as primary,
        replica.cursor().copy("COPY events FROM STDIN") as into,
        primary.cursor().copy(
            "COPY (SELECT * FROM events WHERE global_position <= %s) TO STDOUT", (HELD,)
        ) as out,
    ):
        for data in out:
            into.write(data)
    with psycopg.connect(service.database.postgres.conninfo(database=copy), autocommit=True) as replica:
        replica.execute("UPDATE log_head SET position = %s", (HELD,))
    database, behind = Database(environment, connections=1), Database(environment, connections=1)
    for each, name in ((database, service.database.name), (behind, copy)):
        monkeypatch.setenv("PGDATABASE", name)
        await each.open()
        await each.execute("SELECT 1")  # a pool connects later, and would find the other's name then
    yield ReplicaReader(database, Reader(behind))
    await database.close()
    await behind.close()


@pytest.mark.parametrize("types", [(), ("Often",), ("Rare",)])
@pytest.mark.parametrize("start", [None, 2, HELD, HELD + 1, STORED + 5])
@pytest.mark.parametrize("limit", [0, 1, 3, 4, 5, 8, 20])
async def test_a_limit_holds_over_replica_and_primary_together(
    reader: ReplicaReader, start: int | None, limit: int, types: tuple[str, ...]
) -> None:
    """From any start and with any limit the events are those of the log, each once and in order."""
    kinds = ["Rare", "Often", "Often"]
    expected = [n for n in range(start or 1, STORED + 1) if not types or kinds[(n - 1) % 3] in types]

    read = [
        each.global_position
        async for part in reader.read_all(start, limit, EventFilter(event_types=types))
        for each in part.events
    ]

    assert read == expected[: limit or None]


async def test_a_replica_that_lacks_the_schema_is_left_alone(
    reader: ReplicaReader, copy: str, service: Service
) -> None:
    """It may not have the latest migration yet: the primary answers, and nobody sees more than a warning."""
    with psycopg.connect(service.database.postgres.conninfo(database=copy), autocommit=True) as replica:
        replica.execute("DROP FUNCTION read_page")

    parts = [part async for part in reader.read_all(None, 0, EventFilter())]

    assert [each.global_position for part in parts for each in part.events] == list(range(1, STORED + 1))
