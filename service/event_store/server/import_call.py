"""Answer one call of `ImportEvents`: check and store the parts of a source.

Invariants:

- Parts are stored in the order of the stream, one at a time, and each is answered after its commit.
- While one part is stored, at most `PARTS_AHEAD` more are read and checked. While the client does not read
  its answers, no part is stored and so none is read: the memory is bounded for a source of any size.
- A rejected part ends the stream after all earlier parts are stored and answered.
- A stop ends the stream after the part that is being stored. A disconnected client ends it at any point; a
  part is then stored all or none.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

import grpc

from event_store.contract.append_request import HasNoRoute
from event_store.database.login import Login
from event_store.environment import IMPORT_CONNECTIONS
from event_store.errors import InvalidArgumentError, StoppingError
from event_store.log.import_writer import ImportPart, ImportWriter, prepare_part
from event_store.server.call_errors import Context
from event_store.v1 import event_store_pb2 as pb

MOST_IMPORTS: Final = IMPORT_CONNECTIONS  # each has about 16 MiB of parts at the most
PARTS_AHEAD: Final = 2
_MOST_ID_CHARACTERS: Final = 100


class Importer:
    """Answers one call of `ImportEvents`.

    Args:
        login: The login of its own connection.
        on_stored: Called after each part.
        has_no_route: See `append_request.prepare_request`.
        context: The call.
    """

    def __init__(
        self, login: Login, on_stored: Callable[[], None], has_no_route: HasNoRoute | None, context: Context
    ) -> None:
        self._login = login
        self._on_stored = on_stored
        self._has_no_route = has_no_route
        self._context = context
        self._stored_events: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._import_id = ""
        self._parts: deque[ImportPart] = deque()
        self._room = asyncio.Semaphore(PARTS_AHEAD)
        self._has_moved = asyncio.Event()
        self._stopping = ""  # the reason

    async def run(self) -> None:
        """Store parts until the client ends its side, or until `stop`.

        Raises:
            EventStoreError: An event is invalid, the import was taken over, or the database failed.
        """
        reading = asyncio.create_task(self._read())
        reading.add_done_callback(lambda _: self._has_moved.set())
        writer: ImportWriter | None = None
        try:
            while not self._stopping:
                if writer is None and self._import_id:
                    writer = ImportWriter(self._login, self._import_id)
                    begun = await writer.begin()
                    self._stored_events.set_result(begun.stored_events)
                    await self._context.write(begun)
                elif writer is not None and self._parts:
                    self._room.release()
                    stored = await writer.store(self._parts.popleft())
                    self._on_stored()
                    await self._context.write(stored)
                elif reading.done():
                    return reading.result()
                else:
                    self._has_moved.clear()
                    await self._has_moved.wait()
            raise StoppingError(f"{self._stopping}: start the import again under the same name")
        finally:
            if writer is not None:
                writer.close()  # before the first await, where an ended call may be cancelled again
            reading.cancel()
            self._stored_events.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    def stop(self, why: str) -> None:
        """End the call after the part that is being stored. Stopping twice is harmless.

        Args:
            why: The beginning of the error for the client.
        """
        self._stopping = why
        self._has_moved.set()

    async def _read(self) -> None:
        first = await self._context.read()
        if first is grpc.aio.EOF:
            return
        self._import_id = _import_id(first)
        self._has_moved.set()
        number = await self._stored_events
        while True:
            await self._room.acquire()
            request = await self._context.read()
            if request is grpc.aio.EOF:
                return
            part = prepare_part(request, number + 1, self._has_no_route)
            number += part.event_count
            self._parts.append(part)
            self._has_moved.set()


def _import_id(request: pb.ImportEventsRequest) -> str:
    size = len(request.import_id)
    fault = ""
    if not 1 <= size <= _MOST_ID_CHARACTERS:
        fault = f"has {size} characters, 1 to {_MOST_ID_CHARACTERS} are allowed in the first request"
    elif "\0" in request.import_id:
        fault = "contains a NUL, which PostgreSQL cannot hold"
    if fault:
        raise InvalidArgumentError.of("import_id", fault)
    if request.events:
        raise InvalidArgumentError.of(
            "events", f"has {len(request.events)} items in the first request: send only the import_id there"
        )
    return request.import_id
