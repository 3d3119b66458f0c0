"""`event-store tail`."""

import argparse
import asyncio
import sys
from contextlib import aclosing
from typing import Final

from event_store.cli.connection import add_connection_arguments, connect, write_event
from event_store.cli.options import whole
from event_store.cli.selection import add_selection_arguments, selection
from event_store.model.arguments import HIGHEST_POSITION

DESCRIPTION: Final = """\
Follow the log: write each event as it is appended, one per line, until Ctrl-C.

Reconnects when the service restarts, without losing or repeating an event."""
EXAMPLES: Final = """\
examples:
  event-store tail
  event-store tail --from 1 --json
  event-store tail --aggregate-type Vocabulary --event-type 'Word*'"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument(
        "--from",
        dest="first",
        type=whole(0, HIGHEST_POSITION),
        metavar="POSITION",
        help="first position to write, inclusive (default: events appended from now on)",
    )
    add_selection_arguments(parser)
    add_connection_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Follow the log until interrupted."""
    asyncio.run(_tail(arguments))
    return 0


async def _tail(arguments: argparse.Namespace) -> None:
    chosen = selection(arguments)
    async with connect(arguments) as client:
        if arguments.first is None:
            checkpoint = (await client.status()).head_position
        else:
            checkpoint = max(0, arguments.first - 1)
        async with aclosing(client.subscribe(after_position=checkpoint, event_filter=chosen)) as events:
            async for event in events:
                write_event(event, as_json=arguments.json)
                sys.stdout.flush()
