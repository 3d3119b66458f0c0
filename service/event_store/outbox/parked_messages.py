"""Parked messages: what the relay could not publish and set aside, to be looked at and published after all.

Invariants:

- A message leaves the table only after Pub/Sub has acknowledged it, so it is published at least once; or
  because an operator drops it.
- It is published under the ordering key and the replay that it had, but late: after the later events of its
  key. Whoever keeps the version that it has of each aggregate can tell.
- Not so if its key is blocked: the key's messages are published in their order, each after the one before it
  was taken. The relay parks what comes meanwhile and goes on with the key when nothing is parked any more:
  the statement that unblocks it does nothing if the relay has parked since it looked, see `parking.py`.
- One that is refused again stays, with the newest reason, and so does what waits behind it in a blocked key.
  It keeps no other from being tried.
"""

import math
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import psycopg

from event_store.database.errors import domain_errors
from event_store.errors import InvalidArgumentError, LogCorruptedError
from event_store.log import queries as log_queries
from event_store.outbox import queries
from event_store.pubsub.event_message import Content, EventRow
from event_store.pubsub.publisher import Publisher

PAGE_MESSAGES: Final = 500  # are looked at with one statement
_PUBLISH_SECONDS: Final = 30.0
_MOST_MESSAGES: Final = 64  # in a request: each is read whole from the log
_PAGE_BYTES: Final = 1  # a page has one event at least, however large it is


@dataclass(frozen=True, slots=True)
class ParkedMessage:
    """A message that could not be published.

    Attributes:
        global_position: The event's place in the log.
        topic: `projects/PROJECT/topics/NAME`.
        event_id: The event's id.
        ordering_key: The message's ordering key; empty for none.
        error: Why it could not be published, the last time.
        attempts: How many times that was tried.
        parked_at: When it was set aside, by the database's clock; in its time zone.
        is_blocked: Whether its ordering key is blocked: nothing of it is published before this message is.
        replay_id: The replay whose message it is; None for the relay's.
    """

    global_position: int
    topic: str
    event_id: str
    ordering_key: str
    error: str
    attempts: int
    parked_at: datetime
    is_blocked: bool
    replay_id: str | None


class ParkedMessages:
    """The table of them.

    Args:
        connection: To the database, with the rights of the runtime; it commits each statement by itself.
        publisher: To Pub/Sub; only `retry` uses it.
    """

    def __init__(self, connection: psycopg.AsyncConnection[Any], publisher: Publisher) -> None:
        self._connection = connection
        self._publisher = publisher

    async def find(self, topic: str, *, only_first: bool = False) -> AsyncIterator[ParkedMessage]:
        """Yield parked messages, those of the earliest events first, page by page.

        Args:
            topic: The path or the name of a topic; empty for all.
            only_first: Without those that wait behind another in a blocked key.
        """
        after = (0, "")
        while page := await self._find(topic, PAGE_MESSAGES, only_first=only_first, after=after):
            for parked in page:
                yield parked
            after = (page[-1].global_position, page[-1].topic)

    async def drop(self, event_id: str, topic: str) -> list[ParkedMessage]:
        """Give an event's messages up for good; what waited behind them stays parked until the next `retry`.

        Args:
            event_id: The event's id; the event itself stays in the log.
            topic: As for `find`.

        Returns:
            The messages that were dropped, one for each topic that it was parked for.
        """
        with domain_errors():
            cursor = await self._connection.execute(
                queries["parked_drop"], {"event_id": event_id, "topic": topic}
            )
            dropped = [ParkedMessage(*row) for row in await cursor.fetchall()]
        for parked in dropped:
            await self._unblock(parked.topic, parked.ordering_key)
        return dropped

    async def retry(self, topic: str, limit: int | None = None) -> AsyncIterator[tuple[ParkedMessage, str]]:
        """Publish parked messages again, and yield each with the reason of its refusal, empty for none.

        Args:
            topic: As for `find`.
            limit: How many at the most; None is all of them.

        Raises:
            UnavailableError: The database or Pub/Sub is away; the rest is as it was.
            LogCorruptedError: An event is not in the log.
        """
        await self._publisher.open()
        await self._unblock(None, None)  # what a retry that died had published all of
        left = math.inf if limit is None else limit
        async for first in self.find(topic, only_first=True):
            if left <= 0:
                return
            most = 1  # the refused one alone, then more and more of what waits behind it
            request = [first]
            while request and left > 0:
                fault = await self._publish(request)
                if fault and len(request) > 1:
                    most = len(request) // 2  # find the one
                else:
                    for parked in request:
                        yield parked, fault
                    left -= len(request)
                    if fault or not first.is_blocked:
                        break
                    most = min(2 * most, _MOST_MESSAGES)
                    await self._unblock(first.topic, first.ordering_key)
                request = await self._find(first.topic, int(min(most, left)), first.ordering_key)

    async def _find(
        self,
        topic: str,
        limit: int,
        ordering_key: str | None = None,
        *,
        only_first: bool = False,
        after: tuple[int, str] = (0, ""),
    ) -> list[ParkedMessage]:
        parameters = {
            "topic": topic,
            "limit": limit,
            "after_position": after[0],
            "after_topic": after[1],
            "ordering_key": ordering_key,
            "only_first": only_first,
        }
        with domain_errors():
            cursor = await self._connection.execute(queries["parked_find"], parameters)
            return [ParkedMessage(*row) for row in await cursor.fetchall()]

    async def _publish(self, request: Sequence[ParkedMessage]) -> str:
        """Publish messages of one ordering key, all or none; return why they are refused, empty if not."""
        messages = [
            (await self._content(parked)).message(parked.ordering_key, parked.replay_id or "")
            for parked in request
        ]
        topic = request[0].topic
        try:
            await self._publisher.publish(topic, messages, _PUBLISH_SECONDS)
        except InvalidArgumentError as error:
            if len(request) == 1:
                refused = {"topic": topic, "global_position": request[0].global_position, "error": str(error)}
                with domain_errors():
                    await self._connection.execute(queries["parked_refused"], refused)
            return str(error)
        await self._remove(topic, [parked.global_position for parked in request])
        return ""

    async def _remove(self, topic: str, positions: list[int]) -> None:
        with domain_errors():
            await self._connection.execute(queries["parked_remove"], {"topic": topic, "positions": positions})

    async def _unblock(self, topic: str | None, ordering_key: str | None) -> None:
        with domain_errors():
            await self._connection.execute(
                queries["parked_unblock"], {"topic": topic, "ordering_key": ordering_key}
            )

    async def _content(self, parked: ParkedMessage) -> Content:
        with domain_errors():
            cursor = await self._connection.execute(
                log_queries["read_all_forwards"], (parked.global_position, 1, _PAGE_BYTES)
            )
            row = EventRow._make((await cursor.fetchall())[0])
        if row.event_id != parked.event_id:
            raise LogCorruptedError(f"the log has no event {parked.event_id} at {parked.global_position}")
        return Content.of(row)
