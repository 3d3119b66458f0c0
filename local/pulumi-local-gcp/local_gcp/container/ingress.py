"""The front of a Cloud Run service: one stable address for all of its revisions.

Invariants: among any hundred consecutive new connections each revision gets its percent of the last `share`.
A connection stays with its revision until one side ends it. While a service has no ready revision, new
connections wait for one.

Cloud Run distributes requests. Here all requests of a connection go to the same revision, until `send_on`
makes all clients reconnect.
"""

import asyncio
from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import Final, Self

from local_gcp.container.http2_goaway import PREFACE, Frames
from local_gcp.system.ports import refuse_taken_port

WAIT_SECONDS: Final = 30.0
_CHUNK_BYTES: Final = 65_536


class Front:
    """A proxy on 127.0.0.1: `async with Front(port) as front: await front.share({revision_port: 100})`.

    Args:
        port: The port to listen on; 0 for a free one.
    """

    def __init__(self, port: int = 0) -> None:
        self.port = port
        self._shares: Mapping[int, int] = {}
        self._credits: dict[int, int] = {}
        self._shared = asyncio.Condition()
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

    async def share(self, shares: Mapping[int, int]) -> None:
        """Distribute new connections by percent.

        Args:
            shares: The percent of each port on 127.0.0.1; if empty, new connections wait.
        """
        async with self._shared:
            self._shares = {port: percent for port, percent in shares.items() if percent}
            self._credits = dict.fromkeys(self._shares, 0)
            self._shared.notify_all()

    async def send_on(self, leaving: Collection[int], timeout_seconds: float) -> None:
        """Ask all clients to reconnect, and wait until none uses a leaving port or the time is over.

        Afterwards no new request reaches those ports; the revisions finish the open requests.

        Args:
            leaving: The ports of the revisions that will be stopped.
            timeout_seconds: The longest wait, since requests such as streams may take long.
        """
        for connection in self._connections.values():
            connection.say_goodbye()
        waiting = [task for task, each in self._connections.items() if each.port in leaving]
        if waiting:
            await asyncio.wait(waiting, timeout=timeout_seconds)

    def _choose(self) -> int:
        """Return the next port: the one that is furthest behind its share."""
        for port, percent in self._shares.items():
            self._credits[port] += percent
        chosen = max(self._credits, key=self._credits.__getitem__)
        self._credits[chosen] -= sum(self._shares.values())
        return chosen

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(WAIT_SECONDS), self._shared:
                await self._shared.wait_for(lambda: self._shares)
                port = self._choose()
            connection = _Connection(port, reader, writer)
            task = asyncio.create_task(connection.serve())
            self._connections[task] = connection
            task.add_done_callback(self._connections.pop)
            await task
        writer.close()


class _Connection:
    """A client's connection to a revision.

    Attributes:
        port: The port of the revision.
    """

    def __init__(self, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.port = port
        self._reader = reader
        self._writer = writer
        self._frames: Frames | None = None  # of HTTP/2
        self._is_sent_on = False

    async def serve(self) -> None:
        """Copy in both directions until both sides have closed."""
        first = await self._reader.read(_CHUNK_BYTES)  # a client speaks first
        if first.startswith(PREFACE):
            self._frames = Frames()
            if self._is_sent_on:
                self.say_goodbye()
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(first)
            await asyncio.gather(self._ask(writer), self._answer(reader))
        finally:
            writer.close()

    def say_goodbye(self) -> None:
        """Tell an HTTP/2 client to send its next requests on another connection."""
        self._is_sent_on = True
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
