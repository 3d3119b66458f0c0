"""`event-store migrate`."""

import argparse
import os
import signal
import sys
from functools import partial
from typing import Final

from event_store.database.create_database import ALWAYS_THERE, create_database
from event_store.database.login import Login
from event_store.database.schema import offline_sql, upgrade
from event_store.database.wait import DatabaseWait
from event_store.environment import Environment

DESCRIPTION: Final = """\
Bring the database's schema up to this release. Safe to run twice, and from two places at once. The schema of
a later release that works with this one is left as it is, so that a rollback goes through.

libpq's variables (PGHOST, PGPORT, PGDATABASE, PGUSER ...) name the database; the user becomes the tables'
owner. SIGTERM or Ctrl-C ends it, with the schema as it was."""
EXAMPLES: Final = """\
examples:
  event-store migrate
  event-store migrate --sql > review.sql"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument(
        "--sql", action="store_true", help="print the SQL for an empty database, change nothing"
    )
    parser.add_argument(
        "--create-database",
        action="store_true",
        help="make the database of PGDATABASE and the runtime's role first, if they are not there",
    )


def run(arguments: argparse.Namespace) -> int:
    """Migrate, or print what would be done."""
    if arguments.sql:
        sys.stdout.write(offline_sql())
        return 0
    environment = Environment.parse(os.environ)
    # The first process of a container does not end by a signal that it does not handle.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    login = Login(environment)
    waiting = DatabaseWait(environment.database_wait_seconds, _tell)
    if arguments.create_database:
        create_database(
            partial(waiting.until, partial(login.connect, ALWAYS_THERE)),
            os.environ.get("PGDATABASE", ALWAYS_THERE),
            report=_tell,
        )
    # Only the login is waited for: a migration that failed needs a person.
    upgrade(partial(waiting.until, login.connect), report=_tell)
    return 0


def _tell(line: str) -> None:
    print(line, flush=True)  # noqa: T201 # progress
