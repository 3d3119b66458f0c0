"""Keeps a process running as Cloud Run does: when it ends, another is started."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from tests.processes import Process, kill_process, start_python


class Supervised:
    """A process that is started again whenever it ends."""

    def __init__(self) -> None:
        self._process: Process | None = None
        self._has_started = asyncio.Event()

    async def run(self, arguments: tuple[str, ...], variables: Mapping[str, str]) -> None:
        """Run it until cancelled; then kill it."""
        while True:
            process = self._process = await start_python(*arguments, variables=variables)
            self._has_started.set()
            try:
                await process.wait()
            finally:
                await kill_process(process)

    async def kill(self) -> None:
        """End the process that runs now without a word."""
        await self._has_started.wait()
        if self._process is not None and self._process.returncode is None:
            self._has_started.clear()
            self._process.kill()


@asynccontextmanager
async def supervised(*arguments: str, **variables: str) -> AsyncIterator[Supervised]:
    """Keep a Python process running; it is killed in the end."""
    supervised = Supervised()
    task = asyncio.create_task(supervised.run(arguments, variables))
    try:
        yield supervised
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
