"""`up` runs the sample projection: what it shows stands in the projection's own tables."""

import re
from pathlib import Path
from typing import Final

import psycopg
import pytest

from event_store.errors import ConfigurationError
from local import demo
from local.sample import Sample
from tests.stack.conftest import Stack

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


def test_up_shows_the_table_of_the_sample_projection(stack: Stack) -> None:
    """Each event is shown as it is handled, then the rows that the projection has committed."""
    assert TABLE in stack.first_output
    assert re.findall(r"event_type=(\w+)", stack.first_output) == [
        "VocabularyAdded",
        "WordAdded",
        "WordAdded",
    ]
    assert _words(stack.first_output) == [("ahoj", "hello"), ("děkuji", "thank you")]


def test_the_sample_goes_on_after_down_and_up(stack: Stack) -> None:
    """Its tables are kept as the log is: the new vocabulary stands beside those of before."""
    down = stack.run("down")
    again = stack.run("up")

    assert down.returncode == again.returncode == 0, down.stderr + again.stdout + again.stderr
    assert TABLE in again.stdout
    assert _words(stack.first_output) == _words(again.stdout) == [("ahoj", "hello"), ("děkuji", "thank you")]


async def test_what_does_not_arrive_is_told_and_nothing_is_left_running(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the projection cannot reach Pub/Sub, `up` says so after a bounded time and names its log."""
    monkeypatch.setattr(demo, "RECEIVE_SECONDS", 0.5)
    deaf = {**stack.status, "pubsub_emulator_host": "127.0.0.1:1"}

    with pytest.raises(
        ConfigurationError, match=r"3 of 3 events did not get from vocabulary-projection"
    ) as told:
        await demo.show(deaf, tmp_path)

    assert str(tmp_path) in str(told.value)


async def test_the_sample_ends_with_its_context(stack: Stack, tmp_path: Path) -> None:
    """Its process, and whatever that would start, is gone when the context is left."""
    async with Sample(stack.status, tmp_path / "log").running() as lines:
        pass

    assert lines.get_nowait() == ""
