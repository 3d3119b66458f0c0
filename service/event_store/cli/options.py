"""Parse the options of commands, and report invalid usage.

Invalid usage has exit status 2: argparse reports it through the types below, and a command raises
`UsageError` where options exclude or require each other. Exit status 1 is for everything else: invalid
standard input, errors of the service or database, and a wrong environment.
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from event_store.errors import EventStoreError
from event_store.model import arguments

Value = TypeVar("Value")


class UsageError(EventStoreError):
    """Options of a command exclude or require each other; the message names them and the fix."""


def add_topology_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of a command that works on the topology's topics and subscriptions."""
    parser.add_argument(
        "--topology",
        type=Path,
        default=Path("topology.yaml"),
        metavar="FILE",
        help="topology file (default: topology.yaml)",
    )
    parser.add_argument(
        "--project",
        default="event-store-local",
        metavar="ID",
        help="Google Cloud project of the topics and subscriptions (default: event-store-local)",
    )


def whole(lowest: int, highest: int) -> Callable[[str], int]:
    """Return the argparse type of a whole number from `lowest` to `highest`."""

    def parse(text: str) -> int:
        return checked(lambda: arguments.whole(_number(text, int), "it", lowest, highest))

    return parse


def seconds(text: str) -> float:
    """Parse a number of seconds, above 0 and at most a week."""
    return checked(lambda: arguments.seconds(_number(text, float), "it"))


def checked(parse: Callable[[], Value]) -> Value:
    """Run a parser and return its value; turn its error into one that argparse reports.

    Raises:
        ArgumentTypeError: The value is not valid.
    """
    try:
        return parse()
    except EventStoreError as error:
        raise argparse.ArgumentTypeError(str(error).removeprefix("it: ")) from None


def _number(text: str, kind: Callable[[str], Value]) -> Value | str:
    """Return a number; the text itself if it is not a number, so that the error can show it."""
    try:
        return kind(text)
    except ValueError:
        return text
