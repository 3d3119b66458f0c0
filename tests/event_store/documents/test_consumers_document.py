"""The examples of docs/howto/consumers.md run as they are printed, but for what they connect to."""

import asyncio
import base64
import json
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import psycopg
import pytest
from psycopg.errors import UndefinedTable

from event_store.cli.emulator_bus import create_bus
from event_store.client.client import Client
from event_store.model.events import ExpectedVersion, NewEvent, RecordedEvent
from event_store.topology import Topology
from tests.conftest import TestDatabase
from tests.documents import TARGET, blocks, output, program
from tests.event_store.command import ROOT
from tests.event_store.consumer.conftest import serving
from tests.event_store.consumer.words import PATIENCE_SECONDS, read
from tests.pubsub_emulator.bus import Bus

PROJECT: Final = "my-project"


async def _add(client: Client, word: str) -> str:
    aggregate_id = str(uuid4())
    event = NewEvent("WordAdded", {"word": word})
    await client.append(aggregate_id, "Vocabulary", [event], expected_version=ExpectedVersion.NO_STREAM)
    return aggregate_id


def _pushed(event: RecordedEvent) -> bytes:
    """Return the body of a push request for an event."""
    fields = {name: value for name, value in asdict(event).items() if not name.endswith("_json")}
    message: dict[str, Any] = {name: str(value) for name, value in fields.items()}
    message |= {"event_version": event.event_version, "global_position": event.global_position}
    message |= {"event_data": event.event_data, "metadata": event.metadata}
    data = base64.b64encode(json.dumps(message).encode()).decode()
    return json.dumps({"message": {"data": data}}).encode()


async def test_the_examples_of_consumers_run(
    bus: Bus, database: TestDatabase, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A word that is appended comes into the tables of the document's projection, a pushed one too."""
    topology = Topology.load(ROOT / "topology.yaml")
    await asyncio.to_thread(lambda: list(create_bus(topology, PROJECT, bus.address)))
    async with serving(database, topology.routing(PROJECT), monkeypatch) as (client, target):
        project, push = (
            block.replace("dbname=words", database.superuser).replace(TARGET, target)
            for block in blocks(ROOT / "docs" / "howto" / "consumers.md", "python")
        )
        first = await _add(client, "ahoj")
        async with program(project, tmp_path):
            await _until(database, [(first, "ahoj")])
        second = await _add(client, "pes")
        (event,) = await read(client, second)
        answer = await output(push, tmp_path, given=_pushed(event))

    assert answer == "204\n"
    await _until(database, [(first, "ahoj"), (second, "pes")])


async def _until(database: TestDatabase, wanted: list[tuple[str, str]]) -> None:
    async with (
        asyncio.timeout(PATIENCE_SECONDS),
        await psycopg.AsyncConnection.connect(database.superuser, autocommit=True) as connection,
    ):
        found = None
        while found != sorted(wanted):
            await asyncio.sleep(0.02)  # it gives no signal
            with suppress(UndefinedTable):  # the example creates it
                cursor = await connection.execute("SELECT aggregate_id::text, word FROM words ORDER BY 1")
                found = await cursor.fetchall()
