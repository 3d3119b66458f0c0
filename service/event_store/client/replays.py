"""The client's calls on replays: `client.replays`."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from datetime import datetime
from typing import Any, Final
from uuid import uuid4

from event_store.client import messages
from event_store.client.retrying import Calls
from event_store.errors import InvalidArgumentError
from event_store.model.arguments import HIGHEST_POSITION, MOST_LIMIT, text, whole
from event_store.model.event_filter import EventFilter
from event_store.model.replay import MOST_LISTED, Replay
from event_store.v1 import event_store_pb2 as pb

_EVERYTHING: Final = EventFilter()
_WATCH_SECONDS: Final = 0.5


class Replays:
    """Starts, shows and turns replays.

    Every method raises the errors of `event_store.errors`; UnavailableError means that the client's timeout
    has passed. Repeating a call is safe, that of a start with the id that was given.

    Args:
        calls: The client's.
    """

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def start(  # noqa: PLR0913 # the fields of the request
        self,
        topic: str,
        *,
        from_position: int = 0,
        from_time: datetime | None = None,
        to_position: int = 0,
        to_time: datetime | None = None,
        event_filter: EventFilter = _EVERYTHING,
        events_per_second: int = 0,
        replay_id: str | None = None,
        dry_run: bool = False,
    ) -> Replay:
        """Begin to publish a part of the log again.

        With a filter the events are counted first, some five million positions a second where they are
        cached: give a client of a very long log the time for that.

        Args:
            topic: The name of a topic of the topology that no route leads to.
            from_position: The first position, inclusive, below 2^63; 0 is the first one.
            from_time: Instead of it, with a time zone: the first event that was recorded then or later.
            to_position: The last position, inclusive; 0 is the head at the time of the call.
            to_time: Instead of it: the last event that was recorded then or earlier.
            event_filter: Only these events.
            events_per_second: At most so many, up to 100,000; 0 is no limit.
            replay_id: A UUID; a new one if it is not given. Starting again under the same id and with the
                same arguments changes nothing.
            dry_run: Count the events and begin nothing, whether a replay has the id or not.

        Raises:
            InvalidArgumentError: A value is outside the contract, or a route leads to the topic.
            ReplayAlreadyExistsError: The id is taken by a replay with other arguments.
            ConfigurationError: The service has no bus.
        """
        rate = whole(events_per_second, "events_per_second", 0, MOST_LIMIT)
        values: dict[str, Any] = {"events_per_second": rate}
        for side, position, time in (("from", from_position, from_time), ("to", to_position, to_time)):
            if time is None:
                values[f"{side}_position"] = whole(position, f"{side}_position", 0, HIGHEST_POSITION)
            elif position:
                raise InvalidArgumentError.of(f"{side}_time", f"is given beside {side}_position")
            else:
                values[f"{side}_time"] = messages.timestamp(time, f"{side}_time")
        request = pb.StartReplayRequest(
            replay_id=str(uuid4()) if replay_id is None else text(replay_id, "replay_id"),
            topic=text(topic, "topic"),
            filter=messages.event_filter(event_filter),
            dry_run=dry_run,
            **values,
        )
        return messages.replay(await self._calls.call("StartReplay", request))

    async def get(self, replay_id: str) -> Replay:
        """Return a replay.

        Args:
            replay_id: Its id.

        Raises:
            ReplayNotFoundError: There is no replay with this id.
        """
        return await self._one("GetReplay", pb.GetReplayRequest, replay_id)

    async def list(self, limit: int = 100) -> tuple[Replay, ...]:
        """Return the newest replays, the newest first.

        Args:
            limit: How many at the most, 1 to 1,000.

        Raises:
            InvalidArgumentError: The limit is out of its range.
        """
        request = pb.ListReplaysRequest(limit=whole(limit, "limit", 1, MOST_LISTED))
        response = await self._calls.call("ListReplays", request)
        return tuple(messages.replay(each) for each in response.replays)

    async def pause(self, replay_id: str) -> Replay:
        """Stop publishing for a while, within a second or two. Harmless if it is paused already.

        Args:
            replay_id: Its id.

        Raises:
            ReplayNotFoundError: There is no replay with this id.
            ReplayEndedError: It has finished or was cancelled.
        """
        return await self._one("PauseReplay", pb.PauseReplayRequest, replay_id)

    async def resume(self, replay_id: str) -> Replay:
        """Go on where it was paused.

        Args:
            replay_id: Its id.

        Raises:
            EventStoreError: As for `pause`.
        """
        return await self._one("ResumeReplay", pb.ResumeReplayRequest, replay_id)

    async def cancel(self, replay_id: str) -> Replay:
        """End it for good, within a second or two; what was published stays so.

        Harmless if it is cancelled already.

        Args:
            replay_id: Its id.

        Raises:
            ReplayNotFoundError: There is no replay with this id.
            ReplayEndedError: It has finished.
        """
        return await self._one("CancelReplay", pb.CancelReplayRequest, replay_id)

    async def watch(self, replay_id: str) -> AsyncGenerator[Replay, None]:
        """Yield a replay each time that it has moved, until it is over.

        Args:
            replay_id: Its id.

        Raises:
            ReplayNotFoundError: There is no replay with this id.
        """
        shown: Replay | None = None
        while shown is None or not shown.state.is_over:
            replay = await self.get(replay_id)
            if replay != shown:
                yield replay
                shown = replay
            if not replay.state.is_over:
                await asyncio.sleep(_WATCH_SECONDS)

    async def _one(self, method: str, request: Callable[..., Any], replay_id: str) -> Replay:
        asked = request(replay_id=text(replay_id, "replay_id"))
        return messages.replay(await self._calls.call(method, asked))
