"""`up`: start the local Google Cloud, run `pulumi up` on it, and send the first events through it."""

import argparse
import os
import time

from event_store.errors import ConfigurationError
from local_gcp.cli.project import Project
from local_gcp.daemon import background
from local_gcp.daemon.settings import PORTS, Settings
from local_gcp.daemon.state_directory import State
from tools.local_stack.demonstration import is_wanted, show


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    for name in PORTS:
        flag = f"--{name.replace('_', '-')}"
        parser.add_argument(flag, type=_port, help="0 for a free one; kept for the next time")
    parser.add_argument(
        "--demo",
        action=argparse.BooleanOptionalAction,
        help="append events and project them (default: while the log is empty)",
    )


async def run(state: State, project: Project, arguments: argparse.Namespace) -> None:
    """Bring everything up.

    Raises:
        EventStoreError: Something is in the way. If nothing stood before, nothing does now.
    """
    state.make()
    with project.only_command(state):
        started = time.monotonic()
        settings = Settings.choose(state, {name: getattr(arguments, name) for name in PORTS}, os.environ)
        print("Local Google Cloud ... ", end="", flush=True)
        daemon, is_new = background.ensure(state, settings, project.program)
        print(f"{'started' if is_new else 'runs'} ({time.monotonic() - started:.1f} s)", flush=True)
        pulumi = project.pulumi(state, daemon)
        try:
            await pulumi.prepare()
            code = await pulumi.run("up", "--yes", "--skip-preview")
        finally:
            if is_new and pulumi.is_empty():
                background.stop(state)
        if code != 0:
            raise ConfigurationError(
                f"`pulumi up` failed: it says why above. The logs are in {state.logs}; "
                "`make up` goes on where this one stopped"
            )
        endpoints = daemon.endpoints()
    told = {name: endpoints[name] for name in ("service", "postgres", "pubsub_emulator_host")}
    if endpoints["service"] and (await is_wanted(endpoints) if arguments.demo is None else arguments.demo):
        told["projection"] = await show(endpoints, state.logs)
    print("\nEndpoints")
    for name, endpoint in told.items():
        print(f"  {name:22}{endpoint}")
    print(
        "\nNext\n"
        "  make status                    the endpoints as JSON\n"
        f"  .venv/bin/event-store tail --target {endpoints['service']} --from 1\n"
        f"  grpcurl -plaintext {endpoints['service']} list\n"
        "  make up                        again, after a change\n"
        "  make down                      destroys the stack; PURGE=1 deletes its data too"
    )


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65_535:  # noqa: PLR2004 # TCP's limit
        raise argparse.ArgumentTypeError("must be 0 to 65535")
    return port
