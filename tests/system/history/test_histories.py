"""Whatever clients do at the same time, the store answers as one that does one thing after the other."""

import asyncio
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings

from event_store.environment import Environment
from event_store.server.server import Server
from tests.conftest import TestDatabase
from tests.system.history.checker import check
from tests.system.history.driver import Driver
from tests.system.history.history import History
from tests.system.history.names import Names
from tests.system.history.program import Program, programs
from tests.system.history.recorder import Recorder

EXAMPLES: Final = int(os.environ.get("HISTORY_EXAMPLES", "300"))
_EXAMPLE_SECONDS: Final = 60.0


@dataclass
class Stage:
    """A service that all examples share, each with aggregates of its own and its own part of the log."""

    runner: asyncio.Runner
    database: TestDatabase
    server: Server
    restarting: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def play(self, program: Program) -> History:
        """Carry a program out; return its history."""
        recorder = Recorder(Names(self._head()))
        driver = Driver(recorder, self.server.port, self.restart)
        try:
            async with asyncio.timeout(_EXAMPLE_SECONDS):
                await driver.run(program)
        except BaseException as error:
            error.add_note(str(await recorder.history(self.database.superuser)))
            raise
        return await recorder.history(self.database.superuser)

    async def restart(self) -> None:
        """Replace the service by another at the same port; one at a time."""
        async with self.restarting:
            await self.server.stop()
            self.server = Server(Environment(port=self.server.port), None)
            await self.server.start()

    def _head(self) -> int:
        with psycopg.connect(self.database.superuser) as connection:
            row = connection.execute("SELECT position FROM log_head").fetchone()
        assert row is not None
        return int(row[0])


@pytest.fixture
def stage(database: TestDatabase, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """A service in a loop of its own, since Hypothesis calls functions that are not async."""
    for name, value in database.variables().items():
        monkeypatch.setenv(name, value)
    with asyncio.Runner() as runner:
        stage = Stage(runner, database, Server(Environment(port=0), None))
        runner.run(stage.server.start())
        yield stage
        runner.run(stage.server.stop())


@settings(
    max_examples=EXAMPLES,
    derandomize="HISTORY_EXAMPLES" not in os.environ,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(program=programs)
def test_concurrent_clients_see_one_log(stage: Stage, program: Program) -> None:
    """Appends, reads, snapshots and subscriptions, through cuts and restarts, are those of a simple model."""
    check(stage.runner.run(stage.play(program)))
