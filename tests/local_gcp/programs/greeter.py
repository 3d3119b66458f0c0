"""A gRPC service with health checks that answers every call with its VERSION, for tests of roll-outs."""

import asyncio
import os
import signal
import sys

import grpc
import grpc.aio
from grpc_health.v1 import health, health_pb2, health_pb2_grpc


async def main() -> None:
    if os.environ["VERSION"] == "broken":
        sys.exit("VERSION is broken")
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)

    async def greet(_request: bytes, _context: object) -> bytes:
        return os.environ["VERSION"].encode()

    server = grpc.aio.server()
    methods = {"Greet": grpc.unary_unary_rpc_method_handler(greet)}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("Greeter", methods),))
    servicer = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    await servicer.set("", health_pb2.HealthCheckResponse.SERVING)
    server.add_insecure_port(f"127.0.0.1:{os.environ['PORT']}")
    await server.start()
    await stopped.wait()
    await server.stop(5)


asyncio.run(main())
