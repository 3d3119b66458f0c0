"""Read standard input line by line without blocking the event loop."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from threading import Thread
from typing import Final

_CHUNK_BYTES: Final = 262_144


async def lines() -> AsyncIterator[bytes]:
    """Yield the lines of standard input.

    A thread reads one chunk ahead. The thread is a daemon and holds no lock of Python's `stdin`, so that an
    interrupted command does not wait for a read that may never end.
    """
    loop = asyncio.get_running_loop()
    chunks: asyncio.Queue[bytes] = asyncio.Queue(1)

    def read() -> None:
        with suppress(RuntimeError):  # the loop has ended
            while True:
                chunk = os.read(sys.stdin.fileno(), _CHUNK_BYTES)
                asyncio.run_coroutine_threadsafe(chunks.put(chunk), loop).result()
                if not chunk:
                    return

    Thread(target=read, daemon=True, name="standard input").start()
    rest: list[bytes] = []
    while chunk := await chunks.get():
        first, *others = chunk.split(b"\n")
        rest.append(first)
        for other in others:
            yield b"".join(rest)
            rest = [other]
    if last := b"".join(rest):
        yield last
