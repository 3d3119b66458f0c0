"""Whatever dies or hangs under an import, nothing of its source is lost or doubled."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from event_store.client.client import Client
from event_store.model.events import ExpectedVersion, ImportProgress, NewEvent
from event_store.server.server import Server
from local_gcp.system.ports import free_port
from tests.conftest import TestDatabase, kill
from tests.event_store.client.conftest import serving
from tests.event_store.client.importing.crashing_service import HANGS, POINTS
from tests.event_store.client.importing.test_import import history, stored
from tests.event_store.command import PATIENCE_SECONDS, started


@asynccontextmanager
async def crashing(point: str, port: int) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a service that dies or hangs at a point, killed in the end if it still lives."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(Path(__file__).with_name("crashing_service.py")),
        point,
        env={**os.environ, "PORT": str(port)},
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@pytest.mark.parametrize("point", POINTS)
async def test_a_service_that_dies_in_a_part_loses_and_doubles_nothing(
    variables: dict[str, str], point: str
) -> None:
    """Wherever its process is killed, the import goes on by itself on the next one."""
    events, port = history(3500), free_port()
    async with asyncio.timeout(2 * PATIENCE_SECONDS), Client(f"127.0.0.1:{port}") as client:
        async with crashing(point, port) as dying:
            importing = asyncio.create_task(client.import_events("legacy", events))
            assert await dying.wait() == -signal.SIGKILL
        async with started("serve", **variables, PORT=str(port)):
            assert await importing == ImportProgress(3500, 3500)
            found = await stored(client)

    assert [event.event_id for event in found] == [event.event_id for event in events]


async def test_a_service_that_hangs_in_a_part_holds_no_append_up(server: Server, client: Client) -> None:
    """The log is not locked while a part is on its way; the import goes on at another service."""
    events, port = history(3000), free_port()
    async with asyncio.timeout(PATIENCE_SECONDS), Client(f"127.0.0.1:{port}") as unlucky:
        async with crashing(HANGS, port):
            importing = asyncio.create_task(unlucky.import_events("legacy", events))
            while (await client.status()).head_position < 1000:  # the first part, the second hangs
                pass
            append = [NewEvent("Happened", 1)]
            await client.append(str(uuid4()), "Order", append, expected_version=ExpectedVersion.ANY)
            assert (await client.import_events("legacy", events)).stored_events == 3000
        importing.cancel()

    assert len(await stored(client)) == 3001
    assert server.port != port


async def test_postgresql_killed_under_an_import_loses_and_doubles_nothing(
    mortal_database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SIGKILL to the server, twice, with parts in flight: the import goes on by itself, to the last event."""
    for name, value in mortal_database.variables().items():
        monkeypatch.setenv(name, value)
    events = history(12_000)
    goals = [3000, 7000]

    def kill_at_a_goal(progress: ImportProgress) -> None:
        if goals and progress.stored_events >= goals[0]:
            goals.pop(0)
            kill(mortal_database.postgres)
            mortal_database.postgres.start()

    async with (
        asyncio.timeout(2 * PATIENCE_SECONDS),
        serving() as server,
        Client(f"127.0.0.1:{server.port}") as client,
    ):
        progress = await client.import_events("legacy", events, on_progress=kill_at_a_goal)
        found = await stored(client)

    assert (goals, progress) == ([], ImportProgress(12_000, 12_000))
    assert [event.event_id for event in found] == [event.event_id for event in events]
