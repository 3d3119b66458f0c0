"""A Pub/Sub in a process of its own, which may be killed and started again where it was."""

import asyncio
from typing import Self

import pytest

from local_gcp.errors import SetupError
from local_gcp.pubsub_api.google_emulator import OfficialEmulator, find_jar, find_java
from local_gcp.system.ports import free_port
from tests.processes import Process, kill_process, start_python


class MortalPubSub:
    """The `embedded` Pub/Sub or Google's `official` emulator: `async with MortalPubSub(kind) as pubsub`.

    Both forget everything when they are killed, topics too. Google's own Pub/Sub keeps what it acknowledged.
    """

    def __init__(self, kind: str) -> None:
        self.port = free_port()
        self._kind = kind
        self._process: Process | None = None
        self._emulator: OfficialEmulator | None = None

    @property
    def address(self) -> str:
        """Where it is, before and after."""
        return f"127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        if self._kind == "official":
            try:
                find_java(), find_jar()
            except SetupError as missing:
                pytest.skip(str(missing))
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.kill()

    async def start(self) -> None:
        """Start it and wait until it serves."""
        if self._kind == "official":
            self._emulator = OfficialEmulator(port=self.port)
            await self._emulator.start()
            self._process = self._emulator._process
            return
        self._process = await start_python(
            "-m", "pubsub_emulator", "--port", str(self.port), stdout=asyncio.subprocess.PIPE
        )
        assert self._process.stdout is not None
        assert await self._process.stdout.readline()

    async def kill(self) -> None:
        """End it without a word."""
        process, self._process = self._process, None
        if process is not None:
            await kill_process(process)
        emulator, self._emulator = self._emulator, None
        if emulator is not None:
            await emulator.stop()  # takes note
