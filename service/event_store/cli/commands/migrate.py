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
Upgrade the database schema to this release. Safe to repeat, and to run from two places at once.

A newer schema that supports this release is left unchanged, so that a rollback succeeds. A newer schema that
does not is an error. SIGTERM or Ctrl-C cancels the upgrade and leaves the schema unchanged.

libpq's variables (PGHOST, PGPORT, PGDATABASE, PGUSER ...) name the database; PGUSER becomes the owner of the
tables. EVENT_STORE_DATABASE_WAIT_SECONDS (0 to 3600, default: 0) is how long to wait for the database."""
EXAMPLES: Final = """\
examples:
  event-store migrate
  event-store migrate --create-database
  event-store migrate --sql > review.sql"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument(
        "--sql", action="store_true", help="print the SQL for an empty database and change nothing"
    )
    parser.add_argument(
        "--create-database",
        action="store_true",
        help="first create the database that PGDATABASE names and the role event_store_runtime, if missing",
    )


def run(arguments: argparse.Namespace) -> int:
    """Upgrade the schema, or print its SQL."""
    if arguments.sql:
        sys.stdout.write(offline_sql())
        return 0
    environment = Environment.parse(os.environ)
    # A container's first process ignores a signal that it does not handle.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    login = Login(environment)
    waiting = DatabaseWait(environment.database_wait_seconds, _tell)
    if arguments.create_database:
        create_database(
            partial(waiting.until, partial(login.connect, ALWAYS_THERE)),
            os.environ.get("PGDATABASE", ALWAYS_THERE),
            report=_tell,
        )
    # Only the login is retried: a failed migration needs a person.
    upgrade(partial(waiting.until, login.connect), report=_tell)
    return 0


def _tell(line: str) -> None:
    print(line, flush=True)  # noqa: T201 # progress
