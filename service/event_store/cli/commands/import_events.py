"""`event-store import`."""

import argparse
import asyncio
import sys
import time
from collections.abc import AsyncIterator
from typing import Any, Final

from event_store.cli.connection import add_connection_arguments, connect, write_json
from event_store.cli.json_lines import check_fields, moment, parse_line
from event_store.cli.options import UsageError
from event_store.cli.standard_input import lines
from event_store.errors import EventStoreError, InvalidArgumentError
from event_store.model.events import ImportedEvent, ImportProgress

DESCRIPTION: Final = """\
Import historic events from standard input, with their own times and versions.

Reads one JSON object per line from standard input, in the form of `event-store read --json`.
  Required: aggregate_id, aggregate_type, event_type, event_version, event_data, occurred_at
  Optional: metadata, event_id
  Ignored:  created_at, global_position
The versions of each aggregate have no gaps and begin after its last stored version.

To resume an interrupted import, run the same command with the same lines from the first one on: stored lines
are skipped. Progress is written to standard error, at most once a second."""
EXAMPLES: Final = """\
examples:
  event-store import --import-id legacy-2019 < events.jsonl
  event-store read --json --target http://old:8080 | event-store import --import-id old --target http://new:8080"""

_REQUIRED: Final = (
    "aggregate_id",
    "aggregate_type",
    "event_type",
    "event_version",
    "event_data",
    "occurred_at",
)
_OPTIONAL: Final = ("metadata", "event_id")
_OF_THE_OTHER_LOG: Final = ("created_at", "global_position")
_REPORT_SECONDS: Final = 1.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument(
        "--import-id",
        required=True,
        metavar="NAME",
        help="name of the import, 1 to 100 characters; the same name resumes it",
    )
    add_connection_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Import the events and write the final progress."""
    if sys.stdin.isatty():
        raise UsageError("no events: write JSON lines to standard input")
    progress = asyncio.run(_import(arguments))
    if arguments.json:
        write_json(
            {
                "import_id": arguments.import_id,
                "stored_events": progress.stored_events,
                "last_global_position": progress.last_global_position,
            }
        )
    else:
        sys.stdout.write(
            f"{progress.last_global_position}  {arguments.import_id} is complete: {_said(progress)}\n"
        )
    return 0


async def _import(arguments: argparse.Namespace) -> ImportProgress:
    async with connect(arguments) as client:
        return await client.import_events(arguments.import_id, _events(), on_progress=_Report())


async def _events() -> AsyncIterator[ImportedEvent]:
    number = 0
    async for line in lines():
        number += 1
        fields = parse_line(number, line)
        try:
            yield _event({name: value for name, value in fields.items() if name not in _OF_THE_OTHER_LOG})
        except InvalidArgumentError as error:
            raise EventStoreError(f"line {number}: {error}") from None


def _event(fields: dict[str, Any]) -> ImportedEvent:
    check_fields(fields, _REQUIRED, _OPTIONAL)
    return ImportedEvent(**fields | {"occurred_at": moment(fields["occurred_at"])})


class _Report:
    """Write the progress to standard error, at most once a second."""

    def __init__(self) -> None:
        self._next = 0.0

    def __call__(self, progress: ImportProgress) -> None:
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + _REPORT_SECONDS
            print(_said(progress), file=sys.stderr, flush=True)  # noqa: T201 # a command talks to a person


def _said(progress: ImportProgress) -> str:
    return f"{progress.stored_events} events stored"
