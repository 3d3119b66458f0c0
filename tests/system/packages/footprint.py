"""What each installation drags in.

`python -m tests.system.packages.footprint` prints the table of `service/README.md`.
"""

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from tests.system.packages.environment import RUN_SECONDS, VirtualEnvironment, build

REQUIREMENTS: Final = ("gcp-event-store", "gcp-event-store[consumer]", "gcp-event-store[server]")
MEGABYTE: Final = 1_000_000
_HEAD: Final = "| installed | distributions | size | `from event_store import Client` |\n|---|---|---|---|\n"
_RUNS: Final = 5
_IMPORT: Final = "import resource; {}; used = resource.getrusage(0); print(used.ru_utime + used.ru_stime)"


def megabytes(environment: VirtualEnvironment) -> float:
    """Return the size of all that is installed, without bytecode, which depends on what was run."""
    return sum(environment.distributions().values()) / MEGABYTE


def import_seconds(
    environment: VirtualEnvironment, statement: str = "from event_store import Client"
) -> float:
    """Return the processor time of a process that runs a statement: the least of some runs.

    Args:
        environment: Where it runs.
        statement: One line of Python.
    """
    command = [str(environment.python), "-c", _IMPORT.format(statement)]
    said = [
        subprocess.run(command, capture_output=True, text=True, check=True, timeout=RUN_SECONDS).stdout
        for _ in range(_RUNS + 1)  # the first writes the bytecode
    ]
    return min(map(float, said))


def row(requirement: str, environment: VirtualEnvironment) -> str:
    """Return the line of the table for an installation."""
    count = len(environment.distributions())
    seconds = import_seconds(environment)
    return f"| `{requirement}` | {count} | {megabytes(environment):.0f} MB | {seconds:.2f} s |"


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder:
        wheels = build(Path(folder))
        sys.stdout.write(_HEAD)
        for number, requirement in enumerate(REQUIREMENTS):
            environment = VirtualEnvironment.make(Path(folder) / str(number), wheels, requirement)
            sys.stdout.write(row(requirement, environment) + "\n")


if __name__ == "__main__":
    main()
