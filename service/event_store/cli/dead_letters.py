"""`event-store dead-letters`."""

import argparse
import asyncio
import json
import sys
from pathlib import Path
from typing import Any, Final

from event_store.cli.connection import write_json
from event_store.cli.options import UsageError, seconds, whole
from event_store.consumer.dead_letters import MOST_LETTERS, DeadLetter, DeadLetters
from event_store.errors import EventStoreError
from event_store.topology import Subscription, Topology

DESCRIPTION: Final = """\
Look after the messages that a subscription gave up, on Google Cloud or, if PUBSUB_EMULATOR_HOST names one, on
an emulator.

list     show a line for each, and leave them where they are
show     show each whole, and leave them where they are
redrive  publish each to the subscription's topic again, at least once, with the attribute redriven_from
purge    throw them away for good; the events themselves stay in the store"""
EXAMPLES: Final = """\
examples:
  event-store dead-letters list vocabulary-projection --project my-project
  event-store dead-letters redrive vocabulary-projection --project my-project --limit 1
  event-store dead-letters purge vocabulary-projection --yes \\
      --event-id 0198c2a4-5b1c-7cc0-a6ab-3f6ad1e0b001"""

_DONE: Final = {"list": "found", "show": "found", "redrive": "redriven", "purge": "purged"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("action", choices=list(_DONE))
    parser.add_argument("subscription", help="a subscription of the topology: the one that gave them up")
    parser.add_argument(
        "--topology", type=Path, default=Path("topology.yaml"), metavar="FILE", help="default: topology.yaml"
    )
    parser.add_argument(
        "--project", default="event-store-local", metavar="ID", help="default: event-store-local"
    )
    parser.add_argument(
        "--event-id", action="append", default=[], metavar="UUID", help="only this event's; may be repeated"
    )
    parser.add_argument(
        "--limit",
        type=whole(1, MOST_LETTERS),
        default=100,
        metavar="N",
        help=f"how many at the most, 1 to {MOST_LETTERS} (default: 100)",
    )
    parser.add_argument(
        "--timeout",
        type=seconds,
        default=3,
        metavar="SECONDS",
        help="how long no further one must come until all are taken to be there (default: 3)",
    )
    parser.add_argument("--yes", action="store_true", help="really purge")
    parser.add_argument("--json", action="store_true", help="write JSON, one object a line, the count last")


def run(arguments: argparse.Namespace) -> int:
    """Do it and write what was done."""
    topology = Topology.load(arguments.topology)
    topology.routing(arguments.project)  # refuses what is no project's id
    subscription = next(
        (each for each in topology.subscriptions if each.name == arguments.subscription), None
    )
    if subscription is None:
        known = ", ".join(each.name for each in topology.subscriptions) or "none"
        raise EventStoreError(
            f"{arguments.subscription!r} is no subscription of the topology: known are {known}"
        )
    if arguments.action == "purge" and not arguments.yes:
        raise UsageError("purge throws dead letters away for good: look at them by list, then add --yes")
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
            f"no dead letter of {subscription.name} was found of event {', '.join(missing)}"
        )


def _counted(done: list[DeadLetter], arguments: argparse.Namespace) -> str:
    plural = "" if len(done) == 1 else "s"
    return f"{len(done)} dead letter{plural} of {arguments.subscription} {_DONE[arguments.action]}"


def _write_count(done: list[DeadLetter], is_complete: bool, arguments: argparse.Namespace) -> None:
    if arguments.json:
        write_json({_DONE[arguments.action]: len(done), "complete": is_complete})
    else:
        rest = (
            ""
            if is_complete
            else "; there may be more: raise --limit, or run it again after a redrive or purge"
        )
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
    sys.stdout.flush()  # each is known to be done though the next may fail


def _data(letter: DeadLetter) -> Any:
    """Return the event, or the text of what is no JSON."""
    try:
        return json.loads(letter.data)
    except ValueError:
        return letter.data.decode(errors="replace")
