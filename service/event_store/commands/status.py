"""`event-store status`."""

import argparse
import asyncio
import sys
from dataclasses import asdict
from typing import Final

from event_store.commands.connection import add_connection_arguments, connect, write_json
from event_store.events import Status

DESCRIPTION: Final = "Show how far the log and the relay are, and which versions run."
EXAMPLES: Final = """\
examples:
  event-store status
  event-store status --json | jq '.head_position - .relay_position'"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    add_connection_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Ask and write."""
    status = asyncio.run(_status(arguments))
    if arguments.json:
        write_json(asdict(status))
    else:
        for name, value in asdict(status).items():
            sys.stdout.write(f"{name:<16} {value}\n")
    return 0


async def _status(arguments: argparse.Namespace) -> Status:
    async with connect(arguments) as client:
        return await client.status()
