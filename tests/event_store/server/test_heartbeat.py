"""Once a minute the service says how it is, in the fields that alerts are made of."""

import asyncio
import json
import logging

import pytest

from event_store.environment import Environment
from event_store.log.latency import Latency
from event_store.server import heartbeat
from event_store.server.json_logging import CloudFormatter
from event_store_infra.components.monitoring.logged import LOGGED
from tests.conftest import TestDatabase
from tests.event_store.conftest import Service, running
from tests.event_store.requests import append


async def test_the_line_has_the_fields_that_alerts_are_made_of(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    """With appends and a lag each is a number; nothing relays here, so the lag is the first event's age."""
    await service.append(append())

    with caplog.at_level(logging.INFO, "event_store.server.heartbeat"):
        await service.server._heartbeat.beat()

    (record,) = [each for each in caplog.records if each.name == "event_store.server.heartbeat"]
    line = json.loads(CloudFormatter("").format(record))
    assert all(line[field] > 0 for field in LOGGED)
    assert (line["head_position"], line["relay_position"], line["parked_messages"]) == (1, 0, 0)


async def test_the_line_comes_each_minute_by_itself(
    any_database: TestDatabase, environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A service that nobody calls says it again and again; ten minutes without one are an alert."""
    assert heartbeat.INTERVAL_SECONDS == 60
    lines: asyncio.Queue[str] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            loop.call_soon_threadsafe(lines.put_nowait, record.getMessage())

    logger, handler = logging.getLogger("event_store.server.heartbeat"), Handler(logging.INFO)
    monkeypatch.setattr(heartbeat, "INTERVAL_SECONDS", 0.05)
    monkeypatch.setattr(logger, "level", logging.INFO)
    logger.addHandler(handler)
    try:
        async with running(any_database, environment, monkeypatch), asyncio.timeout(30):
            told = [await lines.get() for _ in range(3)]
    finally:
        logger.removeHandler(handler)

    assert told == ["heartbeat"] * 3


def test_the_line_is_logged_at_any_level() -> None:
    """A service that logs errors alone still tells how it is: else it would count as silent."""
    assert logging.getLogger(heartbeat.__name__).level == logging.INFO  # its own, whatever those above have


async def test_without_the_database_there_is_no_line(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    """The alert on silence then rings; the service itself goes on."""
    service.execute("DROP TABLE parked_messages")

    with caplog.at_level(logging.INFO, "event_store.server.heartbeat"):
        await service.server._heartbeat.beat()

    assert [each.levelname for each in caplog.records if each.name == "event_store.server.heartbeat"] == [
        "WARNING"
    ]


def test_a_latency_is_told_to_a_quarter() -> None:
    """99 of 100 are at most what is told, and it is not more than a quarter above the slowest of them."""
    latency = Latency()
    assert latency.take(0.99) is None

    for milliseconds in range(1, 101):
        latency.note(milliseconds / 1000)
    told = latency.take(0.99)

    assert told is not None
    assert 0.099 <= told <= 0.099 * 1.25
    assert latency.take(0.99) is None, "taken once"


def test_no_time_is_too_long_or_too_short() -> None:
    """Zero and a day are counted too."""
    latency = Latency()
    latency.note(0.0, 99)
    latency.note(86_400)

    assert latency.take(0.99) == pytest.approx(0.0001)
