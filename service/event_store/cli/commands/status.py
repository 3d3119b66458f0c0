"""`event-store status`."""

import argparse
import asyncio
import sys
from dataclasses import asdict
from typing import Any, Final

from event_store.cli.connection import add_connection_arguments, connect, rfc3339, write_json
from event_store.model.events import Status, TopicStatus

DESCRIPTION: Final = """\
Show the positions of the log and the relay, the lag of each topic, and the running versions.

head_position is the position of the last event. Up to relay_position every event was published or parked.
The lag is the number of events between the two, and the seconds since the first of them was recorded."""
EXAMPLES: Final = """\
examples:
  event-store status
  event-store status --json | jq '.head_position - .relay_position'"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    add_connection_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Fetch the status and write it to standard output."""
    status = asyncio.run(_status(arguments))
    if arguments.json:
        write_json(asdict(status) | {"topics": [_topic(each) for each in status.topics]})
        return 0
    for name, value in asdict(status).items():
        if name != "topics":
            sys.stdout.write(f"{name:<16} {value}\n")
    for topic in status.topics:
        since = f" since {_topic(topic)['oldest_parked_at']}" if topic.oldest_parked_at else ""
        lag = (
            f"{topic.lag_events} events behind for {topic.lag_age_seconds:.0f} s"
            if topic.lag_events
            else "up to date"
        )
        blocked = f", {topic.blocked_keys} keys blocked" if topic.blocked_keys else ""
        sys.stdout.write(f"{topic.topic}: {lag}, {topic.parked_messages} parked{since}{blocked}\n")
    return 0


def _topic(topic: TopicStatus) -> dict[str, Any]:
    oldest = topic.oldest_parked_at
    return asdict(topic) | {"oldest_parked_at": rfc3339(oldest) if oldest is not None else None}


async def _status(arguments: argparse.Namespace) -> Status:
    async with connect(arguments) as client:
        return await client.status()
