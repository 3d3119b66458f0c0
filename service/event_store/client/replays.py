"""Start, show and control replays: `client.replays`."""

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
    """Start, show, pause, resume and cancel replays.

    Every method raises the errors of `event_store.errors`; UnavailableError means that the client's timeout
    has passed. Repeating a call is safe; repeat a start with the same `replay_id`.

    Args:
        calls: The calls of the client.
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
        """Start a replay: publish a part of the log again.

        With a filter the service counts the events first, about five million cached positions per second: for
        a very long log use a client with a longer timeout.

        Args:
            topic: The name of a topic of the topology that no route leads to.
            from_position: The first position, inclusive, 0 to 2^63 - 1; 0 is the first of the log.
            from_time: Instead of `from_position`, a time with a time zone: begin with the first event
                recorded at this time or later.
            to_position: The last position, inclusive, 0 to 2^63 - 1; 0 is the head at the time of the call.
            to_time: Instead of `to_position`, a time with a time zone: end with the last event recorded at
                this time or earlier.
            event_filter: The events to publish; all by default.
            events_per_second: The rate limit, 0 to 100,000; 0 is no limit.
            replay_id: A UUID; a new one by default. Starting again with the same id and the same arguments
                changes nothing.
            dry_run: Count the events without starting a replay; `replay_id` does not matter.

        Returns:
            The replay; after a dry run it is `COUNTED` and has no times.

        Raises:
            InvalidArgumentError: A value is outside the contract, or a route leads to the topic.
            ReplayAlreadyExistsError: A replay with this id has other arguments.
            ConfigurationError: The service has no routing.
        """
        rate = whole(events_per_second, "events_per_second", 0, MOST_LIMIT)
        values: dict[str, Any] = {"events_per_second": rate}
        for side, position, time in (("from", from_position, from_time), ("to", to_position, to_time)):
            if time is None:
                values[f"{side}_position"] = whole(position, f"{side}_position", 0, HIGHEST_POSITION)
            elif position:
                raise InvalidArgumentError.of(f"{side}_time", f"excludes {side}_position: omit one of them")
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
        """Return a replay and its progress.

        Args:
            replay_id: The UUID of the replay.

        Raises:
            ReplayNotFoundError: No replay has this id.
        """
        return await self._one("GetReplay", pb.GetReplayRequest, replay_id)

    async def list(self, limit: int = 100) -> tuple[Replay, ...]:
        """Return the newest replays, the newest first.

        Args:
            limit: The highest number of replays, 1 to 1,000.

        Raises:
            InvalidArgumentError: The limit is out of its range.
        """
        request = pb.ListReplaysRequest(limit=whole(limit, "limit", 1, MOST_LISTED))
        response = await self._calls.call("ListReplays", request)
        return tuple(messages.replay(each) for each in response.replays)

    async def pause(self, replay_id: str) -> Replay:
        """Pause a replay; publishing stops within a second or two. Pausing twice is harmless.

        Args:
            replay_id: The UUID of the replay.

        Raises:
            ReplayNotFoundError: No replay has this id.
            ReplayEndedError: The replay has finished or was cancelled.
        """
        return await self._one("PauseReplay", pb.PauseReplayRequest, replay_id)

    async def resume(self, replay_id: str) -> Replay:
        """Resume a paused replay. Resuming twice is harmless.

        Args:
            replay_id: The UUID of the replay.

        Raises:
            EventStoreError: As for `pause`.
        """
        return await self._one("ResumeReplay", pb.ResumeReplayRequest, replay_id)

    async def cancel(self, replay_id: str) -> Replay:
        """Cancel a replay for good; publishing stops within a second or two. Cancelling twice is harmless.

        Published messages stay published.

        Args:
            replay_id: The UUID of the replay.

        Raises:
            ReplayNotFoundError: No replay has this id.
            ReplayEndedError: The replay has finished.
        """
        return await self._one("CancelReplay", pb.CancelReplayRequest, replay_id)

    async def watch(self, replay_id: str) -> AsyncGenerator[Replay, None]:
        """Yield a replay whenever its progress or state has changed, until it has ended.

        Args:
            replay_id: The UUID of the replay.

        Raises:
            ReplayNotFoundError: No replay has this id.
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
