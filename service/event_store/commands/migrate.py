"""`event-store migrate`."""

import argparse
import os
import sys
from functools import partial
from typing import Final

from event_store.create_database import ALWAYS_THERE, create_database
from event_store.environment import Environment
from event_store.login import Login
from event_store.migrate import offline_sql, upgrade

DESCRIPTION: Final = """\
Bring the database's schema up to this release. Safe to run twice, and from two places at once. The schema of
a later release that works with this one is left as it is, so that a rollback goes through.

libpq's variables (PGHOST, PGPORT, PGDATABASE, PGUSER ...) name the database; the user becomes the tables'
owner."""
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
    login = Login(Environment.parse(os.environ))
    if arguments.create_database:
        create_database(
            partial(login.connect, ALWAYS_THERE), os.environ.get("PGDATABASE", ALWAYS_THERE), report=_tell
        )
    upgrade(login.connect, report=_tell)
    return 0


def _tell(line: str) -> None:
    print(line, flush=True)  # noqa: T201 # progress
