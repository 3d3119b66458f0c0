"""Run the server: check the schema, serve, drain and close.

Invariants:

- Nothing is served before the schema was checked. `start` waits at most `database_wait_seconds` for a
  database that is unreachable or rejects the login; a stop signal ends the wait at once.
- After a stop signal, health is NOT_SERVING, new calls are rejected and endless streams end. Calls in flight
  have `GRACE_SECONDS`, then the appender stores the waiting requests, then the connections close.
- A failed task of the server stops the server.
- `serve` ends within `EXIT_SECONDS` of a stop signal, even if the database hangs; unanswered requests can be
  sent again.
"""

import asyncio
import logging
import os
import signal
from functools import partial
from typing import Final

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from event_store import keep_alive
from event_store.contract.append_request import MOST_REQUEST_BYTES
from event_store.database.errors import domain_errors
from event_store.database.pool import Database
from event_store.database.schema import NOT_APPEND_ONLY, check_revision, queries
from event_store.database.wait import DatabaseWait
from event_store.environment import HOST, PORT, Environment
from event_store.errors import ConfigurationError, SchemaError
from event_store.log.appender import Appender
from event_store.log.live_tail import LiveLog
from event_store.log.notifications import Wakeup
from event_store.log.reader import Reader
from event_store.log.replica_reader import ReplicaReader
from event_store.log.snapshots import SnapshotTable
from event_store.outbox.relay import Relay
from event_store.replay.replayer import Replayer
from event_store.replay.store import ReplayTable
from event_store.server.call_errors import Answering, Context
from event_store.server.heartbeat import Heartbeat
from event_store.server.import_call import Importer
from event_store.server.json_logging import configure_logs
from event_store.server.servicer import EventStoreServicer
from event_store.server.status_query import Overview
from event_store.server.stream_limit import StreamLimit
from event_store.topology import Routing
from event_store.v1 import event_store_pb2, event_store_pb2_grpc

GRACE_SECONDS: Final = 8.0  # Cloud Run kills ten seconds after SIGTERM
EXIT_SECONDS: Final = 9.5
SERVICE: Final = event_store_pb2.DESCRIPTOR.services_by_name["EventStore"].full_name
_OPTIONS: Final = (
    # A little above the contract's limit, so that the answer can name it.
    ("grpc.max_receive_message_length", MOST_REQUEST_BYTES + 1_048_576),
    ("grpc.max_send_message_length", -1),
    ("grpc.so_reuseport", 0),  # a taken port is an error
)

logger = logging.getLogger(__name__)


class Server:
    """The service of one process: call `start` once, and `stop` in any state; stopping twice is harmless.

    Args:
        environment: The environment of the process.
        routing: The routes of events; None publishes nothing and rejects no event for its types.

    Attributes:
        port: The port that it listens on, known after `start`.
        grpc: The gRPC server; more services can be added before `start`.
    """

    def __init__(self, environment: Environment, routing: Routing | None) -> None:
        self.port = 0
        self._environment = environment
        # The writer has a connection of its own: an append never waits for readers.
        self._database = Database(environment, connections=environment.database_connections - 1)
        relayed = routing if environment.relay == "on" else None
        self._relay = Relay(self._database.login, relayed) if relayed is not None else None
        reader = Reader(self._database)
        self._replica = (
            Database(environment, environment.database_connections, is_replica=True)
            if environment.replica_host
            else None
        )
        self._live_log = LiveLog(reader, Wakeup(self._database.login))
        self._appender = Appender(self._database.login, on_appended=self._hint)
        limit = StreamLimit(environment.stream_seconds)
        has_no_route = routing.rejects if routing is not None else None
        topics = [] if routing is None else [topic.path for topic in routing.topics.values()]
        overview = Overview(self._database, topics)
        self._heartbeat = Heartbeat(overview, self._appender.latency)
        self._replayer = Replayer(self._database.login, relayed) if relayed is not None else None
        self._servicer = EventStoreServicer(
            self._appender,
            reader if self._replica is None else ReplicaReader(self._database, Reader(self._replica)),
            SnapshotTable(self._database),
            ReplayTable(self._database, reader, routing),
            self._live_log,
            partial(Importer, self._database.login, self._hint, has_no_route),
            overview,
            has_no_route,
            limit,
        )
        self._health = _Health(limit)
        self.grpc = grpc.aio.server(options=(*_OPTIONS, *keep_alive.server_options()))
        # The generated function has no types.
        event_store_pb2_grpc.add_EventStoreServicer_to_server(self._servicer, self.grpc)  # type: ignore[no-untyped-call]
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self.grpc)
        reflection.enable_server_reflection(
            [SERVICE, health.SERVICE_NAME, reflection.SERVICE_NAME], self.grpc
        )
        self._tasks: list[asyncio.Task[None]] = []
        self._following: asyncio.Task[None] | None = None
        self._telling: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Wait for the database, check the schema, then listen. Cancelling closes everything.

        Raises:
            UnavailableError: The database is unreachable or rejects the login after `database_wait_seconds`.
            SchemaError: The schema does not support this release.
            ConfigurationError: The port is in use.
        """
        try:
            waiting = DatabaseWait(self._environment.database_wait_seconds, logger.warning)
            await waiting.until_async(self._check_schema)
            await self._database.open()
            if self._replica is not None:
                await self._replica.open()
            self.port = self._listen()
            await self.grpc.start()
            self._tasks.append(asyncio.create_task(self._appender.run(), name="appender"))
            if self._relay is not None:
                self._tasks.append(asyncio.create_task(self._relay.run(), name="relay"))
            if self._replayer is not None:
                self._tasks.append(asyncio.create_task(self._replayer.run(), name="replayer"))
            self._following = asyncio.create_task(self._live_log.run(), name="live log")
            self._telling = asyncio.create_task(self._heartbeat.run(), name="heartbeat")
            self._tasks += (self._following, self._telling)
            for service in ("", SERVICE):
                await self._health.set(service, health_pb2.HealthCheckResponse.SERVING)
        except BaseException:
            await self.stop()
            raise
        logger.info("serving on %s:%d", self._environment.host, self.port)

    async def wait(self) -> None:
        """Wait until a task fails, and raise its error; no task ends before `stop` without one."""
        done, _ = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()

    async def stop(self) -> None:
        """Reject new calls, finish those in flight, store waiting appends, close the connections."""
        await self._health.enter_graceful_shutdown()
        if self._relay is not None:
            self._relay.stop()  # another instance's relay may take over at once
        if self._replayer is not None:
            self._replayer.stop()
        self._servicer.stop()
        self._live_log.stop()
        await self.grpc.stop(GRACE_SECONDS)
        self._appender.stop()
        for endless in (self._following, self._telling):
            if endless is not None:
                endless.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._database.close()
        if self._replica is not None:
            await self._replica.close()

    def _hint(self) -> None:
        """Wake the readers of the log after it has grown."""
        self._live_log.hint()
        if self._relay is not None:
            self._relay.wake()

    def _listen(self) -> int:
        host = f"[{self._environment.host}]" if ":" in self._environment.host else self._environment.host
        try:
            return int(self.grpc.add_insecure_port(f"{host}:{self._environment.port}"))
        except RuntimeError:
            raise ConfigurationError(
                f"cannot listen on {host}:{self._environment.port}: stop the program that uses this port, "
                f"or set {HOST} and {PORT} to an address of this machine and a free port"
            ) from None

    async def _check_schema(self) -> None:
        try:
            with domain_errors():
                # Not from the pool, which hides the reason why it cannot connect.
                async with await self._database.login.connect_async() as connection:
                    row = await (await connection.execute(queries["schema_revision"])).fetchone()
                    guard = await (await connection.execute(queries["log_is_append_only"])).fetchone()
        except SchemaError:  # the tables do not exist yet
            row = guard = None
        revision, comment = row or (None, None)
        if not check_revision(revision, comment):
            logger.warning(
                "the schema is at revision %s of a later release, which supports this release", revision
            )
        if guard != (True,):
            logger.error("%s", NOT_APPEND_ONLY)


class _Health(health.aio.HealthServicer):  # type: ignore[misc] # grpcio-health has no types
    """Reports whether the service serves; a watch has the time limit of every stream."""

    def __init__(self, limit: StreamLimit) -> None:
        super().__init__()
        self._limit = limit

    async def Watch(self, request: health_pb2.HealthCheckRequest, context: Context) -> None:  # noqa: N802
        """Stream the health of a service."""
        async with Answering(context), self._limit.bounding():
            await super().Watch(request, context)


async def serve(environment: Environment, routing: Routing | None) -> None:
    """Run the service until SIGTERM or SIGINT.

    Args:
        environment: The environment of the process.
        routing: The routes of events; None publishes nothing and rejects no event for its types.

    Raises:
        ConfigurationError: The port is in use, or the schema does not support this release.
        UnavailableError: The database is unreachable or rejects the login after `database_wait_seconds`.
    """
    configure_logs(environment.log_level)
    server = Server(environment, routing)
    loop = asyncio.get_running_loop()
    stopping = asyncio.Event()

    def stop() -> None:
        stopping.set()
        loop.call_later(EXIT_SECONDS, _give_up)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    stopped = asyncio.create_task(stopping.wait())
    if await _has_started(server, stopped):
        failed = asyncio.create_task(server.wait())
        try:
            await asyncio.wait((stopped, failed), return_when=asyncio.FIRST_COMPLETED)
            if failed.done():
                failed.result()
        finally:
            stopped.cancel()
            failed.cancel()
            await server.stop()
    logger.info("stopped")


async def _has_started(server: Server, stopped: asyncio.Task[bool]) -> bool:
    """Start a server; close it and return false if `stopped` is done before the server serves."""
    starting = asyncio.create_task(server.start())
    await asyncio.wait((stopped, starting), return_when=asyncio.FIRST_COMPLETED)
    starting.cancel()
    try:
        await starting
    except asyncio.CancelledError:
        return False
    return True


def _give_up() -> None:
    logger.error(
        "stopping took more than %g s, perhaps because the database hangs: exiting now", EXIT_SECONDS
    )
    logging.shutdown()
    os._exit(1)
