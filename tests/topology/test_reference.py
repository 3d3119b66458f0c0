"""docs/topology.md has every key that a topology may have, and no other."""

import re

import pytest

from event_store.errors import TopologyError
from event_store.topology import Topology
from local.state import ROOT


def _known(text: str, path: str) -> set[str]:
    """Return the keys that the parser says it knows where it meets an unknown one."""
    with pytest.raises(TopologyError) as refused:
        Topology.parse(text, "t.yaml")
    found = re.search(rf"{re.escape(path)}zzzzzz is unknown: known are (.*)", str(refused.value))
    assert found is not None, str(refused.value)
    return set(found[1].split(", "))


def test_the_reference_names_every_key() -> None:
    """The parser itself is asked for its keys."""
    page = (ROOT / "docs" / "topology.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL))
    topic = "topics: [{name: words}]\n"
    asked = {
        "topics": _known("topics: [{name: words, zzzzzz: 1}]", "topics[0]."),
        "subscriptions": _known(
            f"{topic}subscriptions: [{{name: reader, topic: words, zzzzzz: 1}}]", "subscriptions[0]."
        ),
        "routes": _known(f"{topic}routes: [{{eventType: a, topics: [words], zzzzzz: 1}}]", "routes[0]."),
        "schemas": _known("schemas: [{name: a, zzzzzz: 1}]", "schemas[0]."),
    }

    assert set(sections) == {*asked, "unrouted"}
    for name, keys in asked.items():
        shown = {
            key.removeprefix(".").split(".")[0]
            for row in re.findall(r"^\| (`.*?) \|", sections[name], re.MULTILINE)
            for key in re.findall(r"`([^`]+)`", row)
            if not key.startswith(".")
        }
        assert shown == keys, name
