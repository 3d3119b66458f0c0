"""Wake readers of the log when there may be new events.

The log is polled: a wait always ends after a bounded time. Hints end it sooner. They come from the appender
of this process and, by PostgreSQL's NOTIFY, from those of other processes, unless its queue is half full.
Without a listening connection the polling interval is shorter.
"""

import asyncio
import logging
from contextlib import suppress
from typing import Final, NoReturn

from event_store.backoff import Backoff
from event_store.database.errors import domain_errors
from event_store.database.login import Login
from event_store.errors import EventStoreError
from event_store.log import queries

LISTENING_SECONDS: Final = 1.0
POLLING_SECONDS: Final = 0.2
PROBE_SECONDS: Final = 10.0  # between two checks that the listening connection still answers
_ANSWER_SECONDS: Final = 5.0
_FIRST_WAIT_SECONDS: Final = 0.5
_LONGEST_WAIT_SECONDS: Final = 30.0

logger = logging.getLogger(__name__)


class Wakeup:
    """Ends waits as soon as there may be new events.

    Args:
        login: The login of its own connection, which must not use a transaction pooler.
    """

    def __init__(self, login: Login) -> None:
        self._login = login
        self._hinted = asyncio.Event()
        self._listening = False

    def hint(self) -> None:
        """End the current wait or, if there is none, the next one."""
        self._hinted.set()

    async def wait(self) -> None:
        """Wait for a hint, but no longer than the polling interval."""
        with suppress(TimeoutError):
            async with asyncio.timeout(LISTENING_SECONDS if self._listening else POLLING_SECONDS):
                await self._hinted.wait()
        self._hinted.clear()

    async def listen(self) -> NoReturn:
        """Turn notifications into hints forever; reconnect when the connection ends."""
        backoff = Backoff(_FIRST_WAIT_SECONDS, _LONGEST_WAIT_SECONDS)
        while True:
            try:
                await self._listen(backoff)
            except EventStoreError as error:
                logger.warning("cannot listen for appends, polling instead: %s", error)
            finally:
                self._listening = False
            await asyncio.sleep(backoff.next_seconds())

    async def _listen(self, backoff: Backoff) -> None:
        with domain_errors():
            async with await self._login.connect_async(_ANSWER_SECONDS) as connection:
                while True:  # repeating LISTEN is harmless, and detects a hung connection
                    await connection.execute(queries["listen"])
                    if not self._listening:
                        self._listening = True
                        backoff.reset()
                        self.hint()  # for events appended before
                    async for _ in connection.notifies(timeout=PROBE_SECONDS):
                        self.hint()
