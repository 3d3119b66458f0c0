"""The embedded Pub/Sub: a gRPC server that google-cloud-pubsub's clients use as an emulator.

All state is in memory and on one event loop. An operation is a plain function call on the catalog,
so it is atomic. Nothing polls: publishing wakes the waiting consumers.
"""

from pathlib import Path
from typing import Any, Self

import grpc
import grpc.aio

from pubsub_emulator.access.permissions import Judge, admission
from pubsub_emulator.api.iam import IamPolicies
from pubsub_emulator.api.publisher import Publisher
from pubsub_emulator.api.pull import pull_handler
from pubsub_emulator.api.rpc import unary
from pubsub_emulator.api.schema_service import Schemas
from pubsub_emulator.api.streaming_pull import streaming_pull_handler
from pubsub_emulator.api.subscriber import Subscriber
from pubsub_emulator.broker.catalog import Catalog
from pubsub_emulator.broker.clock import Clock, SystemClock
from pubsub_emulator.broker.dead_letters import ServiceAgent
from pubsub_emulator.broker.limits import PUBLISH_BYTES
from pubsub_emulator.delivery.loops import DeliveryLoops
from pubsub_emulator.errors import UnavailableError

STOP_SECONDS = 2.0  # for calls in flight
# Twice Google's limit: a slightly too large request gets Google's error, not gRPC's.
OPTIONS = (
    ("grpc.max_receive_message_length", 2 * PUBLISH_BYTES),
    ("grpc.max_send_message_length", -1),
    ("grpc.so_reuseport", 0),  # otherwise a second server would silently share the port
)


class ListenError(Exception):
    """The server cannot listen on its address; the message says how to fix that."""


class PubSubServer:
    """Run Pub/Sub in this process: `async with PubSubServer() as server: ... server.address`.

    Args:
        host: Address to listen on.
        port: Port to listen on; 0 chooses a free one.
        clock: The clock of deadlines and retention.
        exports: Folder that replaces Cloud Storage and BigQuery; None rejects subscriptions with an export.
        service_agent: Returns the email of Pub/Sub's service agent in a project. Dead letters then need its
            roles, as at Google; None: they need none.
        judge: Decides about each call; None admits every call.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        clock: Clock | None = None,
        exports: Path | None = None,
        service_agent: ServiceAgent | None = None,
        judge: Judge | None = None,
    ) -> None:
        self._host = host
        self._port = port
        self._clock = clock or SystemClock()
        self._service_agent = service_agent
        self._judge = judge
        self._catalog = Catalog(self._clock, service_agent)
        self._loops = DeliveryLoops(self._clock, exports)
        self._server: Any = None
        self.address = ""

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen; `address` is then "HOST:PORT", the value for PUBSUB_EMULATOR_HOST. Idempotent.

        Raises:
            ListenError: The server cannot listen on its address.
        """
        if self._server is not None:
            return
        self._catalog = catalog = Catalog(self._clock, self._service_agent)
        server = grpc.aio.server(options=OPTIONS)
        judge = self._judge
        waiting = {
            "Pull": pull_handler(catalog, admission("Pull", judge)),
            "StreamingPull": streaming_pull_handler(catalog, admission("StreamingPull", judge)),
        }
        _serve(server, Publisher(catalog), judge)
        _serve(server, Subscriber(catalog, self._loops), judge, **waiting)
        _serve(server, IamPolicies(catalog), judge)
        _serve(server, Schemas(catalog), judge)
        try:
            port = server.add_insecure_port(f"{self._host}:{self._port}")
        except RuntimeError as error:
            raise ListenError(
                f"Pub/Sub cannot listen on {self._host}:{self._port}: another program does, or the address is"
                f" not this machine's. Stop that program (`ss -ltnp 'sport = :{self._port}'` shows it), or"
                " choose another port; 0 stands for a free one."
            ) from error
        await server.start()
        self._server = server
        catalog.start()
        self.address = f"{self._host}:{port}"

    async def stop(self) -> None:
        """End streams (UNAVAILABLE), finish other calls, release the port, drop all state. Idempotent."""
        if self._server is None:
            return
        server, self._server = self._server, None
        await self._loops.stop()
        self._catalog.stop(UnavailableError("The server is stopping."))
        await server.stop(STOP_SECONDS)


def _serve(
    server: grpc.aio.Server,
    service: Publisher | Subscriber | Schemas | IamPolicies,
    judge: Judge | None,
    **waiting: grpc.RpcMethodHandler,
) -> None:
    plain = {name: unary(*method, admission(name, judge)) for name, method in service.methods().items()}
    handler = grpc.method_handlers_generic_handler(service.service, plain | waiting)
    server.add_generic_rpc_handlers((handler,))
