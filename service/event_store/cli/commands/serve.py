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
Run the gRPC service and, with a routing and unless EVENT_STORE_RELAY is off, the relay and replays.

The routing comes from --topology and --project, else from EVENT_STORE_ROUTING; without one nothing is
published. libpq's variables (PGHOST, PGPORT, PGDATABASE, PGUSER ...) name the database, PUBSUB_EMULATOR_HOST
a Pub/Sub emulator. SIGTERM or Ctrl-C finishes the calls in flight and stops."""
EXAMPLES: Final = """\
examples:
  event-store serve
  event-store serve --port 9090 --topology topology.yaml --project my-project"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("--host", help="address to listen on (default: EVENT_STORE_HOST, else 127.0.0.1)")
    parser.add_argument(
        "--port",
        type=whole(0, 65_535),
        help="port to listen on, 0 to 65535; 0 for any free one (default: PORT, else 8080)",
    )
    add_routing_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the service until stopped."""
    environment, routing = environment_and_routing(arguments)
    given = {name: getattr(arguments, name) for name in ("host", "port")}
    environment = replace(environment, **{name: value for name, value in given.items() if value is not None})
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(environment, routing))
    return 0
