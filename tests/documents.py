"""The Python of a document: each block is a program of its own, run as if pasted into a file."""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from event_store.topology import Topology
from tests.processes import PATIENCE_SECONDS, ROOT

TARGET = "127.0.0.1:8080"  # what the examples connect to: the service that `make up` starts


def blocks(page: Path, *languages: str) -> list[str]:
    """Return the blocks of a page in some languages, in their order."""
    fence = rf"^```(?:{'|'.join(languages)})\n(.*?)^```"
    return re.findall(fence, page.read_text("utf-8"), re.DOTALL | re.MULTILINE)


def topology_of(page: Path) -> Topology:
    """Return the topology with what a page adds to it in its blocks of YAML."""
    topology = Topology.load(ROOT / "topology.yaml")
    for block in blocks(page, "yaml"):
        added = Topology.parse(block, str(page))
        topology = replace(
            topology,
            topics=(*topology.topics, *added.topics),
            subscriptions=(*topology.subscriptions, *added.subscriptions),
        )
    return topology


@asynccontextmanager
async def program(source: str, folder: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """Start an example as a file of its own in a folder; end it, if it has not ended by itself."""
    file = folder / "example.py"
    file.write_text(source, "utf-8")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-u", str(file)),
        cwd=folder,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def output(source: str, folder: Path, *, until: str = "", given: bytes = b"") -> str:
    """Run an example and return what it prints.

    Args:
        source: The example.
        folder: Where its file is written, and where it runs.
        until: For an example that never ends: the regular expression of the output to wait for.
        given: Its standard input.
    """
    async with asyncio.timeout(PATIENCE_SECONDS), program(source, folder) as process:
        if not until:
            printed, errors = await process.communicate(given)
            assert process.returncode == 0, errors.decode()
            return printed.decode()
        assert process.stdout is not None
        text = ""
        while not re.fullmatch(until, text):
            line = await process.stdout.readline()
            assert line, f"it ended after:\n{text}"
            text += line.decode()
        return text
