"""`event-store topology`."""

import argparse
import os
import sys
from typing import Final

from event_store.cli.options import add_topology_arguments
from event_store.errors import ConfigurationError
from event_store.topology import Topology

DESCRIPTION: Final = """\
Show the topology, or create it on a Pub/Sub emulator.

show     check the topology file and print its topics, subscriptions and routes; with --json the value of
         EVENT_STORE_ROUTING
create   create its topics, subscriptions and dead-letter topics on the emulator that PUBSUB_EMULATOR_HOST
         names; existing ones are left unchanged. On Google Cloud `pulumi up` creates them"""
EXAMPLES: Final = """\
examples:
  event-store topology show
  event-store topology show --project my-project --json
  PUBSUB_EMULATOR_HOST=127.0.0.1:8085 event-store topology create --project event-store-local"""

EMULATOR: Final = "PUBSUB_EMULATOR_HOST"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("action", choices=["show", "create"], help="see above")
    add_topology_arguments(parser)
    parser.add_argument("--json", action="store_true", help="print the routing as JSON; for show")


def run(arguments: argparse.Namespace) -> int:
    """Show the topology, or create it on an emulator."""
    topology = Topology.load(arguments.topology)
    routing = topology.routing(arguments.project)
    if arguments.action == "create":
        address = os.environ.get(EMULATOR)
        if not address:
            raise ConfigurationError(
                f"{EMULATOR} is not set: set it to the HOST:PORT of an emulator; on Google Cloud `pulumi up` "
                "creates the topology"
            )
        from event_store.cli.emulator_bus import create_bus  # noqa: PLC0415 # seconds of imports for `show`

        for line in create_bus(topology, arguments.project, address):
            sys.stdout.write(line + "\n")
    elif arguments.json:
        sys.stdout.write(routing.to_json() + "\n")
    else:
        _show(topology)
    return 0


def _show(topology: Topology) -> None:
    lines = [
        f"topic {topic.name}: ordering {topic.ordering}, unpublishable {topic.unpublishable}"
        for topic in topology.topics
    ]
    lines += [
        f"subscription {subscription.name} of {subscription.topic}: {subscription.max_delivery_attempts} "
        f"attempts, then {subscription.dead_letter_name}"
        for subscription in topology.subscriptions
    ]
    lines += [
        f"route {route.aggregate_type} / {route.event_type} to {', '.join(route.topics)}"
        for route in topology.routes
    ]
    lines.append(f"unrouted {topology.unrouted}")
    sys.stdout.write("\n".join(lines) + "\n")
