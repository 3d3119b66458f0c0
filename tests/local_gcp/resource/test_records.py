"""What stands in the local Google Cloud is on disk after every call, whole or as it was before."""

import os
from pathlib import Path

import pytest

from local_gcp.daemon.state_directory import State
from local_gcp.errors import SetupError
from local_gcp.resource.place import Place
from local_gcp.resource.records import Record, Records

TOPIC = Record(type="t:Topic", id="words", urn="urn:1", inputs={"name": "words"}, outputs={"name": "words"})
OTHER = Record(type="t:Topic", id="other", urn="urn:2", inputs={}, outputs={})


def test_every_change_is_there_for_the_next_process(tmp_path: Path) -> None:
    """Place, records and their order, what Pulumi knows of, and what was forgotten."""
    path = tmp_path / "cloud.json"
    records = Records(path)
    records.place = Place("p-1", "europe-west1")
    records.put(OTHER)
    records.put(TOPIC)
    records.confirm(TOPIC)
    begun = Records(path)
    records.remove(OTHER)
    records.remove(OTHER)

    assert begun.place == Place("p-1", "europe-west1")
    assert [(each.id, each.confirmed) for each in begun] == [("other", False), ("words", True)]
    assert [each.id for each in Records(path)] == ["words"]
    assert begun.find("t:Topic", "words") == begun.of_type("t:Topic")[1]
    assert begun.find("t:Other", "words") is None


def test_a_write_that_breaks_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is replaced as a whole: half of it is never what the next process reads."""
    path = tmp_path / "cloud.json"
    records = Records(path)
    records.put(TOPIC)

    def broken(_descriptor: int) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(OSError, match="no space"):
        records.put(OTHER)

    assert [each.id for each in Records(path)] == ["words"]


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"format": 2, "place": {}, "records": []}', '{"format": 1, "records": [{}]}']
)
def test_what_this_release_did_not_write_is_told(tmp_path: Path, text: str) -> None:
    """It is neither guessed at nor written over."""
    path = tmp_path / "cloud.json"
    path.write_text(text)

    with pytest.raises(SetupError, match=r"is not the state of this release: .*down --purge"):
        Records(path)
    assert path.read_text() == text


def test_a_preview_of_nothing_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a file everything is in memory."""
    monkeypatch.chdir(tmp_path)
    records = Records(None)
    records.put(TOPIC)

    assert [*records] == [TOPIC]
    assert [*tmp_path.iterdir()] == []


def test_a_directory_has_one_holder_of_each_lock(tmp_path: Path) -> None:
    """Another daemon, or another command, is refused while one holds it, and may come when it is gone."""
    state = State(tmp_path / "state")
    assert state.is_locked("daemon") is False
    state.make()

    with state.lock("daemon"):
        assert state.is_locked("daemon") is True
        assert state.is_locked("command") is False
        with pytest.raises(BlockingIOError), State(state.directory).lock("daemon"):
            pass
    assert state.is_locked("daemon") is False
    assert state.directory.stat().st_mode & 0o066 == 0  # nobody else reads it
    assert {each.name for each in state.directory.iterdir() if each.is_dir()} == {"home", "logs", "pulumi"}
