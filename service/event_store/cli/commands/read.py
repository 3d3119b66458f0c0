"""`event-store read`."""

import argparse
import asyncio
from typing import Final

from event_store.cli.connection import add_connection_arguments, connect, write_event
from event_store.cli.options import UsageError, whole
from event_store.cli.selection import add_selection_arguments, moment, selection
from event_store.model.arguments import HIGHEST_POSITION, HIGHEST_VERSION, MOST_LIMIT

DESCRIPTION: Final = """\
Read the events of one aggregate or of the whole log, one per line, and stop at the end.

A line has the global position, the time, the aggregate with the version, the event type, the data and, unless
it is empty, the metadata. Use --json for a form that scripts and `event-store import` read."""
EXAMPLES: Final = """\
examples:
  event-store read --aggregate-id 0198c2a4-5b1c-7cc0-a6ab-3f6ad1e0b001
  event-store read --from 1000 --limit 50
  event-store read --backwards --limit 1 --json
  event-store read --from-time 2026-11-01T00:00:00Z --event-type 'Word*' --event-type LessonStarted"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument(
        "--aggregate-id", metavar="UUID", help="only the events of this aggregate (default: the whole log)"
    )
    parser.add_argument(
        "--from",
        dest="first",
        type=whole(0, HIGHEST_POSITION),
        default=0,
        metavar="N",
        help="first position of the log to read or, with --aggregate-id, first version of the aggregate; "
        "inclusive (default: the first one or, with --backwards, the last one)",
    )
    parser.add_argument(
        "--from-time",
        type=moment,
        metavar="TIME",
        help="begin with the first event that the store recorded at this time or later or, with --backwards, "
        "with the last one that it recorded at this time or earlier; as 2026-11-01T12:00:00Z",
    )
    add_selection_arguments(parser)
    parser.add_argument(
        "--limit",
        type=whole(0, MOST_LIMIT),
        default=0,
        metavar="N",
        help="read at most this many events; 0 for all (default: 0)",
    )
    parser.add_argument("--backwards", action="store_true", help="read the newest event first")
    add_connection_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Read events and write them to standard output."""
    asyncio.run(_read(arguments))
    return 0


async def _read(arguments: argparse.Namespace) -> None:
    chosen = selection(arguments)
    if arguments.aggregate_id and (chosen.is_selective or arguments.from_time):
        raise UsageError(
            "--from-time, --aggregate-type and --event-type select from the whole log: omit --aggregate-id"
        )
    if arguments.aggregate_id and arguments.first > HIGHEST_VERSION:
        raise UsageError(
            f"--from {arguments.first} is above the highest version: use at most {HIGHEST_VERSION}"
        )
    if arguments.first and arguments.from_time:
        raise UsageError("--from and --from-time exclude each other: omit one")
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
