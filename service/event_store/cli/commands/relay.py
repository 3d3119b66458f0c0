"""`event-store relay`."""

import argparse
import asyncio
import signal
from typing import Final

import uvloop

from event_store.cli.routed import add_routing_arguments, environment_and_routing
from event_store.database.login import TIMEOUTS, Login
from event_store.environment import ROUTING, Environment
from event_store.errors import ConfigurationError
from event_store.outbox.relay import Relay
from event_store.replay.replayer import Replayer
from event_store.server.json_logging import configure_logs
from event_store.topology import Routing

DESCRIPTION: Final = """\
Run only the relay: publish the events of the log to Pub/Sub at least once, in order per key, and run replays.

Start as many as you like, also next to `serve`: one is active, the others stand by. The routing comes from
--topology and --project, else from EVENT_STORE_ROUTING. libpq's variables (PGHOST, PGPORT, PGDATABASE,
PGUSER ...) name the database, PUBSUB_EMULATOR_HOST a Pub/Sub emulator. SIGTERM or Ctrl-C finishes requests in
flight, saves the checkpoint and releases the lease."""
EXAMPLES: Final = """\
examples:
  event-store relay --topology topology.yaml --project my-project
  PUBSUB_EMULATOR_HOST=127.0.0.1:8085 event-store relay --topology topology.yaml --project my-project"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    add_routing_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the relay until stopped."""
    environment, routing = environment_and_routing(arguments)
    if routing is None:
        raise ConfigurationError(f"no routing: set {ROUTING}, or give --topology and --project")
    configure_logs(environment.log_level)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_relay(environment, routing))
    return 0


async def _relay(environment: Environment, routing: Routing) -> None:
    login = Login(environment, to_replica=False, **TIMEOUTS)
    relay, replayer = Relay(login, routing), Replayer(login, routing)

    def stop() -> None:
        relay.stop()
        replayer.stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(relay.run())
        tasks.create_task(replayer.run())
