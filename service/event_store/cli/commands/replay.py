"""`event-store replay`."""

import argparse
import asyncio
import sys
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

from event_store.cli.connection import add_connection_arguments, connect, rfc3339, write_json
from event_store.cli.options import UsageError, add_topology_arguments, whole
from event_store.cli.selection import add_selection_arguments, moment, selection
from event_store.client.client import Client
from event_store.errors import InvalidArgumentError
from event_store.model.arguments import HIGHEST_POSITION
from event_store.model.replay import MOST_EVENTS_PER_SECOND, MOST_LISTED, Replay, ReplayState
from event_store.topology import Topology

DESCRIPTION: Final = """\
Publish a part of the log again.

start, show, list, pause, resume, cancel
       run a replay: a job of the service that publishes events of any age to a topic without routes. A replay
       can be filtered and rate limited, and resumes after restarts
seek   move one subscription to a time, by Pub/Sub's Seek: messages published since then are delivered again,
       messages published before are acknowledged. Unfiltered, and only as far back as the topic retains
       messages

`event-store replay ACTION --help` shows the options of an action."""
EXAMPLES: Final = """\
examples:
  event-store replay start vocabulary-replay --aggregate-type Vocabulary --dry-run
  event-store replay start vocabulary-replay --from-time 2026-11-01T00:00:00Z --rate 500 --wait
  event-store replay pause 0198c2a4-5b1c-7cc0-a6ab-3f6ad1e0b001
  event-store replay seek vocabulary-projection --project my-project --from-position 4711"""

_TURNS: Final = {
    "pause": "pause a running replay",
    "resume": "resume a paused replay",
    "cancel": "cancel a replay for good; published messages stay published",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's actions and their options."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    start = _add_action(actions, "start", "start a replay of a part of the log")
    start.add_argument("topic", help="topic to publish to, by its name in the topology; without routes")
    _add_place(
        start,
        "from",
        "first position, inclusive (default: the first of the log)",
        "first event recorded at this time or later, as 2026-11-01T12:00:00Z",
    )
    _add_place(
        start,
        "to",
        "last position, inclusive (default: the head of the log)",
        "last event recorded at this time or earlier",
    )
    add_selection_arguments(start)
    start.add_argument(
        "--rate",
        type=whole(0, MOST_EVENTS_PER_SECOND),
        default=0,
        metavar="N",
        help=f"rate limit in events per second, 1 to {MOST_EVENTS_PER_SECOND}; 0 for none (default: 0)",
    )
    start.add_argument(
        "--id",
        metavar="UUID",
        help="id of the replay; repeating a start with the same id is safe (default: a new one)",
    )
    start.add_argument("--dry-run", action="store_true", help="count the events without starting the replay")
    _add_wait(start)
    show = _add_action(actions, "show", "show a replay")
    show.add_argument("replay_id", metavar="ID", help="id of the replay, see list")
    _add_wait(show)
    listed = _add_action(actions, "list", "list the newest replays")
    listed.add_argument(
        "--limit",
        type=whole(1, MOST_LISTED),
        default=100,
        metavar="N",
        help=f"list at most this many, 1 to {MOST_LISTED} (default: 100)",
    )
    turns = [_add_action(actions, name, text) for name, text in _TURNS.items()]
    for turn in turns:
        turn.add_argument("replay_id", metavar="ID", help="id of the replay, see list")
    seeking = _add_action(actions, "seek", "deliver messages to one subscription again, by Pub/Sub's Seek")
    seeking.add_argument("subscription", help="subscription to move, by its name in the topology")
    _add_place(
        seeking,
        "from",
        "messages published since this event of the log was recorded",
        "messages published at this time or later, as 2026-11-01T12:00:00Z",
    )
    add_topology_arguments(seeking)
    for each in (start, show, listed, *turns, seeking):
        add_connection_arguments(each)


def _add_action(actions: Any, name: str, summary: str) -> argparse.ArgumentParser:
    action: argparse.ArgumentParser = actions.add_parser(
        name, help=summary, description=f"{summary[0].upper()}{summary[1:]}."
    )
    return action


def _add_place(parser: argparse.ArgumentParser, side: str, position: str, time: str) -> None:
    places = parser.add_mutually_exclusive_group()
    places.add_argument(
        f"--{side}-position", type=whole(0, HIGHEST_POSITION), default=0, metavar="N", help=position
    )
    places.add_argument(f"--{side}-time", type=moment, metavar="TIME", help=time)


def _add_wait(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--wait",
        action="store_true",
        help="write the progress until the replay ends; exit status 1 if it was cancelled",
    )


def run(arguments: argparse.Namespace) -> int:
    """Run the action and write its result."""
    return asyncio.run(_seek(arguments) if arguments.action == "seek" else _run(arguments))


async def _run(arguments: argparse.Namespace) -> int:
    async with connect(arguments) as client:
        if arguments.action == "list":
            for replay in await client.replays.list(arguments.limit):
                _write(replay, arguments)
            return 0
        if arguments.action == "start":
            replay = await _start(client, arguments)
        else:
            calls = {
                "show": client.replays.get,
                "pause": client.replays.pause,
                "resume": client.replays.resume,
                "cancel": client.replays.cancel,
            }
            replay = await calls[arguments.action](arguments.replay_id)
        _write(replay, arguments)
        if not getattr(arguments, "wait", False):
            return 0
        if not replay.state.is_over:
            async for moved in client.replays.watch(replay.replay_id):
                if moved != replay:
                    replay = moved
                    _write(replay, arguments)
        return 1 if replay.state is ReplayState.CANCELLED else 0


async def _start(client: Client, arguments: argparse.Namespace) -> Replay:
    return await client.replays.start(
        arguments.topic,
        from_position=arguments.from_position,
        from_time=arguments.from_time,
        to_position=arguments.to_position,
        to_time=arguments.to_time,
        event_filter=selection(arguments),
        events_per_second=arguments.rate,
        replay_id=arguments.id,
        dry_run=arguments.dry_run,
    )


async def _seek(arguments: argparse.Namespace) -> int:
    from event_store.pubsub.seek import seek  # noqa: PLC0415 # a second of imports for the other actions

    topology = Topology.load(arguments.topology)
    topology.routing(arguments.project)  # rejects an invalid project id
    since = arguments.from_time or await _recorded_at(arguments)
    arguments.target = None  # from here on only Pub/Sub can be unavailable
    await seek(topology, arguments.project, arguments.subscription, since)
    if arguments.json:
        write_json({"subscription": arguments.subscription, "from_time": rfc3339(since)})
    else:
        sys.stdout.write(
            f"{arguments.subscription}: messages published since {rfc3339(since)} are delivered again\n"
        )
    return 0


async def _recorded_at(arguments: argparse.Namespace) -> datetime:
    position = arguments.from_position
    if position < 1:
        raise UsageError("the start is missing: give --from-time, or --from-position with a position above 0")
    async with connect(arguments) as client:
        async for event in client.read_all(from_position=position, limit=1):
            return event.created_at
    raise InvalidArgumentError.of(
        "from_position", f"{position} is above the head of the log: `event-store status` shows head_position"
    )


def _write(replay: Replay, arguments: argparse.Namespace) -> None:
    if arguments.json:
        times: dict[str, Any] = {
            name: rfc3339(time) if time else None
            for name, time in (("created_at", replay.created_at), ("updated_at", replay.updated_at))
        }
        write_json(asdict(replay) | times)
    else:
        name = "" if replay.state is ReplayState.COUNTED else f"{replay.replay_id}  "
        settled = replay.published_events + replay.parked_events
        parked = f", {replay.parked_events} parked" if replay.parked_events else ""
        sys.stdout.write(
            f"{name}{replay.state:<9}  {settled} of {replay.total_events} events{parked}  "
            f"{replay.position} of {replay.from_position}-{replay.to_position}  {replay.topic}"
            f"{'  ' + replay.error if replay.error else ''}\n"
        )
    sys.stdout.flush()
