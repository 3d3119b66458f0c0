"""Parse the environment and the routing options of `serve` and `relay`."""

import argparse
import os
from pathlib import Path

from event_store.cli.options import UsageError, whole
from event_store.environment import ROUTING, Environment
from event_store.topology import Ordering, Routing, Topology
from event_store.topology.routing import PARTITIONS


def add_routing_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that replace `EVENT_STORE_ROUTING`."""
    parser.add_argument(
        "--topology",
        type=Path,
        metavar="FILE",
        help=f"topology file to route events by; requires --project (default: {ROUTING})",
    )
    parser.add_argument(
        "--project", metavar="ID", help="Google Cloud project of the topics; requires --topology"
    )
    lowest, highest = PARTITIONS
    parser.add_argument(
        "--partitions",
        type=whole(lowest, highest),
        metavar="N",
        help=f"ordering keys per topic, {lowest} to {highest}, instead of each topic's `ordering`, as for an "
        "emulator that keeps a thread per key; requires --topology",
    )


def environment_and_routing(arguments: argparse.Namespace) -> tuple[Environment, Routing | None]:
    """Parse the process's environment and the routing, from the options or else from the environment.

    Returns:
        The environment, and the routing; None if neither has one.

    Raises:
        ConfigurationError: A variable or the topology is invalid.
        UsageError: Only one of `--topology` and `--project` is given, or `--partitions` without them.
    """
    environment = Environment.parse(os.environ)
    if (arguments.topology is None) != (arguments.project is None):
        raise UsageError("--topology and --project require each other: give both or neither")
    if arguments.topology is not None:
        ordering = Ordering("partitions", arguments.partitions) if arguments.partitions else None
        return environment, Topology.load(arguments.topology).routing(arguments.project, ordering)
    if arguments.partitions is not None:
        raise UsageError("--partitions requires --topology: give both or neither")
    return environment, Routing.from_json(environment.routing) if environment.routing else None
