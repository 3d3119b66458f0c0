"""The command `event-store`.

Each command is a module of `event_store.cli.commands` with `DESCRIPTION`, `EXAMPLES`, `add_arguments(parser)`
and `run(arguments)`, which returns the exit status. Only the called command is loaded, so that a client's
command does not wait for the libraries of the server.

`_EXIT_STATUS` has the meaning of each exit status; `cli/options.py` tells invalid usage from an error.
"""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from importlib.metadata import version
from typing import Final

from event_store.cli.options import UsageError
from event_store.errors import EventStoreError, UnavailableError
from event_store.extras import missing

COMMANDS: Final = {
    "serve": "run the gRPC service and, unless EVENT_STORE_RELAY is off, the relay",
    "relay": "run only the relay, which publishes the log to Pub/Sub",
    "migrate": "upgrade the database schema to this release",
    "append": "append one event from options, or many as JSON lines from standard input",
    "import": "import historic events as JSON lines from standard input",
    "read": "read the events of one aggregate, or of the whole log",
    "tail": "follow the log",
    "status": "show the positions of the log and the relay, and the running versions",
    "replay": "publish a part of the log again, to a replay topic or to one subscription",
    "topology": "show the topology, or create it on a Pub/Sub emulator",
    "parked": "list, retry or drop the messages that the relay parked",
    "dead-letters": "list, show, redrive or purge the dead letters of a subscription",
}
INTERRUPTED: Final = 130
_EXIT_STATUS: Final = (
    "exit status: 0 success; 1 error, or the output was closed early; 2 invalid usage; 130 interrupted"
)
_MODULES: Final = {"import": "import_events"}  # where Python keeps a command's name to itself


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        argv: The arguments; those of the process by default.

    Returns:
        The exit status.
    """
    try:
        try:
            return _run(sys.argv[1:] if argv is None else argv)
        finally:  # also after help, at which argparse exits
            sys.stdout.flush()
    except BrokenPipeError:  # the reader of our output has closed it; Python must not complain at exit either
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _run(argv: Sequence[str]) -> int:
    try:
        arguments = _parse(argv)
    except ImportError as error:
        return _not_installed(error)
    try:
        code: int = arguments.run(arguments)
    except UsageError as error:
        arguments.parser.error(str(error))
    except EventStoreError as error:
        where = getattr(arguments, "target", None)
        hint = (
            f" (--target is {where}: check that the service runs there)"
            if isinstance(error, UnavailableError) and where
            else ""
        )
        print(f"event-store: error: {error}{hint}", file=sys.stderr)  # noqa: T201 # a command talks to a person
        return 1
    except ImportError as error:  # some commands load what only one of their actions needs
        return _not_installed(error)
    except KeyboardInterrupt:
        return INTERRUPTED
    return code


def _not_installed(error: ImportError) -> int:
    if not (hint := missing(error)):
        raise error
    print(f"event-store: error: {hint}", file=sys.stderr)  # noqa: T201 # as above
    return 1


def _parse(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="event-store",
        description="An event store and event bus on PostgreSQL and Google Pub/Sub.",
        epilog=f"`event-store COMMAND --help` shows the options and examples of a command. {_EXIT_STATUS}",
    )
    parser.add_argument("--version", action="version", version=f"event-store {version('gcp-event-store')}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for name, summary in COMMANDS.items():
        if argv[:1] != [name]:
            commands.add_parser(name, help=summary)
            continue
        module_name = _MODULES.get(name, name.replace("-", "_"))
        module = importlib.import_module(f"event_store.cli.commands.{module_name}")
        command = commands.add_parser(
            name,
            help=summary,
            description=module.DESCRIPTION,
            epilog=f"{module.EXAMPLES}\n\n{_EXIT_STATUS}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.set_defaults(run=module.run, parser=command)
        module.add_arguments(command)
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
