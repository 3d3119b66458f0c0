"""`event-store migrate`."""

import argparse
import os
import sys
from typing import Final

from event_store.environment import Environment
from event_store.login import Login
from event_store.migrate import offline_sql, upgrade

DESCRIPTION: Final = """\
Bring the database's schema up to this release. Safe to run twice, and from two places at once.

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


def run(arguments: argparse.Namespace) -> int:
    """Migrate, or print what would be done."""
    if arguments.sql:
        sys.stdout.write(offline_sql())
    else:
        upgrade(Login(Environment.parse(os.environ)).connect, report=lambda line: print(line, flush=True))  # noqa: T201 # progress
    return 0
