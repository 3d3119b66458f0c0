"""docs/reference/topology.md has each key of a topology, no other, and what each allows."""

import re
from collections.abc import Iterator

import pytest

from event_store.errors import TopologyError
from event_store.topology import Topology
from tools import ROOT

# What the entries of each section need, so that one more key is looked at.
_NEEDED: dict[str, dict[str, str]] = {
    "topics": {"name": "other"},
    "subscriptions": {"name": "reader", "topic": "words"},
    "routes": {"topics": "[words]"},
    "schemas": {"name": "event", "type": "AVRO", "definition": "a"},
}

# Which these may be, the file itself says.
_NAMES = {"topic", "topics", "schemaSettings.schema"}


def _refusal(section: str, key: str, value: str) -> str:
    """Return what the parser says of a value under a path of keys; empty if it takes it."""
    first, *nested = key.split(".")
    for part in reversed(nested):
        value = f"{{{part}: {value}}}"
    entry = ", ".join(f"{name}: {each}" for name, each in {**_NEEDED[section], first: value}.items())
    words = "" if section == "topics" else "topics: [{name: words}]\n"
    try:
        Topology.parse(f"{words}{section}: [{{{entry}}}]", "t.yaml")
    except TopologyError as error:
        return str(error)
    return ""


def _keys(section: str, inside: str = "") -> Iterator[str]:
    """Yield the paths of all keys, as the parser names them where it meets an unknown one."""
    answer = _refusal(section, f"{inside}zzzzzz", "1")
    found = re.search(rf"{re.escape(inside)}zzzzzz is unknown: use one of (.*)", answer)
    for key in found[1].split(", ") if found else ():
        nested = list(_keys(section, f"{inside}{key}."))
        yield from nested or [f"{inside}{key}"]


def _rows(section: str) -> dict[str, str]:
    """Return the rows of a section's table by the paths of their keys."""
    page = (ROOT / "docs" / "reference" / "topology.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL))
    assert set(sections) == {*_NEEDED, "unrouted"}
    rows: dict[str, str] = {}
    for first, rest in re.findall(r"^\| (`.*?) \| (.*)", sections[section], re.MULTILINE):
        parent = ""
        for key in re.findall(r"`([^`]+)`", first):
            whole = parent + key if key.startswith(".") else key
            parent = parent or whole.rpartition(".")[0]
            rows[whole] = re.sub(r"`|(?<=\d),(?=\d)", "", rest)
    return rows


@pytest.mark.parametrize("section", _NEEDED)
def test_the_reference_names_every_key(section: str) -> None:
    """The parser itself is asked for its keys, those of mappings included."""
    keys = {key.removesuffix(".partitions") for key in _keys(section)}

    assert _rows(section).keys() == keys


@pytest.mark.parametrize("section", _NEEDED)
def test_the_reference_says_what_is_allowed(section: str) -> None:
    """Where the parser names a range or choices, the page does."""
    rows = _rows(section)
    compared = 0
    for key in rows.keys() - _NAMES:
        answer = _refusal(section, key, "zzz")
        ranges = re.findall(r"(\S+ to [^\s,;]+)$|one of (.*?)(?: or .*)?$", answer)
        for limits, choices in ranges:
            compared += 1
            for allowed in [limits] if limits else choices.split(", "):
                assert allowed in rows[key], (key, answer)

    assert compared or section == "routes"
