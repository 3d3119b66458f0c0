"""`up` runs the sample projection: what it shows stands in the projection's own tables."""

import asyncio
import re
import uuid
from pathlib import Path
from typing import Final

import psycopg
import pytest

from event_store import Client, ExpectedVersion, NewEvent
from event_store.errors import ConfigurationError
from tests.system.stack.conftest import RunningStack
from tools.local_stack import demonstration
from tools.local_stack.sample import Sample

BACKLOG: Final = 1_000
TABLE: Final = """\
  vocabulary   language  word    meaning
  First steps  cs        ahoj    hello
  First steps  cs        děkuji  thank you
"""


def _words(up: str) -> list[tuple[str, str]]:
    """Return what the projection has of the vocabulary that `up` has shown."""
    (conninfo,) = re.findall(r"^ +projection +(.+)$", up, re.MULTILINE)
    (vocabulary_id,) = set(re.findall(r"event_type=\w+ aggregate_id=([0-9a-f-]{36})", up))
    with psycopg.connect(conninfo) as connection:
        query = "SELECT word, meaning FROM vocabulary.words WHERE vocabulary_id = %s ORDER BY word"
        return connection.execute(query, (vocabulary_id,)).fetchall()


def test_up_shows_the_table_of_the_sample_projection(stack: RunningStack) -> None:
    """Each event is shown as it is handled, then the rows that the projection has committed."""
    assert TABLE in stack.first_output
    assert re.findall(r"event_type=(\w+)", stack.first_output) == [
        "VocabularyAdded",
        "WordAdded",
        "WordAdded",
    ]
    assert _words(stack.first_output) == [("ahoj", "hello"), ("děkuji", "thank you")]


def test_the_sample_goes_on_after_down_and_up(stack: RunningStack) -> None:
    """Its tables are kept as the log is: the new vocabulary stands beside those of before."""
    down = stack.run("down")
    again = stack.run("up", "--demo")

    assert down.returncode == again.returncode == 0, down.stderr + again.stdout + again.stderr
    assert TABLE in again.stdout
    assert _words(stack.first_output) == _words(again.stdout) == [("ahoj", "hello"), ("děkuji", "thank you")]


async def test_what_does_not_arrive_is_told_and_nothing_is_left_running(
    stack: RunningStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the projection cannot reach Pub/Sub, `up` says so after a bounded time and names its log."""
    monkeypatch.setattr(demonstration, "RECEIVE_SECONDS", 0.5)
    deaf = {**stack.status, "pubsub_emulator_host": "127.0.0.1:1"}

    with pytest.raises(
        ConfigurationError, match=r"3 of 3 events did not get from vocabulary-projection"
    ) as told:
        await demonstration.show(deaf, tmp_path)

    assert str(tmp_path) in str(told.value)


async def test_a_backlog_is_no_failure(
    stack: RunningStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the subscription had before is handled first, however long that takes, or as long as it may."""
    async with Client(stack.status["service"]) as client, client.append_stream() as appending:
        for _ in range(BACKLOG):
            event = NewEvent("WordAdded", {"word": "pes", "meaning": "dog"})
            await appending.append(
                str(uuid.uuid4()), "Vocabulary", [event], expected_version=ExpectedVersion.ANY
            )
    monkeypatch.setattr(demonstration, "MOST_SECONDS", 0.5)
    cut = await demonstration.show(stack.status, tmp_path)
    was_cut = "More are before these" in capsys.readouterr().out
    monkeypatch.undo()
    conninfo = await demonstration.show(stack.status, tmp_path)
    shown = capsys.readouterr().out

    assert cut == conninfo
    assert was_cut
    assert re.search(r"and \d{2,} earlier events", shown)
    assert TABLE in shown


async def test_patience_begins_anew_with_each_event(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A backlog takes longer than what may pass without any event; the events that count are printed."""
    monkeypatch.setattr(demonstration, "RECEIVE_SECONDS", 2.0)
    arrival = demonstration._Arrival({8})
    lines: asyncio.Queue[str] = asyncio.Queue()

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(arrival.wait(lines))
        for position in range(1, 9):
            await asyncio.sleep(0.3)
            lines.put_nowait(f"event_type=WordAdded global_position={position}")

    assert (arrival.missing, arrival.earlier) == (set(), 7)
    assert capsys.readouterr().out == "  event_type=WordAdded global_position=8\n"


async def test_the_sample_ends_with_its_context(stack: RunningStack, tmp_path: Path) -> None:
    """Its process, and whatever that would start, is gone when the context is left."""
    async with Sample(stack.status, tmp_path / "log").running() as lines:
        pass

    assert lines.get_nowait() == ""
