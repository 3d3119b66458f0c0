"""The examples of a document: its blocks of Python, run as they are printed."""

import ast
import asyncio
import inspect
import re
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from event_store.topology import Topology
from tests.processes import ROOT

_EXAMPLES: Final = ROOT / "examples"


def blocks(page: Path, *languages: str) -> list[str]:
    """Return the blocks of a page in some languages, in their order."""
    fence = rf"^```(?:{'|'.join(languages)})\n(.*?)^```"
    return re.findall(fence, page.read_text("utf-8"), re.DOTALL | re.MULTILINE)


def examples(document: str) -> list[str]:
    """Return the blocks of a document of docs/ in their order, without those that show a whole file."""
    files = {path.read_text("utf-8") for path in _EXAMPLES.rglob("*.py")}
    return [block for block in blocks(ROOT / "docs" / document, "python") if block not in files]


def topology_of(document: str) -> Topology:
    """Return the topology with what a document of docs/ adds to it in its blocks of YAML."""
    topology = Topology.load(ROOT / "topology.yaml")
    for block in blocks(ROOT / "docs" / document, "yaml"):
        added = Topology.parse(block, document)
        topology = replace(
            topology,
            topics=(*topology.topics, *added.topics),
            subscriptions=(*topology.subscriptions, *added.subscriptions),
        )
    return topology


async def run(source: str, names: dict[str, Any]) -> None:
    """Run an example in the loop if it awaits something, else in a thread: it may wait for a service here.

    Args:
        source: The example.
        names: What it may use, and what the examples before it have defined; those of its own are added.
    """
    code = compile(source, "example", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    if code.co_flags & inspect.CO_COROUTINE:
        await eval(code, names)  # noqa: S307 # our own documents
    else:
        await asyncio.to_thread(eval, code, names)
