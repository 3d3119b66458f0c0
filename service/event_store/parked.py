"""Parked messages: what the relay could not publish and set aside, to be looked at and published after all.

Invariants:

- A message leaves the table only after Pub/Sub has acknowledged it, so it is published at least once.
- It is published under the ordering key that it had, but late: after the later events of its key. Whoever
  keeps the version that it has of each aggregate can tell.
- One that is refused again stays, with the newest reason, and keeps no other from being tried.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import psycopg

from event_store.database import queries
from event_store.database_errors import domain_errors
from event_store.errors import InvalidArgumentError, LogCorruptedError
from event_store.message import Content, EventRow
from event_store.publisher import Publisher

_PUBLISH_SECONDS: Final = 30.0
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
    """

    global_position: int
    topic: str
    event_id: str
    ordering_key: str
    error: str
    attempts: int
    parked_at: datetime


class ParkedMessages:
    """The table of them.

    Args:
        connection: To the database, with the rights of the runtime; it commits each statement by itself.
        publisher: To Pub/Sub; only `retry` uses it.
    """

    def __init__(self, connection: psycopg.AsyncConnection[Any], publisher: Publisher) -> None:
        self._connection = connection
        self._publisher = publisher

    async def find(self, topic: str, limit: int) -> list[ParkedMessage]:
        """Return parked messages, those of the earliest events first.

        Args:
            topic: The path or the name of a topic; empty for all.
            limit: How many at the most.
        """
        with domain_errors():
            cursor = await self._connection.execute(queries["parked_find"], {"topic": topic, "limit": limit})
            return [ParkedMessage(*row) for row in await cursor.fetchall()]

    async def retry(self, topic: str, limit: int) -> AsyncIterator[tuple[ParkedMessage, str]]:
        """Publish parked messages again, and yield each with the reason of its refusal, empty for none.

        Args:
            topic: As for `find`.
            limit: As for `find`.

        Raises:
            UnavailableError: The database or Pub/Sub is away; the rest is as it was.
            LogCorruptedError: An event is not in the log.
        """
        await self._publisher.open()
        for parked in await self.find(topic, limit):
            message = (await self._content(parked)).message(parked.ordering_key)
            key = {"global_position": parked.global_position, "topic": parked.topic}
            fault = ""
            try:
                await self._publisher.publish(parked.topic, [message], _PUBLISH_SECONDS)
            except InvalidArgumentError as error:
                fault = str(error)
            with domain_errors():
                if fault:
                    await self._connection.execute(queries["parked_refused"], {**key, "error": fault})
                else:
                    await self._connection.execute(queries["parked_remove"], key)
            yield parked, fault

    async def _content(self, parked: ParkedMessage) -> Content:
        with domain_errors():
            cursor = await self._connection.execute(
                queries["read_all_forwards"], (parked.global_position, 1, _PAGE_BYTES)
            )
            row = EventRow._make((await cursor.fetchall())[0])
        if row.event_id != parked.event_id:
            raise LogCorruptedError(f"the log has no event {parked.event_id} at {parked.global_position}")
        return Content.of(row)
