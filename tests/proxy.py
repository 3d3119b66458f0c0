"""A wire that a test can cut, or hold back what is on it."""

import asyncio
from contextlib import suppress
from typing import Final, Literal, Self

Direction = Literal["requests", "answers"]
PATIENCE_SECONDS: Final = 20.0
_CHUNK_BYTES: Final = 65_536


class Proxy:
    """Stands between clients and a server on this machine: `async with Proxy(port) as proxy: ... proxy.port`.

    Invariants:

    - What is held is never passed on: a test holds in order to cut, as a crash between the two would.
    - A new connection is refused while the server is away, so clients see what they would see without it.
    - A frozen connection stays established, and nothing passes on it any more.

    Args:
        server_port: Where the server listens on 127.0.0.1, now or later.
        answer_bytes_per_second: How fast answers pass, on each connection; by default as fast as they come.

    Attributes:
        connections: How many were made.
    """

    def __init__(self, server_port: int, answer_bytes_per_second: float = float("inf")) -> None:
        self.port = 0
        self.connections = 0
        self._frozen = 0  # how many of them, the first ones
        self._passes = asyncio.Event()
        self._server_port = server_port
        self._bytes_per_second = {"requests": float("inf"), "answers": answer_bytes_per_second}
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._holding: Direction | None = None
        self._held = bytearray()
        self._has_held = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        self.port = int(self._server.sockets[0].getsockname()[1])
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()
        self.cut()
        while self._connections:
            await asyncio.gather(*self._connections, return_exceptions=True)

    def hold(self, direction: Direction) -> None:
        """From now on keep back what goes one way, on every connection, until `cut`."""
        self._holding = direction
        self._held.clear()

    async def until_held(self, text: str = "") -> None:
        """Wait until something is held back, which has a text in it."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not self._held or text.encode() not in self._held:
                self._has_held.clear()
                await self._has_held.wait()

    def freeze(self) -> None:
        """Let nothing pass any more on the connections of this moment, which stay; later ones are whole."""
        self._frozen = self.connections

    async def until_passed(self, times: int) -> None:
        """Wait until something has passed so many times, either way."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            for _ in range(times):
                self._passes.clear()
                await self._passes.wait()

    def cut(self) -> None:
        """End every connection without a word, and what is held with it; later ones are whole."""
        self._holding = None
        self._held.clear()
        for writer in self._writers:
            writer.transport.abort()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        self.connections += 1
        number = self.connections
        self._writers.add(writer)
        try:
            with suppress(OSError):
                server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self._server_port)
                self._writers.add(server_writer)
                try:
                    await asyncio.gather(
                        self._pass_on(number, "requests", reader, server_writer),
                        self._pass_on(number, "answers", server_reader, writer),
                    )
                finally:
                    self._writers.discard(server_writer)
                    server_writer.transport.abort()
        finally:
            self._connections.discard(task)
            self._writers.discard(writer)
            writer.transport.abort()

    async def _pass_on(
        self, number: int, direction: Direction, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        with suppress(OSError):
            while data := await reader.read(_CHUNK_BYTES):
                if number <= self._frozen:
                    continue
                if self._holding == direction:
                    self._held += data
                    self._has_held.set()
                else:
                    await asyncio.sleep(len(data) / self._bytes_per_second[direction])
                    self._passes.set()
                    writer.write(data)
                    await writer.drain()
        writer.transport.abort()
