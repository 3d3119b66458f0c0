"""What the client does in a process that was forked."""

import asyncio
import sys
from typing import Final

import pytest

from event_store.server.server import Server
from tests.event_store.command import PATIENCE_SECONDS, ROOT

# Forks, and says how the child's call ends; the child is the last to write.
PROGRAM: Final = """
import asyncio, os, signal, sys
from event_store import Client, EventStoreError

client = Client(sys.argv[1], timeout_seconds=5)

async def ask():
    async with Client(sys.argv[1], timeout_seconds=5) as other:
        print((await other.status()).head_position, flush=True)

async def open_and_ask():
    await client.__aenter__()
    print((await client.status()).head_position, flush=True)

def run(coroutine):
    try:
        asyncio.run(coroutine)
    except EventStoreError as error:
        print(f"{type(error).__name__}: {error}", flush=True)

if sys.argv[2] == "after":
    run(open_and_ask())
signal.alarm(20)
if not os.fork():
    signal.alarm(10)
    run(ask())
    run(client.status())
    os._exit(0)
os.wait()
os._exit(0)  # gRPC's own end is not what is tried
"""


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_forked_process_works_or_says_why_not(server: Server, when: str) -> None:
    """Before the first connection of its parent it works; later a new client and an old one raise at once."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", PROGRAM, f"127.0.0.1:{server.port}", when),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,  # where gRPC warns of the fork
    )
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            lines = (await process.communicate())[0].decode().splitlines()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()

    assert lines[0] == "0"
    assert len(lines) == (2 if when == "before" else 3)
    for line in lines[1:] if when == "after" else []:
        assert line.startswith("ConfigurationError: gRPC does not work in process ")
        assert "'spawn' or 'forkserver'" in line
