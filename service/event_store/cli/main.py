"""The command `event-store`.

Each command is a module of `event_store.cli` with `DESCRIPTION`, `EXAMPLES`, `add_arguments(parser)` and
`run(arguments)`, which returns the exit code. Only the one that is called is loaded, so that a client's
command does not wait for the libraries of the server.

Exit codes: 0 all is well; 1 an error, or whoever reads the output has closed it; 2 wrong usage, see
`commands/options.py`; 130 interrupted.
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

COMMANDS: Final = {
    "serve": "run the event store: the gRPC service and, unless told otherwise, the relay",
    "relay": "run the relay alone: publish the log to Pub/Sub",
    "migrate": "bring the database's schema up to this release",
    "append": "append events, from options or as JSON lines from standard input",
    "import": "import historic events, as JSON lines from standard input",
    "read": "read the events of an aggregate, or of the whole log",
    "tail": "follow the log",
    "status": "show how far the log and the relay are",
    "replay": "publish a part of the log again, to a topic of its own or to one subscription",
    "topology": "show the topology, or create it on an emulator",
    "parked": "look at the messages that the relay set aside, or publish them again",
    "dead-letters": "look at the messages that a subscription gave up, send them again, or throw them away",
}
INTERRUPTED: Final = 130
_MODULES: Final = {"import": "import_events"}  # where Python keeps a command's name to itself


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        argv: The arguments; the process's own by default.
    """
    try:
        try:
            return _run(sys.argv[1:] if argv is None else argv)
        finally:  # also after help, at which argparse exits
            sys.stdout.flush()
    except BrokenPipeError:  # whoever read our output has enough; Python must not complain at exit either
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _run(argv: Sequence[str]) -> int:
    arguments = _parse(argv)
    try:
        code: int = arguments.run(arguments)
    except UsageError as error:
        arguments.parser.error(str(error))
    except EventStoreError as error:
        where = getattr(arguments, "target", None)
        hint = (
            f" (--target is {where}: does it run there?)"
            if isinstance(error, UnavailableError) and where
            else ""
        )
        print(f"event-store: error: {error}{hint}", file=sys.stderr)  # noqa: T201 # a command talks to a person
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED
    return code


def _parse(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="event-store",
        description="An event store and event bus on PostgreSQL and Google Pub/Sub.",
        epilog="`event-store COMMAND --help` shows a command's options and examples. Exit codes: 0 done, "
        "1 an error or a closed output, 2 wrong usage, 130 interrupted.",
    )
    parser.add_argument("--version", action="version", version=f"event-store {version('gcp-event-store')}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for name, summary in COMMANDS.items():
        if argv[:1] != [name]:
            commands.add_parser(name, help=summary)
            continue
        module_name = _MODULES.get(name, name.replace("-", "_"))
        module = importlib.import_module(f"event_store.cli.{module_name}")
        command = commands.add_parser(
            name,
            help=summary,
            description=module.DESCRIPTION,
            epilog=module.EXAMPLES,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.set_defaults(run=module.run, parser=command)
        module.add_arguments(command)
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
