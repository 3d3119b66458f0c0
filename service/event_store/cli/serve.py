"""`event-store serve`."""

import argparse
import asyncio
from dataclasses import replace
from typing import Final

import uvloop

from event_store.cli.options import whole
from event_store.cli.routed import add_routing_arguments, environment_and_routing
from event_store.server.server import serve

DESCRIPTION: Final = """\
Run the event store: the gRPC service and, if there is a routing, the relay beside it.

libpq's variables (PGHOST, PGPORT, PGDATABASE, PGUSER ...) name the database, PUBSUB_EMULATOR_HOST an emulator
of Pub/Sub. SIGTERM or Ctrl-C lets calls in flight end and stops."""
EXAMPLES: Final = """\
examples:
  event-store serve
  event-store serve --port 9090 --topology topology.yaml --project my-project"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("--host", help="the address to listen on (default: EVENT_STORE_HOST, else 127.0.0.1)")
    parser.add_argument(
        "--port", type=whole(0, 65_535), help="the port; 0 for any free one (default: PORT, else 8080)"
    )
    add_routing_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Serve until stopped."""
    environment, routing = environment_and_routing(arguments)
    given = {name: getattr(arguments, name) for name in ("host", "port")}
    environment = replace(environment, **{name: value for name, value in given.items() if value is not None})
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(environment, routing))
    return 0
