"""A word means one thing in the whole repository, so a class that shares its name with another says why."""

import ast
import re
from collections import defaultdict
from pathlib import Path
from typing import Final

import pytest

from tests.processes import ROOT

_FOLDERS: Final = ("service", "infra", "local", "examples", "benchmarks", "tools", "tests")
_MADE: Final = "the component of infra/ makes what the class of the service is, or uses"
_BOTH_ENDS: Final = "the service of Pub/Sub with that name, at the server's end and at the client's"
_AS_TESTED: Final = "what the tests of a layer drive it through is named as the layer's own"
# Why classes may share a name: what it means in each of its places.
SHARED: Final = {
    "Bus": f"the topics and subscriptions of a project: {_AS_TESTED}",
    "Change": "one property that differs between what stands and what the program says",
    "Database": _MADE,
    "DeadLetters": "the dead letters of a subscription, where they come from and where they are read",
    "InstanceKind": "a database instance, one class for each of Google's two products",
    "InvalidArgumentError": "the gRPC status of that name",
    "Lane": "the messages of one ordering key in their order, sent or received",
    "Log": f"the log of events: {_AS_TESTED}",
    "Metadata": "Google's metadata server, as far as a test needs it",
    "Publisher": _BOTH_ENDS,
    "Relay": _MADE,
    "Revision": "Google's word for a version of a schema, and for one of a Cloud Run service",
    "Schema": "Google's word for what the messages of a topic fit",
    "Settings": "all settings of one program, parsed",
    "Snapshot": "Pub/Sub's word for the state of a subscription, and the field's for that of an aggregate",
    "Stream": "a streaming pull, at the server's end and at the client's",
    "Subscriber": _BOTH_ENDS,
    "Subscription": "a subscription of Pub/Sub; in examples/ the library's own class that it extends",
    "Topic": "a topic of Pub/Sub",
    "UnavailableError": "the gRPC status of that name",
    "UserKind": "a database login, one class for each of Google's two products",
}


def _sources() -> dict[str, str]:
    paths = (path for folder in _FOLDERS for path in (ROOT / folder).rglob("*.py"))
    kept = (path for path in paths if not re.search(r"_pb2(_grpc)?\.py$", path.name))
    return {str(path.relative_to(ROOT)): path.read_text("utf-8") for path in kept}


def _shared(sources: dict[str, str]) -> dict[str, list[str]]:
    """Return each name that several public classes have at the top of a module, with their files."""
    places = defaultdict(list)
    for file, text in sources.items():
        for node in ast.parse(text).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(file)
    return {name: files for name, files in places.items() if len(files) > 1}


def test_classes_that_share_a_name_say_why() -> None:
    """Rename one of them, or add a line to SHARED that holds for all of them."""
    found = _shared(_sources())
    unexplained = {name: files for name, files in found.items() if name not in SHARED}

    assert unexplained == {}
    assert set(SHARED) - set(found) == set()  # no line outlives its reason


def test_a_second_class_of_a_name_is_found() -> None:
    """Whatever it stands for; so an empty list above means something."""
    assert _shared({"a.py": "class Pace: ...", "b.py": "x = 1\nclass Pace: ..."}) == {
        "Pace": ["a.py", "b.py"]
    }


def test_each_word_of_the_glossary_has_one_line() -> None:
    """A word that two lines explain means two things, sooner or later."""
    text = (ROOT / "docs" / "reference" / "glossary.md").read_text("utf-8")
    words = [
        word.strip("`* ")
        for line in re.findall(r"^\| (.+?) \| ", text, re.MULTILINE)[1:]
        for word in line.split(",")
    ]

    assert len(words) > 60
    assert sorted({word for word in words if words.count(word) > 1}) == []


@pytest.mark.parametrize("folder", ["service", "infra", "local"])
def test_every_logger_has_the_same_name(folder: str) -> None:
    """`logger`, as in the documentation of Python's own `logging`."""
    named = {
        f"{path.relative_to(ROOT)}: {found[1]}"
        for path in Path(ROOT / folder).rglob("*.py")
        for found in re.finditer(r"^(\w+) = logging\.getLogger\(", path.read_text("utf-8"), re.MULTILINE)
        if found[1] != "logger"
    }

    assert named == set()
