"""The sample projection works as its README says."""

import asyncio
import os
import random
import socket
import string
import sys
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from event_store.cli.emulator_bus import create_bus
from event_store.client.client import Client
from event_store.model.events import ExpectedVersion, NewEvent
from event_store.topology import Topology
from tests.conftest import TestDatabase
from tests.event_store.command import ROOT
from tests.event_store.consumer.conftest import serving
from tests.event_store.consumer.words import PATIENCE_SECONDS
from tests.pubsub_emulator.bus import Bus

PROJECT = "sample-project"


async def _start(*options: str, target: str, database: TestDatabase) -> asyncio.subprocess.Process:
    user = str(conninfo_to_dict(database.superuser)["user"])
    variables = {**os.environ, **database.variables(user), "EVENT_STORE_TARGET": target}
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "examples.vocabulary_projection", "--project", PROJECT, *options),
        cwd=ROOT,
        env=variables,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def _until(process: asyncio.subprocess.Process, conninfo: str, schema: str, words: int) -> None:
    query = sql.SQL("SELECT count(*) FROM {}.words").format(sql.Identifier(schema))
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while process.returncode is None:
                with suppress(psycopg.errors.UndefinedTable), psycopg.connect(conninfo) as connection:
                    if connection.execute(query).fetchone() == (words,):
                        return
                await asyncio.sleep(0.05)
    except TimeoutError:
        process.kill()
    pytest.fail((await process.communicate())[1].decode())


async def _add(client: Client, name: str, *words: tuple[str, str]) -> None:
    events = [NewEvent("VocabularyAdded", {"name": name, "language": "cs"})]
    events += [NewEvent("WordAdded", {"word": word, "meaning": meaning}) for word, meaning in words]
    await client.append(str(uuid4()), "Vocabulary", events, expected_version=ExpectedVersion.NO_STREAM)


async def test_the_sample_projects_live_and_rebuilds(
    bus: Bus, database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Words that are appended stand in its table; a second one, rebuilt from the log, has the same."""
    topology = Topology.load(ROOT / "topology.yaml")
    await asyncio.to_thread(lambda: list(create_bus(topology, PROJECT, bus.address)))
    async with serving(database, topology.routing(PROJECT), monkeypatch) as (client, target):
        processes = [await _start(target=target, database=database)]
        try:
            await _add(client, "First steps", ("ahoj", "hello"), ("děkuji", "thank you"))
            await _until(processes[0], database.superuser, "vocabulary", 2)
            processes.append(await _start("--name", "second", "--rebuild", target=target, database=database))
            await _until(processes[1], database.superuser, "second", 2)
            for process in processes:
                process.terminate()
            async with asyncio.timeout(PATIENCE_SECONDS):
                assert [await process.wait() for process in processes] == [0, 0]
        finally:
            for process in processes:
                if process.returncode is None:
                    process.kill()
                await process.communicate()
        showing = await _start("--show", "--name", "second", target=target, database=database)
        shown, _ = await showing.communicate()

    assert shown.decode() == "First steps  cs  ahoj  hello\nFirst steps  cs  děkuji  thank you\n"


async def test_the_sample_ends_on_sigterm_while_it_rebuilds(database: TestDatabase) -> None:
    """It exits with 0 although the store accepts its connection and answers nothing."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.setblocking(False)
        process = await _start("--rebuild", target=f"127.0.0.1:{silent.getsockname()[1]}", database=database)
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                connection, _ = await asyncio.get_running_loop().sock_accept(silent)
                with connection:
                    process.terminate()
                    _, said = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.communicate()

    assert (process.returncode, said.decode()) == (0, "")


async def test_words_that_no_index_holds_do_not_stop_the_sample(
    bus: Bus, database: TestDatabase, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Four of them, as many as it handles at a time, become dead letters; everything else goes on."""
    project, file = "project-of-long-words", tmp_path / "topology.yaml"
    text = (ROOT / "topology.yaml").read_text(encoding="utf-8")
    text = text.replace("minimumBackoff: 10s", "minimumBackoff: 0s")
    file.write_text(text.replace("maximumBackoff: 600s", "maximumBackoff: 0s"), encoding="utf-8")
    topology = Topology.load(file)
    await asyncio.to_thread(lambda: list(create_bus(topology, project, bus.address)))
    generator = random.Random(6)  # noqa: S311 # it is text that does not compress
    async with serving(database, topology.routing(project), monkeypatch) as (client, target):
        process = await _start("--project", project, target=target, database=database)
        try:
            for number in range(4):
                word = "".join(generator.choices(string.ascii_letters, k=6000))
                await _add(client, f"Vocabulary {number}", (word, "too long"), ("ahoj", "hello"))
            await _add(client, "Another one", ("pes", "dog"))
            await _until(process, database.superuser, "vocabulary", 5)
        finally:
            if process.returncode is None:
                process.kill()
            await process.communicate()
    dead = await bus.consume(f"projects/{project}/subscriptions/vocabulary-projection-dead-letter", 4)

    assert {each.message.attributes["event_version"] for each in dead} == {"2"}
