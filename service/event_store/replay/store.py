"""Start, show, pause, resume and cancel replays in the database; `replayer.py` runs them.

Invariants:

- A dry run counts the events for any id, also for the id of a replay.
- One statement starts a replay, after its range is known and its events are counted. A repeated start is
  answered with the stored replay: nothing is counted or started twice.
- A change of state is one statement on one row, with the states from which it is possible. So of two callers,
  and of a caller and the replayer, one is first and the other sees its change.
"""

from collections.abc import Sequence
from typing import Final

from psycopg.types.json import Jsonb

from event_store.contract.replay_request import PreparedReplay
from event_store.database.pool import Database, Row
from event_store.errors import ReplayAlreadyExistsError, ReplayEndedError, ReplayNotFoundError
from event_store.log.page import LARGEST_MESSAGE_BYTES
from event_store.log.reader import Reader
from event_store.model.event_filter import EventFilter
from event_store.replay import queries
from event_store.replay.topics import topic_path
from event_store.topology import Routing
from event_store.v1 import event_store_pb2 as pb

# Measured: 500,000 cached positions take a tenth of a second; these are in time from a slow disk, too.
COUNT_POSITIONS: Final = 100_000
_REQUEST: Final = -1  # the last column of a row
_FRAME_BYTES: Final = 8
# The states from which a replay can change to each state.
_STATES: Final = {
    "paused": ["running", "paused"],
    "running": ["running", "paused"],
    "cancelled": ["running", "paused", "cancelled"],
}


class ReplayTable:
    """Starts, finds, pauses, resumes and cancels replays.

    Args:
        database: The database with the replays.
        reader: The reader of the log.
        routing: The topics and routes; None without a bus.
    """

    def __init__(self, database: Database, reader: Reader, routing: Routing | None) -> None:
        self._database = database
        self._reader = reader
        self._routing = routing

    async def start(self, prepared: PreparedReplay) -> pb.Replay:
        """Start a replay, or count its events for a dry run.

        Raises:
            InvalidArgumentError: The topic is unknown, blocks, or has a route.
            ReplayAlreadyExistsError: Another request has this id.
            ConfigurationError: The service has no routing.
        """
        known = () if prepared.dry_run else await self._find(prepared.replay_id, 1)
        if not known:
            path = topic_path(prepared.topic, self._routing)
            first, last = await _range_of(prepared, self._reader)
            total_events = await self._count(first, last, prepared.event_filter)
            row = {
                "replay_id": prepared.replay_id,
                "request": Jsonb(prepared.request),
                "topic": path,
                "from_position": first,
                "to_position": last,
                "aggregate_types": list(prepared.event_filter.aggregate_types),
                "event_types": list(prepared.event_filter.event_types),
                "events_per_second": prepared.events_per_second,
                "total_events": total_events,
            }
            if prepared.dry_run:
                return _counted(row)
            await self._database.execute(queries["replay_start"], row)
            known = await self._find(prepared.replay_id, 1)
        if known[0][_REQUEST] != prepared.request:
            raise ReplayAlreadyExistsError(prepared.replay_id)
        return _replay(known[0])

    async def get(self, replay_id: str) -> pb.Replay:
        """Return a replay and its progress.

        Raises:
            ReplayNotFoundError: No replay has this id.
        """
        rows = await self._find(replay_id, 1)
        if not rows:
            raise ReplayNotFoundError(replay_id)
        return _replay(rows[0])

    async def newest(self, limit: int) -> list[pb.Replay]:
        """Return the newest replays, the newest first; fewer if they do not fit into a message."""
        replays: list[pb.Replay] = []
        room_bytes = LARGEST_MESSAGE_BYTES
        for row in await self._find(None, limit):
            replay = _replay(row)
            room_bytes -= replay.ByteSize() + _FRAME_BYTES
            if room_bytes < 0:
                break
            replays.append(replay)
        return replays

    async def turn(self, replay_id: str, state: str) -> pb.Replay:
        """Change the state of a replay to `running`, `paused` or `cancelled`.

        Raises:
            ReplayNotFoundError: No replay has this id.
            ReplayEndedError: The replay has ended.
        """
        parameters = {"replay_id": replay_id, "state": state, "states": _STATES[state]}
        cursor = await self._database.execute(queries["replay_turn"], parameters)
        replay = await self.get(replay_id)
        if not cursor.rowcount:
            ended = pb.Replay.State.Name(replay.state).removeprefix("STATE_").lower()
            raise ReplayEndedError(replay_id, ended)
        return replay

    async def _find(self, replay_id: str | None, limit: int) -> Sequence[Row]:
        parameters = {"replay_id": replay_id, "limit": limit}
        return await (await self._database.execute(queries["replay_find"], parameters)).fetchall()

    async def _count(self, first: int, last: int, event_filter: EventFilter) -> int:
        if not event_filter.is_selective:
            return max(0, last - first + 1)  # positions have no holes
        total = 0
        for start in range(first, last + 1, COUNT_POSITIONS):
            part = {"first": start, "last": min(last, start + COUNT_POSITIONS - 1)}
            cursor = await self._database.execute(
                queries["count_events"], part | event_filter.like_patterns()
            )
            row = await cursor.fetchone()
            total += row[0] if row else 0
        return total


async def _range_of(prepared: PreparedReplay, reader: Reader) -> tuple[int, int]:
    """Return the first and the last position of a replay; the last one is at most the head."""
    first = prepared.from_position or 1
    if prepared.from_microseconds is not None:
        first = await reader.position_at(prepared.from_microseconds)
    last = await reader.head_position()
    if prepared.to_microseconds is not None:
        last = min(last, await reader.position_at(prepared.to_microseconds + 1) - 1)
    elif prepared.to_position:
        last = min(last, prepared.to_position)
    return first, last


def _counted(row: dict[str, object]) -> pb.Replay:
    """Return the answer to a dry run."""
    values = {name: value for name, value in row.items() if name != "request"}
    filtered = pb.EventFilter(
        aggregate_types=values.pop("aggregate_types"),  # type: ignore[arg-type] # the row's values are objects
        event_types=values.pop("event_types"),  # type: ignore[arg-type] # the same
    )
    return pb.Replay(filter=filtered, **values)  # type: ignore[arg-type] # the same


def _replay(row: Row) -> pb.Replay:
    (
        replay_id,
        topic,
        first,
        last,
        aggregate_types,
        event_types,
        rate,
        state,
        position,
        published,
        parked,
        total,
        error,
        created_microseconds,
        updated_microseconds,
        _,
    ) = row
    replay = pb.Replay(
        replay_id=replay_id,
        topic=topic,
        from_position=first,
        to_position=last,
        filter=pb.EventFilter(aggregate_types=aggregate_types, event_types=event_types),
        events_per_second=rate,
        state=f"STATE_{state.upper()}",
        position=position,
        published_events=published,
        parked_events=parked,
        total_events=total,
        error=error,
    )
    replay.created_at.FromMicroseconds(created_microseconds)
    replay.updated_at.FromMicroseconds(updated_microseconds)
    return replay
