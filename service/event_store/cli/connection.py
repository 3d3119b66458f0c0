"""Connect the client's commands to the service, and write events as text or JSON."""

import argparse
import json
import os
import sys
from datetime import UTC, datetime
from typing import Any, Final

from event_store.cli.options import checked, seconds
from event_store.client import channel
from event_store.client.client import Client
from event_store.model.events import RecordedEvent

TARGET: Final = "EVENT_STORE_TARGET"


def add_connection_arguments(parser: argparse.ArgumentParser) -> None:
    """Add `--target`, `--timeout` and `--json`, for every command that calls the service."""
    parser.add_argument(
        "--target",
        type=_target,
        default=os.environ.get(TARGET) or channel.DEFAULT,
        help=f"address of the service: {channel.FORMS.replace('`', '')} (default: {TARGET}, else "
        f"{channel.DEFAULT})",
    )
    parser.add_argument(
        "--timeout",
        type=seconds,
        default=10,
        metavar="SECONDS",
        help="how long to wait for an answer, with all retries; above 0, at most 604800 (default: 10)",
    )
    parser.add_argument("--json", action="store_true", help="write JSON, one object per line")


def connect(arguments: argparse.Namespace) -> Client:
    """Return a client for `--target` and `--timeout`."""
    return Client(arguments.target, timeout_seconds=arguments.timeout)


def write_event(event: RecordedEvent, *, as_json: bool) -> None:
    """Write one event to standard output, as a line."""
    if as_json:
        fields = {
            "event_id": event.event_id,
            "aggregate_id": event.aggregate_id,
            "aggregate_type": event.aggregate_type,
            "event_type": event.event_type,
            "event_version": event.event_version,
            "event_data": event.event_data_json,
            "metadata": event.metadata_json,
            "occurred_at": rfc3339(event.occurred_at),
            "created_at": rfc3339(event.created_at),
            "global_position": event.global_position,
        }
        # The JSON is copied unchanged, so that every digit of a number is kept.
        texts = {
            name: value.decode() if isinstance(value, bytes) else json.dumps(value, ensure_ascii=False)
            for name, value in fields.items()
        }
        sys.stdout.write("{" + ", ".join(f'"{name}": {text}' for name, text in texts.items()) + "}\n")
        return
    columns = [
        str(event.global_position),
        rfc3339(event.occurred_at),
        f"{event.aggregate_type} {event.aggregate_id} v{event.event_version}",
        event.event_type,
        event.event_data_json.decode(),
    ]
    if event.metadata_json != b"{}":
        columns.append(event.metadata_json.decode())
    sys.stdout.write("  ".join(columns) + "\n")


def write_json(value: Any) -> None:
    """Write a value to standard output, as one line of JSON."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")


def _target(text: str) -> str:
    return checked(lambda: channel.check(text).string)


def rfc3339(moment: datetime) -> str:
    """Format a time as RFC 3339, in UTC with microseconds."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
