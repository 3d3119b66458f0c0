"""CONTRIBUTING.md leads to places that are there, by their names."""

import re
from pathlib import Path
from typing import Final

import pytest

from tests.processes import ROOT

TEXT: Final = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
_ROW: Final = re.compile(r"^\| (.+?) \| (.+) \|$", re.MULTILINE)


def _rows(heading: str) -> list[tuple[str, str]]:
    """Return the rows of the first table under a heading, without its head."""
    section = TEXT.split(f"# {heading}\n", 1)[1].split("\n#", 1)[0]
    return _ROW.findall(section)[1:]


MAP: Final = _rows("Where do I change …")
QUESTIONS: Final = _rows("Ten questions")


@pytest.mark.parametrize(("what", "where"), MAP)
def test_each_place_of_the_map_is_there(what: str, where: str) -> None:
    """The first place has its whole path; another one is in the same folder, or in one above that."""
    first, *others = (Path(each) for each in re.findall(r"`([\w./-]+)`", where))

    assert (ROOT / first).exists(), what
    for other in others:
        assert any((ROOT / base / other).exists() for base in (first, *first.parents)), f"{what}: {other}"


def test_there_are_ten_questions() -> None:
    """Of all four distributions."""
    distributions = {answer.split("/")[1] for _, answer in QUESTIONS}

    assert len(QUESTIONS) == 10
    assert distributions == {"event_store", "event_store_infra", "pubsub-emulator", "pulumi-local-gcp"}


@pytest.mark.parametrize(("question", "answer"), QUESTIONS)
def test_each_question_is_answered_by_names_alone(question: str, answer: str) -> None:
    """The file is there, and both its name and its folder's have a word of the question."""
    path = Path(answer.strip("`"))
    asked = [word.lower() for word in re.findall(r"\w+", question)]

    assert (ROOT / path).is_file()
    for name in (path.stem, "_".join(path.parts[1:-1])):
        words = re.split(r"[_-]", name)
        assert any(word.startswith(said[:4]) for word in words for said in asked if len(said) > 2), name
