"""`event-store parked`."""

import argparse
import asyncio
import os
import sys
from dataclasses import asdict
from typing import Any, Final

from event_store.cli.connection import rfc3339, write_json
from event_store.cli.options import UsageError, whole
from event_store.contract.append_request import canonical_uuid, not_a_uuid
from event_store.database.login import TIMEOUTS, Login
from event_store.environment import Environment
from event_store.errors import EventStoreError
from event_store.model.arguments import MOST_LIMIT
from event_store.outbox.parked_messages import ParkedMessage, ParkedMessages
from event_store.pubsub.publisher import Publisher

DESCRIPTION: Final = """\
List, retry or drop parked messages: rejected by Pub/Sub, or set aside behind a rejected one of the same key.

list     write one line per message
retry    publish the messages again, at least once; accepted messages are no longer parked. A blocked ordering
         key is retried in order until a message is rejected; after its last one the relay resumes the key
drop     delete the messages of an event for good; the event stays in the store

libpq's variables (PGHOST, PGPORT, PGDATABASE, PGUSER ...) name the database, PUBSUB_EMULATOR_HOST a Pub/Sub
emulator. Exit status 1 if a retried message was rejected again, or a dropped event has no parked message."""
EXAMPLES: Final = """\
examples:
  event-store parked list
  event-store parked retry --topic vocabulary-events --limit 10
  event-store parked drop --event-id 0198c2a4-5b1c-7cc0-a6ab-3f6ad1e0b001 --yes"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("action", choices=("list", "retry", "drop"), help="see above")
    parser.add_argument(
        "--topic",
        default="",
        metavar="NAME",
        help="only messages of this topic, by its name or projects/PROJECT/topics/NAME (default: all topics)",
    )
    parser.add_argument(
        "--limit",
        type=whole(1, MOST_LIMIT),
        metavar="N",
        help="list or retry at most this many messages, 1 or more (default: all)",
    )
    parser.add_argument(
        "--event-id",
        action="append",
        default=[],
        metavar="UUID",
        help="event whose messages to drop; repeatable; required by drop",
    )
    parser.add_argument("--yes", action="store_true", help="confirm drop")
    parser.add_argument("--json", action="store_true", help="write JSON, one object per line")


def run(arguments: argparse.Namespace) -> int:
    """Run the action and write its result."""
    if arguments.action == "drop" and not arguments.event_id:
        raise UsageError("drop requires an event: give --event-id")
    if arguments.action != "drop" and arguments.event_id:
        raise UsageError(f"{arguments.action} does not take --event-id: omit it")
    for event_id in arguments.event_id:
        if canonical_uuid(event_id) is None:
            raise UsageError(f"--event-id: {not_a_uuid(event_id)}")
    if arguments.action == "drop" and not arguments.yes:
        raise UsageError("drop deletes messages for good: check them with list, then add --yes")
    asyncio.run(_run(arguments))
    return 0


async def _run(arguments: argparse.Namespace) -> None:
    shown = refused = 0
    publisher = Publisher()
    connection = await Login(Environment.parse(os.environ), to_replica=False, **TIMEOUTS).connect_async()
    try:
        messages = ParkedMessages(connection, publisher)
        if arguments.action == "list":
            async for parked in messages.find(arguments.topic):
                if shown == arguments.limit:
                    _tell_of_more()
                    return
                _write(parked, {}, arguments)
                shown += 1
            return
        if arguments.action == "drop":
            await _drop(messages, arguments)
            return
        async for parked, fault in messages.retry(arguments.topic, arguments.limit):
            refused += bool(fault)
            shown += 1
            _write(parked, {"published": not fault, "error": fault}, arguments)
        if shown == arguments.limit:
            _tell_of_more()
    finally:
        await publisher.close()
        await connection.close()
    if refused:
        raise EventStoreError(
            f"{refused} message{' was' if refused == 1 else 's were'} rejected again and "
            f"remain{'s' if refused == 1 else ''} parked: correct the cause that list shows, then retry"
        )


def _tell_of_more() -> None:
    print("there may be more: raise or omit --limit", file=sys.stderr)  # noqa: T201 # to a person


async def _drop(messages: ParkedMessages, arguments: argparse.Namespace) -> None:
    missing = []
    for event_id in arguments.event_id:
        dropped = await messages.drop(event_id, arguments.topic)
        for parked in dropped:
            _write(parked, {"dropped": True}, arguments)
        if not dropped:
            missing.append(event_id)
    if missing:
        raise EventStoreError(f"no parked message of event {', '.join(missing)}: check the ids with list")


def _write(parked: ParkedMessage, outcome: dict[str, Any], arguments: argparse.Namespace) -> None:
    parked_at = rfc3339(parked.parked_at)
    fields = asdict(parked) | {"parked_at": parked_at} | outcome
    if arguments.json:
        write_json(fields)
    else:
        where = f"{parked.global_position} {parked.event_id}  {parked.topic}"
        blocked = f"  ordering key {parked.ordering_key} is blocked" if parked.is_blocked else ""
        result = "dropped" if "dropped" in outcome else fields["error"] or "published"
        sys.stdout.write(f"{parked_at}  {where}{blocked}  {result}\n")
    sys.stdout.flush()  # before the next message, which may fail
