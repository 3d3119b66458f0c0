"""`python -m local_gcp up | down | status | preview STACK`: the whole stack on this machine."""

import argparse
import asyncio
import errno
import importlib
import sys
from pathlib import Path
from typing import Final

from event_store.errors import EventStoreError
from local_gcp.cli.project import Project
from local_gcp.daemon.state_directory import ROOT, State

_COMMANDS: Final = {
    "up": "start the local Google Cloud, run `pulumi up` on it, send the first events through it",
    "down": "destroy the stack and stop everything",
    "status": "print the endpoints as JSON",
    "preview": "print what `pulumi up` would do, with no cloud account",
}
_INTERRUPTED: Final = 130  # what a shell expects


def main() -> int:
    """Parse the command line and run a command."""
    parser = argparse.ArgumentParser(prog="python -m local_gcp", description=__doc__)
    parser.add_argument(
        "--state-directory",
        type=Path,
        default=ROOT / ".local",
        help="where everything is kept (default: .local)",
    )
    parser.add_argument("--project", type=Path, default=ROOT, help="where Pulumi.yaml is")
    commands = parser.add_subparsers(dest="command", required=True)
    modules = {}
    for name, about in _COMMANDS.items():
        command = commands.add_parser(name, help=about, description=about)
        if name in sys.argv:  # only the command that runs is loaded
            modules[name] = importlib.import_module(f"local_gcp.cli.{name}")
            modules[name].add_arguments(command)
    arguments = parser.parse_args()
    state, project = State(arguments.state_directory.resolve()), Project(arguments.project.resolve())
    try:
        asyncio.run(modules[arguments.command].run(state, project, arguments))
    except (EventStoreError, OSError) as error:
        full = isinstance(error, OSError) and error.errno == errno.ENOSPC
        print(f"\nerror: {error}{': free some disk space and try again' if full else ''}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return _INTERRUPTED
    return 0


if __name__ == "__main__":
    sys.exit(main())
