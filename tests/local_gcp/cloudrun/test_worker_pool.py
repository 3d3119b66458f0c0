"""Cloud Run's promises for worker pools: a command that always runs, handed over without a gap."""

import asyncio
import os
import select
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.local_gcp.conftest import Stack

PATIENCE_SECONDS = 60
# It says that it has started, with its process id; when asked to end it reads a line, and says that it ends.
SCRIPT = (
    "trap 'read word < {handover}; echo ended $VERSION > {log}; exit' TERM; "
    "echo started $VERSION $$ > {log}; while true; do sleep 1000 & wait $!; done"
)
POOL = """
from pulumi_gcp import cloudrunv2
cloudrunv2.WorkerPool("pool", name="relay", location="europe-west1", deletion_protection=False,
    scaling={{"manual_instance_count": 1}},
    template={{"containers": [{{"image": "i", "commands": ["sh"], "args": ["-c", "{script}"],
        "envs": [{{"name": "VERSION", "value": "{version}"}}]{more}}}]}})
"""


class Worker:
    """The worker of a test.

    Args:
        folder: An empty one, for what it says and is told.
    """

    def __init__(self, folder: Path) -> None:
        self._log, self._handover = folder / "log", folder / "handover"
        for each in (self._log, self._handover):
            os.mkfifo(each)
        self._told = os.open(self._handover, os.O_RDWR)
        self._reader = asyncio.StreamReader()

    async def open(self) -> asyncio.BaseTransport:
        """Begin to listen to it."""
        log = os.fdopen(os.open(self._log, os.O_RDWR | os.O_NONBLOCK), "rb", buffering=0)
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(self._reader), log
        )
        return transport

    def close(self) -> None:
        """Forget it."""
        os.close(self._told)

    def program(self, version: str, more: str = "") -> str:
        """Return the program of a pool of it."""
        script = SCRIPT.format(log=self._log, handover=self._handover)
        return POOL.format(script=script, version=version, more=more)

    async def says(self) -> list[str]:
        """Return the words of the next line."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            return (await self._reader.readline()).decode().split()

    def let_end(self) -> None:
        """Let one that is asked to end do so."""
        os.write(self._told, b"go\n")


@pytest_asyncio.fixture
async def worker(tmp_path: Path) -> AsyncIterator[Worker]:
    """A worker that writes into a pipe of its own."""
    folder = tmp_path / "worker"
    folder.mkdir()
    worker = Worker(folder)
    transport = await worker.open()
    yield worker
    transport.close()
    worker.close()


async def test_an_update_starts_the_new_one_before_it_ends_the_old_one(stack: Stack, worker: Worker) -> None:
    """While the old one still ends, the new one runs already; nothing is left to change after that."""
    stack.write(worker.program("1"))
    await stack.must_up()
    first = await worker.says()

    stack.write(worker.program("2"))
    update = asyncio.create_task(stack.must_up())
    second = await worker.says()  # the old one has not ended: it waits for its line
    worker.let_end()
    ended = await worker.says()
    await update
    unchanged = await stack.run("preview", "--expect-no-changes")
    worker.let_end()

    assert [first[:2], second[:2], ended] == [["started", "1"], ["started", "2"], ["ended", "1"]]
    assert unchanged.code == 0, unchanged.output


async def test_one_that_ends_by_itself_is_started_again(stack: Stack, worker: Worker) -> None:
    """A worker is killed, and another process does its work."""
    stack.write(worker.program("1"))
    await stack.must_up()
    _, _, pid = await worker.says()

    os.kill(int(pid), signal.SIGKILL)
    started, version, other = await worker.says()
    worker.let_end()

    assert (started, version) == ("started", "1")
    assert other != pid


async def test_a_deleted_one_is_gone(stack: Stack, worker: Worker) -> None:
    """The process is asked to end, does so, and no other is started."""
    stack.write(worker.program("1"))
    await stack.must_up()
    _, _, pid = await worker.says()
    process = os.pidfd_open(int(pid))

    worker.let_end()
    await stack.must_destroy()
    ended, _, _ = select.select([process], [], [], 0)
    os.close(process)

    assert ended == [process]
    assert await worker.says() == ["ended", "1"]
    assert list(stack.cloud.records) == []
    assert stack.worker_pools.names == ()


async def test_a_probe_is_refused(stack: Stack, worker: Worker) -> None:
    """The local Google Cloud says that it would not probe a worker, rather than pretend."""
    stack.write(worker.program("1", more=', "startup_probe": {"tcp_socket": {"port": 1}}'))

    refused = await stack.up()

    assert refused.code != 0
    assert "has no probes of worker pools" in refused.output
