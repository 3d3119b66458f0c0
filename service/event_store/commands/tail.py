"""`event-store tail`."""

import argparse
import asyncio
import sys
from typing import Final

from event_store.commands.connection import add_connection_arguments, connect, write_event

DESCRIPTION: Final = "Follow the log: write each event as it is appended, until Ctrl-C."
EXAMPLES: Final = """\
examples:
  event-store tail
  event-store tail --from 1 --json"""

_SHORTEST_WAIT_SECONDS: Final = 0.05
_LONGEST_WAIT_SECONDS: Final = 1.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument(
        "--from",
        dest="first",
        type=int,
        metavar="POSITION",
        help="begin with this position (default: what is appended from now on)",
    )
    add_connection_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Follow until interrupted."""
    asyncio.run(_tail(arguments))
    return 0


async def _tail(arguments: argparse.Namespace) -> None:
    """Read to the head again and again; the wait between grows while nothing comes."""
    async with connect(arguments) as client:
        following = arguments.first
        if following is None:
            following = (await client.status()).head_position + 1
        wait_seconds = _SHORTEST_WAIT_SECONDS
        while True:
            async for event in client.read_all(from_position=following):
                write_event(event, as_json=arguments.json)
                following = event.global_position + 1
                wait_seconds = _SHORTEST_WAIT_SECONDS
            sys.stdout.flush()
            await asyncio.sleep(wait_seconds)
            wait_seconds = min(2 * wait_seconds, _LONGEST_WAIT_SECONDS)
