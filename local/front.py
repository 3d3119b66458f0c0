"""The front of a Cloud Run service: one stable address before its revisions.

Invariants: a new connection goes to the revision that `point_to` named last; a connection stays with its
revision until one of both ends it. While a service has no ready revision a connection waits for one.
"""

import asyncio
from contextlib import suppress
from typing import Final, Self

from local.http2 import PREFACE, Frames
from local.ports import refuse_taken_port

WAIT_SECONDS: Final = 30.0
_CHUNK_BYTES: Final = 65_536


class Front:
    """A proxy on 127.0.0.1: `async with Front(port) as front: front.point_to(revision_port)`.

    Args:
        port: Where it listens; 0 for a free one.
    """

    def __init__(self, port: int = 0) -> None:
        self.port = port
        self._upstream = 0
        self._pointed = asyncio.Condition()
        self._server: asyncio.Server | None = None
        self._connections: dict[asyncio.Task[None], _Connection] = {}

    async def __aenter__(self) -> Self:
        refuse_taken_port(self.port, "--service-port")
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()
        tasks = tuple(self._connections)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def point_to(self, port: int) -> None:
        """Send new connections to a port of 127.0.0.1; 0 lets them wait."""
        async with self._pointed:
            self._upstream = port
            self._pointed.notify_all()

    async def drain(self, port: int, timeout_seconds: float) -> None:
        """Ask the clients of a revision to go to the next one, and wait until they did, or the time is over.

        After that no new request reaches it; those under way are for the revision itself to finish.

        Args:
            port: The revision's.
            timeout_seconds: For requests that take long, such as streams.
        """
        leaving = {task: each for task, each in self._connections.items() if each.port == port}
        for connection in leaving.values():
            connection.say_goodbye()
        if leaving:
            await asyncio.wait(leaving, timeout=timeout_seconds)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(WAIT_SECONDS), self._pointed:
                await self._pointed.wait_for(lambda: self._upstream)
            connection = _Connection(self._upstream, reader, writer)
            task = asyncio.create_task(connection.serve())
            self._connections[task] = connection
            task.add_done_callback(self._connections.pop)
            await task
        writer.close()


class _Connection:
    """A client's connection to a revision.

    Attributes:
        port: The revision's.
    """

    def __init__(self, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.port = port
        self._reader = reader
        self._writer = writer
        self._frames: Frames | None = None  # of HTTP/2

    async def serve(self) -> None:
        """Copy both ways until both ends have said all."""
        first = await self._reader.read(_CHUNK_BYTES)  # a client speaks first
        if first.startswith(PREFACE):
            self._frames = Frames()
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(first)
            await asyncio.gather(self._ask(writer), self._answer(reader))
        finally:
            writer.close()

    def say_goodbye(self) -> None:
        """Tell the client, if it speaks HTTP/2, to send its next requests on another connection."""
        if self._frames is not None:
            self._writer.write(self._frames.say_goodbye())

    async def _ask(self, writer: asyncio.StreamWriter) -> None:
        while chunk := await self._reader.read(_CHUNK_BYTES):
            writer.write(chunk)
            await writer.drain()
        writer.write_eof()

    async def _answer(self, reader: asyncio.StreamReader) -> None:
        while chunk := await reader.read(_CHUNK_BYTES):
            self._writer.write(chunk if self._frames is None else self._frames.feed(chunk))
            await self._writer.drain()
        self._writer.write_eof()
