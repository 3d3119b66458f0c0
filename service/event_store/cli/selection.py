"""Parse the options that select events of the log by type or time."""

import argparse
from datetime import datetime

from event_store.cli.options import UsageError
from event_store.errors import InvalidArgumentError
from event_store.model.event_filter import EventFilter


def add_selection_arguments(parser: argparse.ArgumentParser) -> None:
    """Add `--aggregate-type` and `--event-type`."""
    for option, whose in (
        ("--aggregate-type", "of aggregates of this type"),
        ("--event-type", "of this type"),
    ):
        parser.add_argument(
            option,
            action="append",
            default=[],
            metavar="TYPE",
            help=f"only events {whose}; a trailing * matches a prefix; repeatable, up to 100",
        )


def selection(arguments: argparse.Namespace) -> EventFilter:
    """Return the filter for `--aggregate-type` and `--event-type`.

    Raises:
        UsageError: A type is invalid.
    """
    try:
        return EventFilter(tuple(arguments.aggregate_type), tuple(arguments.event_type))
    except InvalidArgumentError as error:
        raise UsageError(str(error)) from None


def moment(text: str) -> datetime:
    """Parse the time of an option.

    Raises:
        ArgumentTypeError: The text is not an ISO 8601 time, or has no time zone.
    """
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        time = None
    if time is None or time.tzinfo is None:
        raise argparse.ArgumentTypeError(
            f"invalid time {text!r}: use ISO 8601 with a time zone, as 2026-11-01T12:00:00Z"
        )
    return time
