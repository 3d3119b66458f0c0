"""The front of a Cloud Run service: one stable address before its revisions.

Invariants: a new connection goes to the revision that `point_to` named last; a connection stays with its
revision until one of both ends it. While a service has no ready revision a connection waits for one.
"""

import asyncio
from contextlib import suppress
from typing import Final, Self

from local.ports import refuse_taken_port

WAIT_SECONDS: Final = 30.0
_CHUNK_BYTES: Final = 65_536


class Front:
    """A TCP proxy on 127.0.0.1: `async with Front(port) as front: front.point_to(revision_port)`.

    Args:
        port: Where it listens; 0 for a free one.
    """

    def __init__(self, port: int = 0) -> None:
        self.port = port
        self._upstream = 0
        self._pointed = asyncio.Condition()
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        refuse_taken_port(self.port, "--service-port")
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()
        for connection in tuple(self._connections):
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def point_to(self, port: int) -> None:
        """Send new connections to a port of 127.0.0.1; 0 lets them wait."""
        async with self._pointed:
            self._upstream = port
            self._pointed.notify_all()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._connections.add(task)
            task.add_done_callback(self._connections.discard)
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(WAIT_SECONDS), self._pointed:
                await self._pointed.wait_for(lambda: self._upstream)
            inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", self._upstream)
            try:
                await asyncio.gather(_pump(reader, inner_writer), _pump(inner_reader, writer))
            finally:
                inner_writer.close()
        writer.close()


async def _pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    """Copy until the source ends, then end the target's input."""
    while chunk := await source.read(_CHUNK_BYTES):
        target.write(chunk)
        await target.drain()
    if target.can_write_eof():
        target.write_eof()
