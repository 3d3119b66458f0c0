"""`event-store read`."""

import argparse
import asyncio
from typing import Final

from event_store.cli.connection import add_connection_arguments, connect, write_event
from event_store.cli.options import UsageError, whole
from event_store.cli.selection import add_selection_arguments, moment, selection
from event_store.model.arguments import HIGHEST_POSITION, HIGHEST_VERSION, MOST_LIMIT

DESCRIPTION: Final = "Read the events of one aggregate, or of the whole log, and stop at the end."
EXAMPLES: Final = """\
examples:
  event-store read --aggregate-id 0198c2a4-5b1c-7cc0-a6ab-3f6ad1e0b001
  event-store read --from 1000 --limit 50
  event-store read --backwards --limit 1 --json
  event-store read --from-time 2026-11-01T00:00:00Z --event-type 'Word*' --event-type LessonStarted"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument(
        "--aggregate-id", metavar="UUID", help="this aggregate's events (default: the whole log)"
    )
    parser.add_argument(
        "--from",
        dest="first",
        type=whole(0, HIGHEST_POSITION),
        default=0,
        metavar="N",
        help="begin with this version of the aggregate, or this position of the log",
    )
    parser.add_argument(
        "--from-time",
        type=moment,
        metavar="TIME",
        help="begin with the first event of the log that was recorded then or later; "
        "backwards, with the last one that was then or earlier",
    )
    add_selection_arguments(parser)
    parser.add_argument(
        "--limit",
        type=whole(0, MOST_LIMIT),
        default=0,
        metavar="N",
        help="how many at the most; 0 for all (default: all)",
    )
    parser.add_argument("--backwards", action="store_true", help="from the end, or from --from, down to 1")
    add_connection_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Read and write."""
    asyncio.run(_read(arguments))
    return 0


async def _read(arguments: argparse.Namespace) -> None:
    chosen = selection(arguments)
    if arguments.aggregate_id and (chosen.is_selective or arguments.from_time):
        raise UsageError(
            "--from-time, --aggregate-type and --event-type are for the whole log: leave --aggregate-id out"
        )
    if arguments.aggregate_id and arguments.first > HIGHEST_VERSION:
        raise UsageError(f"--from of an aggregate is a version, at most {HIGHEST_VERSION}")
    if arguments.first and arguments.from_time:
        raise UsageError("--from and --from-time are two places to begin with: leave one out")
    async with connect(arguments) as client:
        options = {"limit": arguments.limit, "backwards": arguments.backwards}
        if arguments.aggregate_id:
            events = client.read_aggregate(arguments.aggregate_id, from_version=arguments.first, **options)
        else:
            events = client.read_all(
                from_position=arguments.first, from_time=arguments.from_time, event_filter=chosen, **options
            )
        async for event in events:
            write_event(event, as_json=arguments.json)
