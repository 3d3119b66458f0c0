"""Which events of the log a command is about."""

import argparse
from datetime import datetime

from event_store.cli.options import UsageError
from event_store.errors import InvalidArgumentError
from event_store.model.event_filter import EventFilter


def add_selection_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that choose events by their types."""
    for option, whose in (
        ("--aggregate-type", "of aggregates of this type"),
        ("--event-type", "of this type"),
    ):
        parser.add_argument(
            option,
            action="append",
            default=[],
            metavar="TYPE",
            help=f"only events {whose}, or that begins like this before a *; may be repeated",
        )


def selection(arguments: argparse.Namespace) -> EventFilter:
    """Return the filter that the options describe.

    Raises:
        UsageError: A type is not valid.
    """
    try:
        return EventFilter(tuple(arguments.aggregate_type), tuple(arguments.event_type))
    except InvalidArgumentError as error:
        raise UsageError(str(error)) from None


def moment(text: str) -> datetime:
    """Return the time of an option.

    Raises:
        ArgumentTypeError: It is none, or has no zone.
    """
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        time = None
    if time is None or time.tzinfo is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no time with a zone, such as 2026-11-01T12:00:00Z")
    return time
