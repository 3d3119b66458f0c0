"""The examples of the documents run as they are printed."""

import ast
import asyncio
import re
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from event_store.client import Client
from event_store.events import ExpectedVersion, NewEvent, RecordedEvent
from tests.client.command import PATIENCE_SECONDS

ROOT: Final = Path(__file__).parents[2]
AGGREGATE_ID: Final = "0198c2a4-5b1c-7cc0-a6ab-3f6ad1e0b001"


async def test_the_examples_of_reads_and_subscriptions_run(client: Client, capsys: Any) -> None:
    """Each block of docs/subscriptions.md, one after the other, on a log with three events."""
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
    aggregate, log, follow = _blocks("subscriptions.md")

    await _run(aggregate, names)
    await _run(log, names)
    shown = capsys.readouterr().out
    following = asyncio.create_task(_run(follow, names))
    async with asyncio.timeout(PATIENCE_SECONDS):
        await done.wait()
    following.cancel()
    with suppress(asyncio.CancelledError):
        await following

    assert [line.split()[0] for line in shown.splitlines()] == ["2", "3", "2", "3"]
    assert (handled, kept) == ([2, 3], [2, 3])


async def test_the_examples_of_appends_and_snapshots_run(client: Client, capsys: Any) -> None:
    """Each block of docs/appending.md, one after the other, on an empty log."""
    names: dict[str, Any] = {"client": client}
    for block in _blocks("appending.md"):
        async with asyncio.timeout(PATIENCE_SECONDS):
            await _run(block, names)

    shown = capsys.readouterr().out.splitlines()
    assert shown[:5] == ["2 2", "[3, 1]", "100", "True", "True 90 {'words': 90}"]
    assert shown[5] == "100"
    assert shown[6].startswith("106 106 ")


def _blocks(document: str) -> list[str]:
    text = (ROOT / "docs" / document).read_text("utf-8")
    return re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


async def _run(source: str, names: dict[str, Any]) -> None:
    code = compile(source, "example", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    coroutine = eval(code, names)  # noqa: S307 # our own documents
    if coroutine is not None:
        await coroutine
