"""`python -m examples.vocabulary_projection`: run the projection, or show its tables."""

import argparse
import asyncio
import logging
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress

from psycopg import OperationalError, sql
from psycopg_pool import AsyncConnectionPool

from event_store import (
    Client,
    Consumer,
    EventStoreError,
    Projection,
    RecordedEvent,
    create_projection_tables,
)
from examples.vocabulary_projection import tables

logger = logging.getLogger(__name__)


async def main(arguments: argparse.Namespace) -> None:
    """Run the projection until SIGTERM or Ctrl-C, writing a line per event; or show the tables."""
    _on_stop(asyncio.current_task().cancel)  # type: ignore[union-attr]  # a coroutine runs in a task
    # libpq's variables (PGHOST, PGDATABASE ...) name the database; the projection's name is its schema there.
    async with AsyncConnectionPool(
        kwargs={"options": f"-c search_path={arguments.name}", "autocommit": True}, max_size=8, open=False
    ) as pool:
        async with pool.connection() as connection:
            if arguments.show:
                for row in await tables.show(connection):
                    sys.stdout.write("  ".join(value or "-" for value in row) + "\n")
                return
            schema = sql.Identifier(arguments.name)
            await connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(schema))
            await create_projection_tables(connection)
            await tables.create(connection)
        async with Client(arguments.target) as client:
            projection = Projection(
                arguments.name, client, pool.connection, tables.project, aggregate_types=["Vocabulary"]
            )
            if arguments.rebuild:
                logger.info("rebuilt %s from %d events", arguments.name, await projection.rebuild())

            async def handle(event: RecordedEvent, attempt: int) -> None:
                await projection.handle(event, attempt)
                sys.stdout.write(
                    f"event_type={event.event_type} aggregate_id={event.aggregate_id} "
                    f"global_position={event.global_position}\n"
                )
                sys.stdout.flush()

            subscription = f"projects/{arguments.project}/subscriptions/{arguments.subscription}"
            consumer = Consumer(subscription, handle, concurrency=4)
            _on_stop(consumer.stop)  # from here on, events being handled are finished first
            logger.info("projecting %s into %s", subscription, arguments.name)
            await consumer.run()


def _on_stop(act: Callable[[], object]) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, act)


def parse() -> argparse.Namespace:
    """Parse the command's options."""
    parser = argparse.ArgumentParser(
        prog="python -m examples.vocabulary_projection", description=main.__doc__
    )
    parser.add_argument("--show", action="store_true", help="show the tables and end")
    parser.add_argument("--rebuild", action="store_true", help="read the whole log before going live")
    parser.add_argument("--name", default="vocabulary", help="the projection and its schema")
    parser.add_argument("--subscription", default="vocabulary-projection")
    parser.add_argument("--project", default="event-store-local")
    parser.add_argument("--target", default=os.environ.get("EVENT_STORE_TARGET") or "127.0.0.1:8080")
    return parser.parse_args()


if __name__ == "__main__":
    logging.basicConfig(level="INFO", format="%(levelname)s %(message)s")
    try:
        with suppress(asyncio.CancelledError):
            asyncio.run(main(parse()))
    except (EventStoreError, OperationalError) as error:
        sys.exit(f"error: {error}")
