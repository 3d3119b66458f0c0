"""`event-store append`."""

import argparse
import asyncio
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, Final

from event_store.cli.connection import add_connection_arguments, connect, write_json
from event_store.cli.json_lines import check_fields, event_lines, moment
from event_store.cli.options import UsageError
from event_store.errors import EventStoreError, InvalidArgumentError, UnavailableError
from event_store.model.events import AggregateAppend, AppendResult, ExpectedVersion, NewEvent

DESCRIPTION: Final = """\
Append one event, given by options. Without such options, append the events on standard input.

Reads one JSON object per line from standard input.
  Required: aggregate_id, aggregate_type, event_type, event_data
  Optional: metadata, occurred_at, event_id, expected_version
Each line is stored before the next one is read, and the first error ends the command. To repeat a failed
command safely, give each event an event_id: events that are already stored are skipped.

Writes a line for each append: the event's global position and the aggregate's new version."""
EXAMPLES: Final = """\
examples:
  event-store append --aggregate-type Vocabulary --aggregate-id 0198c2a4-5b1c-7cc0-a6ab-3f6ad1e0b001 \\
      --event-type WordAdded --data '{"word": "ahoj"}' --expected-version no-stream
  event-store append --json < events.jsonl"""

_REQUIRED: Final = {
    "aggregate_id": "--aggregate-id",
    "aggregate_type": "--aggregate-type",
    "event_type": "--event-type",
    "event_data": "--data",
}
_OPTIONAL: Final = ("metadata", "occurred_at", "event_id", "expected_version")
_MOST_VERSION_DIGITS: Final = 10


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("--aggregate-id", metavar="UUID", help="id of the aggregate")
    parser.add_argument("--aggregate-type", metavar="TYPE", help="type of the aggregate, 1 to 100 characters")
    parser.add_argument(
        "--event-type", metavar="TYPE", help="type of the event, 1 to 100 characters, such as WordAdded"
    )
    parser.add_argument(
        "--data", dest="event_data", metavar="JSON", help="data of the event, any JSON value up to 1 MiB"
    )
    parser.add_argument("--metadata", metavar="JSON", help="JSON object of up to 64 KiB (default: {})")
    parser.add_argument(
        "--occurred-at",
        metavar="TIME",
        help="when the event happened, with a time zone: 2025-08-09T12:00:00Z (default: now)",
    )
    parser.add_argument("--event-id", metavar="UUID", help="unique id of the event (default: a new one)")
    parser.add_argument(
        "--expected-version",
        metavar="VERSION",
        help="condition of the append: any, no-stream (the aggregate has no events), exists (it has some), "
        "or the version of its last event (default: any)",
    )
    add_connection_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Append the events and write the results."""
    has_options = any(getattr(arguments, name) is not None for name in (*_REQUIRED, *_OPTIONAL))
    if not has_options and sys.stdin.isatty():
        raise UsageError(
            f"no events: give {', '.join(_REQUIRED.values())}, or write JSON lines to standard input"
        )
    lines = _options(arguments) if has_options else event_lines()
    # The runner works between the lines only: reading them may block, and Ctrl-C ends that.
    with asyncio.Runner() as runner:
        client = runner.run(connect(arguments).__aenter__())
        try:
            for place, fields in lines:
                try:
                    append = _parsed(fields)
                except InvalidArgumentError as error:
                    raise (UsageError if has_options else EventStoreError)(f"{place}{error}") from None
                try:
                    result = runner.run(client.append_all([append]))[0]
                except UnavailableError as error:
                    raise UnavailableError(f"{place}{error}") from None
                except EventStoreError as error:
                    raise EventStoreError(f"{place}{error}") from None
                _write(result, as_json=arguments.json)
        finally:
            runner.run(client.__aexit__(None, None, None))
    return 0


def _options(arguments: argparse.Namespace) -> Iterator[tuple[str, dict[str, Any]]]:
    given = {name: getattr(arguments, name) for name in (*_REQUIRED, *_OPTIONAL)}
    missing = [option for name, option in _REQUIRED.items() if given[name] is None]
    if missing:
        raise UsageError(f"options of the event are missing: give {' and '.join(missing)} as well")
    # The JSON is copied unchanged, byte for byte.
    for name in ("event_data", "metadata"):
        given[name] = given[name] if given[name] is None else os.fsencode(given[name])
    yield "", {name: value for name, value in given.items() if value is not None}


def _parsed(fields: dict[str, Any]) -> AggregateAppend:
    check_fields(fields, _REQUIRED, _OPTIONAL)
    optional: dict[str, Any] = {name: fields[name] for name in ("metadata", "event_id") if name in fields}
    if "occurred_at" in fields:
        optional["occurred_at"] = moment(fields["occurred_at"])
    event = NewEvent(fields["event_type"], fields["event_data"], **optional)
    expected_version = _expected_version(fields.get("expected_version", "any"))
    return AggregateAppend(fields["aggregate_id"], fields["aggregate_type"], [event], expected_version)


def _expected_version(value: Any) -> ExpectedVersion | int:
    text = str(value).replace("-", "_")
    if text.isascii() and text.isdecimal() and len(text) <= _MOST_VERSION_DIGITS:
        return int(text)
    try:
        return ExpectedVersion(text)
    except ValueError:
        raise InvalidArgumentError.of(
            "expected_version", f"invalid value {value!r}: use any, no-stream, exists or a number"
        ) from None


def _write(result: AppendResult, *, as_json: bool) -> None:
    if as_json:
        write_json(asdict(result))
    else:
        again = " (already stored)" if result.duplicate else ""
        version = f"{result.aggregate_id} is at version {result.event_version}"
        sys.stdout.write(f"{result.last_global_position}  {version}{again}\n")
    sys.stdout.flush()
