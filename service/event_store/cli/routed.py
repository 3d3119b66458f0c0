"""What `serve` and `relay` are told by their environment and options."""

import argparse
import os
from pathlib import Path

from event_store.cli.options import UsageError
from event_store.environment import ROUTING, Environment
from event_store.topology import Routing, Topology


def add_routing_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that stand for `EVENT_STORE_ROUTING`."""
    parser.add_argument(
        "--topology", type=Path, metavar="FILE", help=f"route events by this file instead of {ROUTING}"
    )
    parser.add_argument("--project", metavar="ID", help="the Google Cloud project of the topology's topics")


def environment_and_routing(arguments: argparse.Namespace) -> tuple[Environment, Routing | None]:
    """Parse the process's environment, and the routing that it or the options give; None if neither does.

    Raises:
        ConfigurationError: One of them is wrong.
        UsageError: An option is missing beside another.
    """
    environment = Environment.parse(os.environ)
    if (arguments.topology is None) != (arguments.project is None):
        raise UsageError("--topology and --project belong together: give both or neither")
    if arguments.topology is not None:
        return environment, Topology.load(arguments.topology).routing(arguments.project)
    return environment, Routing.from_json(environment.routing) if environment.routing else None
