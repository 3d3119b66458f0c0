"""`make up | down | status | preview STACK`: the event store on this machine."""

import os
import sys
from typing import Final

from event_store.errors import EventStoreError
from local_gcp.cli.command_line import Command, run
from tools.pulumi_cli import BIN

_COMMANDS: Final = (
    Command(
        "up",
        "tools.local_stack.up",
        "start the local Google Cloud, run `pulumi up` on it, send the first events through it",
    ),
    Command("down", "local_gcp.cli.down", "destroy the stack and stop everything"),
    Command("status", "local_gcp.cli.status", "print the endpoints as JSON"),
    Command(
        "preview",
        "tools.local_stack.preview",
        "print what `pulumi up` would do, with no cloud account, and refuse what loses data",
    ),
)


def main() -> int:
    """Parse the command line and run a command."""
    os.environ["PATH"] = os.pathsep.join([str(BIN), os.environ.get("PATH", os.defpath)])
    return run("python -m tools.local_stack", __doc__, _COMMANDS, (EventStoreError,))


if __name__ == "__main__":
    sys.exit(main())
