"""A child process tells what it said, whenever it said it."""

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest

from local_gcp.system.child_process import Processes


async def test_what_a_child_says_at_once_is_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has ended before whoever started it goes on; the words of the one before are not among its own."""
    start = asyncio.create_subprocess_exec

    async def start_and_wait(*command: str, **options: Any) -> asyncio.subprocess.Process:
        process = await start(*command, **options)
        await process.wait()
        return process

    monkeypatch.setattr(asyncio, "create_subprocess_exec", start_and_wait)
    async with Processes(tmp_path) as processes:
        tails = []
        for word in ("first", "second"):
            child = await processes.start("words", [sys.executable, "-c", f"print('{word}')"], {}, tmp_path)
            tails.append(child.tail())
            await processes.stop(child)

    assert tails == ["first", "second"]
