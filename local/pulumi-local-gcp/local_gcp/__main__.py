"""`local-gcp up | down | status | preview STACK`: a Pulumi program on this machine, without Google."""

import sys
from typing import Final

from local_gcp.cli.command_line import Command, run

_COMMANDS: Final = (
    Command("up", "local_gcp.cli.up", "start the local Google Cloud and run `pulumi up` on it"),
    Command("down", "local_gcp.cli.down", "destroy the stack and stop everything"),
    Command("status", "local_gcp.cli.status", "print the endpoints as JSON"),
    Command("preview", "local_gcp.cli.preview", "print what `pulumi up` would do, with no cloud account"),
)


def main() -> int:
    """Parse the command line and run a command."""
    return run("local-gcp", __doc__, _COMMANDS)


if __name__ == "__main__":
    sys.exit(main())
