"""The examples of the documents run as they are printed."""

import asyncio
from contextlib import suppress
from typing import Any, Final

from event_store.client.client import Client
from event_store.model.events import ExpectedVersion, NewEvent, RecordedEvent
from event_store.server.server import Server
from tests.documents import examples, run
from tests.event_store.command import PATIENCE_SECONDS

AGGREGATE_ID: Final = "0198c2a4-5b1c-7cc0-a6ab-3f6ad1e0b001"


async def test_the_examples_of_reads_and_subscriptions_run(client: Client, capsys: Any) -> None:
    """Each block of docs/howto/subscriptions.md, one after the other, on a log with three events."""
    handled: list[int] = []
    kept: list[int] = []
    done = asyncio.Event()

    async def handle(event: RecordedEvent) -> None:
        handled.append(event.global_position)

    async def keep(position: int) -> None:
        kept.append(position)
        if position == 3:
            done.set()

    events = [NewEvent(each, {}) for each in ("VocabularyCreated", "WordAdded", "WordAdded")]
    await client.append(AGGREGATE_ID, "Vocabulary", events, expected_version=ExpectedVersion.NO_STREAM)
    names = {"client": client, "checkpoint": 1, "handle": handle, "keep": keep}
    aggregate, log, follow = examples("howto/subscriptions.md")

    await run(aggregate, names)
    await run(log, names)
    shown = capsys.readouterr().out
    following = asyncio.create_task(run(follow, names))
    async with asyncio.timeout(PATIENCE_SECONDS):
        await done.wait()
    following.cancel()
    with suppress(asyncio.CancelledError):
        await following

    assert [line.split()[0] for line in shown.splitlines()] == ["2", "3", "2", "3"]
    assert (handled, kept) == ([2, 3], [2, 3])


async def test_the_examples_of_appends_and_snapshotsrun(client: Client, capsys: Any) -> None:
    """Each block of docs/howto/appending.md, one after the other, on an empty log."""
    names: dict[str, Any] = {"client": client}
    for block in examples("howto/appending.md"):
        async with asyncio.timeout(PATIENCE_SECONDS):
            await run(block, names)

    shown = capsys.readouterr().out.splitlines()
    assert shown[:5] == ["2 2", "[3, 1]", "100", "True", "True 90 {'words': 90}"]
    assert shown[5] == "100"
    assert shown[6].startswith("106 106 ")


async def test_the_example_of_an_import_runs(client: Client, capsys: Any) -> None:
    """The block of docs/howto/importing.md on an empty log, and again: then there is nothing left to do."""
    for block in 2 * examples("howto/importing.md"):
        async with asyncio.timeout(PATIENCE_SECONDS):
            await run(block, {"client": client})

    shown = capsys.readouterr().out.splitlines()
    assert shown == ["0", "1000", "2000", "2500", "2500 2500", "2500", "2500 2500"]


async def test_the_examples_of_the_library_run(server: Server, capsys: Any) -> None:
    """Each block of docs/howto/eventsourcing.md, one after the other, on an empty log."""
    names: dict[str, Any] = {"target": f"127.0.0.1:{server.port}"}
    for block in examples("howto/eventsourcing.md"):
        async with asyncio.timeout(PATIENCE_SECONDS):
            await run(block, names)

    words, conflict, *followed = capsys.readouterr().out.splitlines()
    assert words == "{'ahoj': 'hello'}"
    assert "is at version 3, expected 2" in conflict
    assert followed == ["1 Added 1", "2 WordAdded 2", "3 WordAdded 3"]
