"""List, retry and drop parked messages, which the relay could not publish.

Invariants:

- A message leaves the table after Pub/Sub has acknowledged it, so it is published at least once, or because
  an operator drops it.
- A retried message has its original ordering key and replay id, but comes after later events of its key.
  Subscribers that keep the version of each aggregate can detect that.
- The messages of a blocked key are retried in order, each after the one before it was accepted. Meanwhile the
  relay parks the key's new messages, and resumes the key when none is parked any more. The statement that
  unblocks the key has no effect if the relay has parked a message in between, see `parking.py`.
- A message that is rejected again stays parked with the newest error, as do the messages behind it of a
  blocked key. The retry continues with the other keys.
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

PAGE_MESSAGES: Final = 500  # in one statement
_PUBLISH_SECONDS: Final = 30.0
_MOST_MESSAGES: Final = 64  # in a request; each event is read whole from the log
_PAGE_BYTES: Final = 1  # a page has at least one event, of any size


@dataclass(frozen=True, slots=True)
class ParkedMessage:
    """A message that was rejected by Pub/Sub, or waits behind a rejected one.

    Attributes:
        global_position: The event's position in the log.
        topic: `projects/PROJECT/topics/NAME`.
        event_id: The UUID of the event.
        ordering_key: The message's ordering key; empty for none.
        error: The error of the last attempt to publish.
        attempts: The number of attempts to publish.
        parked_at: When the message was parked, by the database's clock and in its time zone.
        is_blocked: Whether its ordering key is blocked, so that later messages wait for this one.
        replay_id: The UUID of its replay; None for a message of the relay.
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
    """Lists, retries and drops parked messages.

    Args:
        connection: A connection to the database with the rights of the service, with autocommit.
        publisher: The connection to Pub/Sub; only `retry` uses it.
    """

    def __init__(self, connection: psycopg.AsyncConnection[Any], publisher: Publisher) -> None:
        self._connection = connection
        self._publisher = publisher

    async def find(self, topic: str, *, only_first: bool = False) -> AsyncIterator[ParkedMessage]:
        """Yield parked messages, those of the earliest events first, page by page.

        Args:
            topic: The path or the name of a topic; empty for all.
            only_first: Whether to leave out messages behind another one of a blocked key.
        """
        after = (0, "")
        while page := await self._find(topic, PAGE_MESSAGES, only_first=only_first, after=after):
            for parked in page:
                yield parked
            after = (page[-1].global_position, page[-1].topic)

    async def drop(self, event_id: str, topic: str) -> list[ParkedMessage]:
        """Delete an event's messages for good; messages behind them stay parked until the next `retry`.

        Args:
            event_id: The UUID of the event, which stays in the log.
            topic: As for `find`.

        Returns:
            The deleted messages, at most one for each topic.
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
        """Publish parked messages again; yield each with Pub/Sub's rejection, empty if it was accepted.

        Args:
            topic: As for `find`.
            limit: The highest number of messages; None is no limit.

        Raises:
            UnavailableError: The database or Pub/Sub is unavailable; the other messages are unchanged.
            LogCorruptedError: An event is missing in the log.
        """
        await self._publisher.open()
        await self._unblock(None, None)  # the keys of an interrupted retry that had published all messages
        left = math.inf if limit is None else limit
        async for first in self.find(topic, only_first=True):
            if left <= 0:
                return
            most = 1  # the rejected message alone, then more and more of those behind it
            request = [first]
            while request and left > 0:
                fault = await self._publish(request)
                if fault and len(request) > 1:
                    most = len(request) // 2  # to find the rejected one
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
        """Publish messages of one ordering key, all or none; return Pub/Sub's rejection, empty for none."""
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
