"""Processes of a test's own, which it may kill."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
PATIENCE_SECONDS: Final = 30.0

Process = asyncio.subprocess.Process


async def start_python(
    *arguments: str, stdout: int = asyncio.subprocess.DEVNULL, variables: Mapping[str, str] | None = None
) -> Process:
    """Start Python in a process of its own, which the caller kills in the end."""
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=stdout,
        stderr=asyncio.subprocess.DEVNULL,
        cwd=ROOT,
        env={**os.environ, **(variables or {})},
    )


@asynccontextmanager
async def python(*arguments: str, **variables: str) -> AsyncIterator[Process]:
    """Run Python in a process of its own, killed in the end if it still lives."""
    process = await start_python(*arguments, variables=variables)
    try:
        yield process
    finally:
        await kill_process(process)


async def kill_process(process: Process) -> None:
    """End a process without a word, as a machine does that loses its power."""
    if process.returncode is None:
        process.kill()
    await process.wait()


async def until_it_dies(process: Process) -> None:
    """Wait until a process has killed itself."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        assert await process.wait() == -signal.SIGKILL
