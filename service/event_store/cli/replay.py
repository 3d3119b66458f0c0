"""`event-store replay`."""

import argparse
import asyncio
import sys
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from event_store.cli.connection import add_connection_arguments, connect, rfc3339, write_json
from event_store.cli.options import UsageError, whole
from event_store.cli.selection import add_selection_arguments, moment, selection
from event_store.client.client import Client
from event_store.errors import InvalidArgumentError
from event_store.model.arguments import HIGHEST_POSITION
from event_store.model.replay import MOST_EVENTS_PER_SECOND, MOST_LISTED, Replay, ReplayState
from event_store.topology import Topology

DESCRIPTION: Final = """\
Publish a part of the log again.

start, show, list, pause, resume, cancel
       a replay: a job of the service that publishes to a topic of its own, as far back as you like, filtered,
       at a rate, through any restart
seek   Pub/Sub's own: one subscription gets everything again that was published since then, unfiltered, as far
       back as its topic holds messages; what was published before counts as acknowledged"""
EXAMPLES: Final = """\
examples:
  event-store replay start vocabulary-replay --aggregate-type Vocabulary --dry-run
  event-store replay start vocabulary-replay --from-time 2026-11-01T00:00:00Z --rate 500 --wait
  event-store replay pause 0198c2a4-5b1c-7cc0-a6ab-3f6ad1e0b001
  event-store replay seek vocabulary-projection --project my-project --from-position 4711"""

_SHOWN: Final = "how a replay stands"
_TURNS: Final = {
    "pause": "stop publishing for a while",
    "resume": "go on where it was paused",
    "cancel": "end it for good",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's actions and their options."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    start = actions.add_parser("start", help="begin to publish a part of the log again")
    start.add_argument("topic", help="a topic of the topology that no route leads to")
    _add_place(
        start, "from", "begin with this position (default: the first)", "with what was recorded then on"
    )
    _add_place(start, "to", "end with this position (default: the head)", "with what was recorded until then")
    add_selection_arguments(start)
    start.add_argument(
        "--rate",
        type=whole(0, MOST_EVENTS_PER_SECOND),
        default=0,
        metavar="N",
        help="at most so many events a second (default: no limit)",
    )
    start.add_argument(
        "--id", metavar="UUID", help="its id; starting again under it is safe (default: a new one)"
    )
    start.add_argument("--dry-run", action="store_true", help="count the events, begin nothing")
    _add_wait(start)
    show = actions.add_parser("show", help=_SHOWN)
    show.add_argument("replay_id", metavar="ID")
    _add_wait(show)
    listed = actions.add_parser("list", help="the newest replays")
    listed.add_argument(
        "--limit",
        type=whole(1, MOST_LISTED),
        default=100,
        metavar="N",
        help=f"how many, 1 to {MOST_LISTED} (default: 100)",
    )
    turns = [actions.add_parser(name, help=text) for name, text in _TURNS.items()]
    for turn in turns:
        turn.add_argument("replay_id", metavar="ID")
    seeking = actions.add_parser("seek", help="deliver to one subscription again what it had since a time")
    seeking.add_argument("subscription", help="its name in the topology")
    _add_place(seeking, "from", "since this event of the log was published", "what was published then on")
    seeking.add_argument(
        "--topology", type=Path, default=Path("topology.yaml"), metavar="FILE", help="default: topology.yaml"
    )
    seeking.add_argument(
        "--project", default="event-store-local", metavar="ID", help="default: event-store-local"
    )
    for each in (start, show, listed, *turns, seeking):
        add_connection_arguments(each)


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
        help="show how far it is until it is over; exit code 1 if it was cancelled",
    )


def run(arguments: argparse.Namespace) -> int:
    """Do it and write what was done."""
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
    from event_store.consumer.seek import seek  # noqa: PLC0415 # a second of imports for the other actions

    topology = Topology.load(arguments.topology)
    topology.routing(arguments.project)  # refuses what is no project's id
    since = arguments.from_time or await _recorded_at(arguments)
    arguments.target = None  # from here on it is Pub/Sub that may be away
    await seek(topology, arguments.project, arguments.subscription, since)
    if arguments.json:
        write_json({"subscription": arguments.subscription, "from_time": rfc3339(since)})
    else:
        sys.stdout.write(
            f"{arguments.subscription} gets again all that was published since {rfc3339(since)}\n"
        )
    return 0


async def _recorded_at(arguments: argparse.Namespace) -> datetime:
    position = arguments.from_position
    if position < 1:
        raise UsageError("say since when: give --from-time, or --from-position with a position of the log")
    async with connect(arguments) as client:
        async for event in client.read_all(from_position=position, limit=1):
            return event.created_at
    raise InvalidArgumentError.of("from_position", f"is {position}, beyond the head of the log")


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
