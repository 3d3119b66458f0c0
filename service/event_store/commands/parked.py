"""`event-store parked`."""

import argparse
import asyncio
import os
import sys
from dataclasses import asdict
from typing import Any, Final

import psycopg

from event_store.commands.connection import rfc3339, write_json
from event_store.database_errors import domain_errors
from event_store.environment import Environment
from event_store.errors import EventStoreError
from event_store.login import Login
from event_store.parked import ParkedMessage, ParkedMessages
from event_store.publisher import Publisher

DESCRIPTION: Final = """\
Look after the messages that the relay could not publish and set aside, in the database that libpq's variables
name.

list     show a line for each
retry    publish each again under its ordering key, at least once; what Pub/Sub takes is parked no more"""
EXAMPLES: Final = """\
examples:
  event-store parked list
  event-store parked retry --topic vocabulary-events --limit 10"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("action", choices=("list", "retry"))
    parser.add_argument(
        "--topic", default="", metavar="NAME", help="only this topic's, by its name or path (default: all)"
    )
    parser.add_argument(
        "--limit", type=int, default=100, metavar="N", help="how many at the most (default: 100)"
    )
    parser.add_argument("--json", action="store_true", help="write JSON, one object a line")


def run(arguments: argparse.Namespace) -> int:
    """Do it and write what was done."""
    asyncio.run(_run(arguments))
    return 0


async def _run(arguments: argparse.Namespace) -> None:
    publisher = Publisher()
    parameters = await Login(Environment.parse(os.environ)).parameters_async()
    with domain_errors():
        connection = await psycopg.AsyncConnection.connect(**parameters, autocommit=True)
    try:
        messages = ParkedMessages(connection, publisher)
        if arguments.action == "list":
            for parked in await messages.find(arguments.topic, arguments.limit):
                _write(parked, {}, arguments)
            return
        refused = 0
        async for parked, fault in messages.retry(arguments.topic, arguments.limit):
            refused += bool(fault)
            _write(parked, {"published": not fault, "error": fault}, arguments)
    finally:
        await publisher.close()
        await connection.close()
    if refused:
        raise EventStoreError(f"{refused} of them cannot be published still, and stay parked")


def _write(parked: ParkedMessage, outcome: dict[str, Any], arguments: argparse.Namespace) -> None:
    parked_at = rfc3339(parked.parked_at)
    fields = asdict(parked) | {"parked_at": parked_at} | outcome
    if arguments.json:
        write_json(fields)
    else:
        where = f"{parked.global_position} {parked.event_id}  {parked.topic}"
        sys.stdout.write(f"{parked_at}  {where}  {fields['error'] or 'published'}\n")
    sys.stdout.flush()  # each is known to be done though the next may fail
