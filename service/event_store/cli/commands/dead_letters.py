"""`event-store dead-letters`."""

import argparse
import asyncio
import json
import sys
from typing import Any, Final

from event_store.cli.connection import write_json
from event_store.cli.options import UsageError, add_topology_arguments, seconds, whole
from event_store.consumer.dead_letters import MOST_LETTERS, DeadLetter, DeadLetters
from event_store.errors import EventStoreError
from event_store.topology import Subscription, Topology

DESCRIPTION: Final = """\
List, show, redrive or purge the dead letters of a subscription: messages without delivery attempts left.

list     write one line per message and leave the messages in place
show     write each message with its data and leave the messages in place
redrive  publish the messages to the subscription's topic again, at least once, with the attribute
         redriven_from
purge    delete the messages for good; the events stay in the store

Works on Google Cloud, or on the emulator that PUBSUB_EMULATOR_HOST names. Exit status 1 if a given --event-id
has no dead letter."""
EXAMPLES: Final = """\
examples:
  event-store dead-letters list vocabulary-projection --project my-project
  event-store dead-letters redrive vocabulary-projection --project my-project --limit 1
  event-store dead-letters purge vocabulary-projection --yes \\
      --event-id 0198c2a4-5b1c-7cc0-a6ab-3f6ad1e0b001"""

_DONE: Final = {"list": "found", "show": "found", "redrive": "redriven", "purge": "purged"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("action", choices=list(_DONE), help="see above")
    parser.add_argument(
        "subscription", help="subscription with the dead letters, by its name in the topology"
    )
    add_topology_arguments(parser)
    parser.add_argument(
        "--event-id",
        action="append",
        default=[],
        metavar="UUID",
        help="only dead letters of this event; repeatable (default: all)",
    )
    parser.add_argument(
        "--limit",
        type=whole(1, MOST_LETTERS),
        default=100,
        metavar="N",
        help=f"at most this many messages, 1 to {MOST_LETTERS} (default: 100)",
    )
    parser.add_argument(
        "--timeout",
        type=seconds,
        default=3,
        metavar="SECONDS",
        help="stop pulling when no further message arrives for this long, above 0 (default: 3)",
    )
    parser.add_argument("--yes", action="store_true", help="confirm purge")
    parser.add_argument(
        "--json", action="store_true", help="write JSON, one object per line, and last the count"
    )


def run(arguments: argparse.Namespace) -> int:
    """Run the action and write its result."""
    topology = Topology.load(arguments.topology)
    topology.routing(arguments.project)  # rejects an invalid project id
    subscription = next(
        (each for each in topology.subscriptions if each.name == arguments.subscription), None
    )
    if subscription is None:
        known = ", ".join(each.name for each in topology.subscriptions) or "none"
        raise EventStoreError(
            f"subscription {arguments.subscription!r} is not in the topology: use one of {known}"
        )
    if arguments.action == "purge" and not arguments.yes:
        raise UsageError("purge deletes dead letters for good: check them with list, then add --yes")
    asyncio.run(_run(arguments, subscription))
    return 0


async def _run(arguments: argparse.Namespace, subscription: Subscription) -> None:
    done: list[DeadLetter] = []
    async with DeadLetters(subscription, arguments.project, quiet_seconds=arguments.timeout) as letters:
        try:
            if arguments.action == "redrive":
                async for letter in letters.redrive(arguments.event_id, arguments.limit):
                    done.append(letter)
                    _write(letter, arguments)
            else:
                work = letters.purge if arguments.action == "purge" else letters.peek
                for letter in await work(arguments.event_id, arguments.limit):
                    done.append(letter)
                    _write(letter, arguments)
        except EventStoreError as error:
            raise EventStoreError(f"{error} ({_counted(done, arguments)} before that)") from None
        _write_count(done, letters.is_complete, arguments)
    missing = sorted(set(arguments.event_id) - {letter.event_id for letter in done})
    if missing:
        raise EventStoreError(
            f"subscription {subscription.name} has no dead letter of event {', '.join(missing)}: "
            "check the ids with list"
        )


def _counted(done: list[DeadLetter], arguments: argparse.Namespace) -> str:
    plural = "" if len(done) == 1 else "s"
    return f"{len(done)} dead letter{plural} of {arguments.subscription} {_DONE[arguments.action]}"


def _write_count(done: list[DeadLetter], is_complete: bool, arguments: argparse.Namespace) -> None:
    if arguments.json:
        write_json({_DONE[arguments.action]: len(done), "complete": is_complete})
    else:
        rest = "" if is_complete else "; there may be more: raise --limit, or repeat after a redrive or purge"
        sys.stdout.write(f"{_counted(done, arguments)}{rest}\n")


def _write(letter: DeadLetter, arguments: argparse.Namespace) -> None:
    dead_since = letter.dead_since.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if arguments.json:
        fields: dict[str, Any] = {
            "event_id": letter.event_id,
            "dead_since": dead_since,
            "delivery_attempts": letter.delivery_attempts,
            "ordering_key": letter.ordering_key,
            "attributes": dict(letter.attributes),
        }
        write_json(fields | ({"data": _data(letter)} if arguments.action == "show" else {}))
        return
    event = " ".join(
        letter.attributes.get(name, "?")
        for name in ("global_position", "event_type", "event_id", "aggregate_type", "aggregate_id")
    )
    version = letter.attributes.get("event_version", "?")
    line = f"{dead_since}  {event} v{version}  {letter.delivery_attempts} attempts\n"
    if arguments.action == "show":
        line += json.dumps(_data(letter), ensure_ascii=False, indent=2) + "\n"
    sys.stdout.write(line)
    sys.stdout.flush()  # before the next message, which may fail


def _data(letter: DeadLetter) -> Any:
    """Return the data as JSON, or as text if it is not JSON."""
    try:
        return json.loads(letter.data)
    except ValueError:
        return letter.data.decode(errors="replace")
