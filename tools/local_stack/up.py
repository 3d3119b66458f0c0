"""`up`: start the stack on the local Google Cloud, and send the first events through it."""

import argparse

from local_gcp.cli import up
from local_gcp.cli.project import Project
from local_gcp.daemon.state_directory import State
from tools.local_stack.demonstration import is_wanted, show


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's flags."""
    up.add_arguments(parser)
    parser.add_argument(
        "--demo",
        action=argparse.BooleanOptionalAction,
        help="append events and project them (default: while the log is empty)",
    )


async def run(state: State, project: Project, arguments: argparse.Namespace) -> None:
    """Start everything.

    Raises:
        EventStoreError: The events do not arrive.
        LocalGcpError: The start failed; if nothing ran before, nothing is left running.
    """
    endpoints = await up.bring_up(state, project, arguments)
    told = {name: endpoints[name] for name in ("service", "postgres", "pubsub_emulator_host")}
    if endpoints["service"] and (await is_wanted(endpoints) if arguments.demo is None else arguments.demo):
        told["projection"] = await show(endpoints, state.logs)
    up.print_endpoints(told)
    print(
        "\nNext\n"
        "  make status                    the endpoints as JSON\n"
        f"  .venv/bin/event-store tail --target {endpoints['service']} --from 1\n"
        f"  grpcurl -plaintext {endpoints['service']} list\n"
        "  make up                        again, after a change\n"
        "  make down                      destroys the stack; PURGE=1 deletes its data too"
    )
