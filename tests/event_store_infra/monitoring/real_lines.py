"""Lines that a real service and a real relay log, healthy and in trouble."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from typing import Final

import psycopg
import pytest

from event_store import Client, ExpectedVersion, NewEvent
from event_store.database.login import Login
from event_store.environment import Environment
from event_store.errors import EventStoreError
from event_store.model.events import new_event_id
from event_store.outbox.relay import Relay
from event_store.server.json_logging import CloudFormatter
from event_store.server.server import Server
from event_store.topology import Routing
from pubsub_emulator import PubSubServer
from tests.conftest import NEWEST, Clusters, clone_as
from tests.event_store.outbox.bus import PATIENCE_SECONDS, bus_at
from tests.event_store.outbox.log import Log

_SLOW_SECONDS: Final = 1.2  # above the limit of a stack, whose default is one
_TRIES: Final = 3  # of which the fastest counts as healthy, since other tests may keep the machine busy


@dataclass(frozen=True, slots=True, kw_only=True)
class RealLines:
    """A line each, as it was logged.

    Attributes:
        idle: The heartbeat of a service that nobody has called.
        healthy: Those after an append that was relayed.
        stuck: Those while an event waits for a relay for ten minutes.
        slow: Those after an append that waited for another transaction.
        publishing: A relay that begins.
        service_error: A service that finds its log corrupted.
        relay_error: A relay that does.
    """

    idle: str
    healthy: str
    stuck: str
    slow: str
    publishing: str
    service_error: str
    relay_error: str


class _Captured(logging.Handler):
    """Gives a signal for each line that is logged."""

    def __init__(self) -> None:
        super().__init__()
        self._lines: list[tuple[logging.LogRecord, str]] = []
        self._came = asyncio.Event()
        self.setFormatter(CloudFormatter(""))

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.append((record, self.format(record)))
        self._came.set()

    async def take(self, logger: str, text: str) -> str:
        """Wait for a line of a logger with a text, and forget all."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                for record, line in self._lines:
                    if record.name == logger and text in record.getMessage():
                        self._lines.clear()
                        return line
                self._came.clear()
                await self._came.wait()


@contextmanager
def _captured() -> Iterator[_Captured]:
    logger, captured = logging.getLogger("event_store"), _Captured()
    level = logger.level
    logger.addHandler(captured)
    logger.setLevel(logging.INFO)
    yield captured
    logger.setLevel(level)
    logger.removeHandler(captured)


@asynccontextmanager
async def _relaying(routing: Routing) -> AsyncIterator[None]:
    relay = Relay(Login(Environment()), routing)
    task = asyncio.create_task(relay.run())
    yield
    relay.stop()
    await task


@pytest.fixture(scope="session")
async def lines(clusters: Clusters) -> RealLines:
    """Run a service and a relay through health and trouble, and return what they logged."""
    with (
        contextmanager(clone_as)(clusters(NEWEST), "lines_of_alerts") as database,
        pytest.MonkeyPatch.context() as patch,
        _captured() as captured,
    ):
        log = Log(None, database.superuser)  # type: ignore[arg-type] # appends go through the service
        for name, value in database.variables().items():
            patch.setenv(name, value)
        async with PubSubServer() as pubsub, bus_at(pubsub.address) as bus:
            patch.setenv("PUBSUB_EMULATOR_HOST", pubsub.address)
            server = Server(replace(Environment(), port=0, relay="off"), bus.routing())
            await server.start()
            try:
                return await _lived_through(server, bus.routing(), log, captured)
            finally:
                await server.stop()


async def _lived_through(server: Server, routing: Routing, log: Log, captured: _Captured) -> RealLines:
    async def heartbeat() -> str:
        await server._heartbeat.beat()
        return await captured.take("event_store.server.heartbeat", "heartbeat")

    async with Client(f"http://127.0.0.1:{server.port}") as client:

        async def append() -> None:
            await client.append(
                new_event_id(), "First", [NewEvent("Added", {})], expected_version=ExpectedVersion.NO_STREAM
            )

        idle = await heartbeat()
        healthy = []
        async with _relaying(routing):
            publishing = await captured.take("event_store.outbox.relay", "publishing")
            for _ in range(_TRIES):
                await append()
                await log.until("position = (SELECT position FROM log_head) FROM relays")
                healthy.append(await heartbeat())
            with psycopg.connect(log._conninfo) as connection:
                connection.execute("SELECT position FROM log_head FOR UPDATE")
                appending = asyncio.create_task(append())
                await asyncio.wait({appending}, timeout=_SLOW_SECONDS)
                connection.rollback()
            await appending
            await log.until("position = (SELECT position FROM log_head) FROM relays")
            slow = await heartbeat()

        await append()
        log.query("ALTER TABLE events DISABLE TRIGGER append_only")
        log.query("UPDATE events SET created_at = created_at - interval '10 min'")
        stuck = await heartbeat()

        log.query("DELETE FROM events WHERE global_position > (SELECT position FROM relays)")
        with pytest.raises(EventStoreError):
            [event async for event in client.read_all()]
        service_error = await captured.take("event_store.log.gap_check", "the log is corrupted")
        async with _relaying(routing):
            relay_error = await captured.take(
                "event_store.outbox.relay", "publishing stopped, operator action required"
            )
    return RealLines(
        idle=idle,
        healthy=min(healthy, key=lambda line: float(json.loads(line)["append_seconds"])),
        stuck=stuck,
        slow=slow,
        publishing=publishing,
        service_error=service_error,
        relay_error=relay_error,
    )
