"""Options of commands: values that are checked while the command is parsed, and wrong usage.

What a command can see to be wrong by itself is wrong usage, exit code 2: by argparse through the types below,
or by `UsageError` where options do not fit together. What it was given on standard input, what a service or a
database answers, and what the environment lacks are errors, exit code 1.
"""

import argparse
from collections.abc import Callable
from typing import TypeVar

from event_store.errors import EventStoreError
from event_store.model import arguments

Value = TypeVar("Value")


class UsageError(EventStoreError):
    """Options of a command do not fit together; the message says which and what to do."""


def whole(lowest: int, highest: int) -> Callable[[str], int]:
    """Return the type of an option that is a whole number of a range."""

    def parse(text: str) -> int:
        return checked(lambda: arguments.whole(_number(text, int), "it", lowest, highest))

    return parse


def seconds(text: str) -> float:
    """Return the value of an option in seconds."""
    return checked(lambda: arguments.seconds(_number(text, float), "it"))


def checked(parse: Callable[[], Value]) -> Value:
    """Return what a parser of ours returns, with its error as argparse takes it.

    Raises:
        ArgumentTypeError: The value is not valid.
    """
    try:
        return parse()
    except EventStoreError as error:
        raise argparse.ArgumentTypeError(str(error).removeprefix("it: ")) from None


def _number(text: str, kind: Callable[[str], Value]) -> Value | str:
    """Return a number; the text itself if it is none, for the error to show."""
    try:
        return kind(text)
    except ValueError:
        return text
