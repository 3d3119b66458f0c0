"""`up`: start the local Google Cloud and run `pulumi up` on it."""

import argparse
import os
import time

from local_gcp.cli.project import Project
from local_gcp.daemon import background
from local_gcp.daemon.settings import PORTS, Settings
from local_gcp.daemon.state_directory import State
from local_gcp.errors import SetupError
from local_gcp.resource.properties import Properties


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    for name in PORTS:
        flag = f"--{name.replace('_', '-')}"
        parser.add_argument(flag, type=_port, help="0 for a free one; kept for the next time")


async def run(state: State, project: Project, arguments: argparse.Namespace) -> None:
    """Start everything, and print the endpoints.

    Raises:
        LocalGcpError: The start failed. If nothing was up before, nothing is now.
    """
    endpoints = await bring_up(state, project, arguments)
    print_endpoints({name: endpoints[name] for name in ("service", "postgres", "pubsub_emulator_host")})


async def bring_up(state: State, project: Project, arguments: argparse.Namespace) -> Properties:
    """Start everything, and return the endpoints.

    Args:
        state: The state directory.
        project: The project that is deployed.
        arguments: The flags of `add_arguments`.

    Raises:
        LocalGcpError: The start failed. If nothing was up before, nothing is now.
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
            raise SetupError(
                f"`pulumi up` failed: it says why above. The logs are in {state.logs}; "
                "the next `up` goes on where this one stopped"
            )
        return daemon.endpoints()


def print_endpoints(endpoints: Properties) -> None:
    """Print the endpoints that are not empty.

    Args:
        endpoints: The endpoints by name.
    """
    print("\nEndpoints")
    for name, endpoint in endpoints.items():
        if endpoint:
            print(f"  {name:22}{endpoint}")


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65_535:  # noqa: PLR2004 # TCP's limit
        raise argparse.ArgumentTypeError("must be 0 to 65535")
    return port
