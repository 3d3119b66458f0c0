"""`event-store serve` ends in time, whatever its database does."""

import asyncio
import signal
from typing import Final

import grpc

from event_store.server.server import EXIT_SECONDS, GRACE_SECONDS
from event_store.v1 import event_store_pb2 as pb
from event_store.v1 import event_store_pb2_grpc
from local_gcp.system.ports import free_port
from tests.conftest import TestDatabase
from tests.event_store.requests import append
from tests.processes import python
from tests.proxy import Proxy

PATIENCE_SECONDS: Final = 30.0
CLOUD_RUN_SECONDS: Final = 10.0  # after them it kills


async def test_serve_ends_in_time_while_the_database_hangs(database: TestDatabase) -> None:
    """With an append, a read and a subscription in flight, nothing of which is answered, SIGTERM ends it."""
    port = free_port()
    async with Proxy(database.postgres.port) as proxy:
        variables = database.variables() | {"PGPORT": str(proxy.port), "PORT": str(port)}
        async with (
            python("-m", "event_store.cli.main", "serve", **variables) as process,
            grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel,
            asyncio.timeout(PATIENCE_SECONDS),
        ):
            stub = event_store_pb2_grpc.EventStoreStub(channel)  # type: ignore[no-untyped-call] # generated
            await stub.AppendEvents(pb.AppendEventsRequest(appends=[append()]), wait_for_ready=True)
            following = stub.Subscribe(pb.SubscribeRequest())
            await following.read()
            proxy.hold("answers")
            appending = stub.AppendEvents(pb.AppendEventsRequest(appends=[append()]))
            reading = stub.ReadAll(pb.ReadAllRequest())
            await proxy.until_held()
            started = asyncio.get_running_loop().time()

            process.send_signal(signal.SIGTERM)
            code = await process.wait()
            took_seconds = asyncio.get_running_loop().time() - started
            for call in (following, appending, reading):
                call.cancel()

    assert GRACE_SECONDS < EXIT_SECONDS < CLOUD_RUN_SECONDS
    assert took_seconds < EXIT_SECONDS + 2  # of which a busy machine needs some to see the end
    assert code in (0, 1)
