"""The command line of a program whose commands work on a project and a state directory."""

import argparse
import asyncio
import errno
import importlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from local_gcp.cli.project import STACK, Project
from local_gcp.daemon.state_directory import State
from local_gcp.errors import LocalGcpError

_INTERRUPTED: Final = 130  # as shells expect


@dataclass(frozen=True, slots=True)
class Command:
    """One command.

    Attributes:
        name: The command's name.
        module: The module of its `add_arguments` and `run`, loaded only if the command runs.
        about: The description in its help.
    """

    name: str
    module: str
    about: str


def run(
    program: str,
    about: str | None,
    commands: Sequence[Command],
    errors: tuple[type[Exception], ...] = (),
) -> int:
    """Parse the command line and run a command; return the exit code.

    Args:
        program: The program's name, for its help.
        about: The description in its help.
        commands: The program's commands.
        errors: Further errors whose message is for a person, besides this package's own.
    """
    parser = argparse.ArgumentParser(prog=program, description=about)
    parser.add_argument(
        "--project", type=Path, default=Path(), help="where Pulumi.yaml is (default: the current directory)"
    )
    parser.add_argument(
        "--state-directory", type=Path, help="where everything is kept (default: .local in the project)"
    )
    parser.add_argument(
        "--stack",
        dest="project_stack",  # a command may have an argument named `stack`
        metavar="STACK",
        default=STACK,
        help="the stack that is brought up (default: %(default)s)",
    )
    parsers = parser.add_subparsers(dest="command", required=True)
    modules = {}
    for each in commands:
        command = parsers.add_parser(each.name, help=each.about, description=each.about)
        if each.name in sys.argv:
            modules[each.name] = importlib.import_module(each.module)
            modules[each.name].add_arguments(command)
    arguments = parser.parse_args()
    directory = arguments.project.resolve()
    state = State((arguments.state_directory or directory / ".local").resolve())
    project = Project(directory, arguments.project_stack)
    expected: tuple[type[Exception], ...] = (LocalGcpError, OSError, *errors)
    try:
        asyncio.run(modules[arguments.command].run(state, project, arguments))
    except expected as error:
        full = isinstance(error, OSError) and error.errno == errno.ENOSPC
        print(f"\nerror: {error}{': free some disk space and try again' if full else ''}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return _INTERRUPTED
    return 0
