"""Which events of the log a command is about."""

import argparse

from event_store.event_filter import EventFilter


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
        InvalidArgumentError: A type is none.
    """
    return EventFilter(tuple(arguments.aggregate_type), tuple(arguments.event_type))
